import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useNodeText } from "../canvas/useNodeText.ts";
import { useEditor } from "./state.tsx";

/** Lead to the node that something is about. */
export function ShowNode({ id, also }: { id: string | null | undefined; also?: () => void }) {
  const { t } = useTranslation("build");
  const { document, select } = useEditor();
  const text = useNodeText();
  const node = document.nodes.find((one) => one.id === id);
  if (!node) return null;
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      onClick={() => {
        select([node.id]);
        also?.();
      }}
    >
      {t("publish.show", { node: text(node) })}
    </Button>
  );
}
