import { lazy, Suspense } from "react";
import { loadWords } from "../../i18n/words.ts";
import { later } from "../later.tsx";
import type { StoredImageProps } from "./StoredImage.tsx";

// Files are part of few forms and messages: what shows them is loaded when the first one does.

export const FileField = later(async () => {
  const [loaded] = await Promise.all([import("./FileField.tsx"), loadWords("files")]);
  return loaded.FileField;
});

const Image = lazy(async () => ({ default: (await import("./StoredImage.tsx")).StoredImage }));

export function StoredImage(props: StoredImageProps) {
  return (
    <Suspense fallback={props.otherwise}>
      <Image {...props} />
    </Suspense>
  );
}
