import { lazy, Suspense, type ComponentType } from "react";

/** A component whose code is loaded when it is first shown. Until then its place is empty and marked as busy. */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const Loaded = lazy(async () => ({ default: (await load()) as ComponentType<object> }));
  return function Later(props: Props) {
    return (
      <Suspense fallback={<span aria-busy="true" hidden />}>
        <Loaded {...props} />
      </Suspense>
    );
  };
}
