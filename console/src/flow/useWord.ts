import { useTranslation } from "react-i18next";
import type { Word } from "./document.ts";

/** Return the person's words for what a flow names by ids; an id that is newer than the console stays.
 * The texts of the area Build must be loaded. */
export function useWord(): Word {
  const { t } = useTranslation("build");
  return (kind, id) => t(`${kind}.${id}` as "action.add_tag", { defaultValue: id });
}
