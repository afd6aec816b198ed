import { useTranslation } from "react-i18next";
import type words from "./words/pt.json";

type Kind = keyof (typeof words)["kind"];

/** What is shown of a message without a text: which kind it is, in the person's language as far as the kind is known. */
export function useTextless(): (type: string) => string {
  const { t, i18n } = useTranslation("inbox");
  return (type) => {
    if (type === "revoke") return t("revoked");
    const known = i18n.exists(`kind.${type}`, { ns: "inbox" });
    return t("noText", { type: known ? t(`kind.${type as Kind}`) : type });
  };
}
