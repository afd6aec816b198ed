import { useTranslation } from "react-i18next";
import { branchText, type Exit } from "../../../flow/document.ts";
import { useWord } from "../../../flow/useWord.ts";

/** Return how an exit is called. */
export function useExitText(): (exit: Exit) => string {
  const { t } = useTranslation("build");
  const word = useWord();
  return ({ branch, text, kind }) => (branch && branchText(branch, word)) || text || t(`exit.${kind}`);
}
