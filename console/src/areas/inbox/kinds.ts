import { useTranslation } from "react-i18next";
import type words from "./words/pt.json";

type Kind = keyof (typeof words)["kind"];

/** The name of a kind of message in the person's language, as far as it is known. */
export function useKind(): (type: string) => string {
  const { t, i18n } = useTranslation("inbox");
  return (type) => (i18n.exists(`kind.${type}`, { ns: "inbox" }) ? t(`kind.${type as Kind}`) : type);
}

/** What is shown of a message without a text: which kind it is. */
export function useTextless(): (type: string) => string {
  const { t } = useTranslation("inbox");
  const kind = useKind();
  return (type) => (type === "revoke" ? t("revoked") : t("noText", { type: kind(type) }));
}
