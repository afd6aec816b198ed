import { lazy, Suspense, type ComponentType } from "react";

// What is beside or over the canvas is loaded when it is first shown, so that the flow is drawn without waiting for it.

function part<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  const Loaded = lazy(async () => ({ default: (await load()) as ComponentType<object> }));
  return function Part(props: Props) {
    return (
      <Suspense>
        <Loaded {...props} />
      </Suspense>
    );
  };
}

const nodeForm = () => import("../forms/NodeForm.tsx");
const conflict = () => import("./Conflict.tsx");

export const NodeForm = part(async () => (await nodeForm()).NodeForm);
export const Conflict = part(async () => (await conflict()).Conflict);
export const Differences = part(async () => (await import("../differences/Differences.tsx")).Differences);
export const TestsPanel = part(async () => (await import("../flowtests/TestsPanel.tsx")).TestsPanel);
export const Languages = part(async () => (await import("../languages/Languages.tsx")).Languages);
export const PublishDialog = part(async () => (await import("../publish/PublishDialog.tsx")).PublishDialog);
export const Versions = part(async () => (await import("../publish/Versions.tsx")).Versions);
export const Rehearsal = part(async () => (await import("../rehearsal/Rehearsal.tsx")).Rehearsal);
export const FlowSettings = part(async () => (await import("./FlowSettings.tsx")).FlowSettings);
export const JsonView = part(async () => (await import("./JsonView.tsx")).JsonView);
export const Search = part(async () => (await import("./Search.tsx")).Search);

const REST_MILLISECONDS = 1000;

/** Do something when the flow has been drawn for a moment. Returns how to call it off. */
export function atRest(todo: () => void): () => void {
  const timer = setTimeout(todo, REST_MILLISECONDS);
  return () => clearTimeout(timer);
}

/**
 * Load what most people need next: the form of a node; and what must not fail when the server is gone: the choice between
 * two versions of a draft.
 */
export function loadNext(): void {
  void Promise.all([nodeForm(), conflict()]);
}
