import { useTranslation } from "react-i18next";
import type { Finding } from "../queries.ts";

/** Return what says a finding of the prover in the person's language; one that is newer than the console keeps its own words. */
export function useFindingText(): (finding: Finding) => string {
  const { t, i18n } = useTranslation("findings");
  return ({ code, message }) =>
    i18n.exists(code, { ns: "findings" }) ? t(code as "missing_field") : message;
}
