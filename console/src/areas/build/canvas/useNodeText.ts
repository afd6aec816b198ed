import { useTranslation } from "react-i18next";
import type { FlowNode } from "../../../flow/document.ts";

/** Return how a node is called among others. */
export function useNodeText(): (node: FlowNode) => string {
  const { t } = useTranslation("build");
  return ({ id, type, label }) => `${label || t(`type.${type}`)} · ${id}`;
}
