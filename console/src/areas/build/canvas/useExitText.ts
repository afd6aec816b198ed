import { useTranslation } from "react-i18next";
import type { Exit } from "../../../flow/document.ts";

/** Return how an exit is called. */
export function useExitText(): (exit: Exit) => string {
  const { t } = useTranslation("build");
  return (exit) => exit.text || t(`exit.${exit.kind}`);
}
