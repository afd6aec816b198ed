import { useTranslation } from "react-i18next";
import { valueAt } from "../../../flow/document.ts";
import type { Finding } from "../queries.ts";
import { useActions } from "./state.tsx";

/** Codes that an empty field has, too: a person is told to fill it in, and not what a value would have to be. */
const ALSO_OF_EMPTY: ReadonlySet<string> = new Set(["invalid_value", "invalid_variable", "unknown_flow"]);

/** Return what says a finding of the prover in the person's language; one that is newer than the console keeps its own words. */
export function useFindingText(): (finding: Finding) => string {
  const { t, i18n } = useTranslation("findings");
  const { latest } = useActions();
  return ({ code, message, node_id, field }) => {
    const node = field && latest().document.nodes.find(({ id }) => id === node_id);
    if (node && ALSO_OF_EMPTY.has(code) && (valueAt(node.data, field) ?? "") === "")
      return t("missing_field");
    return i18n.exists(code, { ns: "findings" }) ? t(code as "missing_field") : message;
  };
}
