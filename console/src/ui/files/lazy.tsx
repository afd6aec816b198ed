import { lazy, Suspense } from "react";
import { loadWords } from "../../i18n/words.ts";
import type { FileFieldProps } from "./FileField.tsx";
import type { StoredImageProps } from "./StoredImage.tsx";

// Files are part of few forms and messages: what shows them is loaded when the first one does.

const Field = lazy(async () => {
  const [{ FileField: Loaded }] = await Promise.all([import("./FileField.tsx"), loadWords("files")]);
  return { default: Loaded };
});
const Image = lazy(async () => ({ default: (await import("./StoredImage.tsx")).StoredImage }));

export function FileField(props: FileFieldProps) {
  return (
    <Suspense>
      <Field {...props} />
    </Suspense>
  );
}

export function StoredImage(props: StoredImageProps) {
  return (
    <Suspense fallback={props.otherwise}>
      <Image {...props} />
    </Suspense>
  );
}
