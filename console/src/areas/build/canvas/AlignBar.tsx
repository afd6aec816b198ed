import { ActionIcon } from "@mantine/core";
import { Panel, useReactFlow } from "@xyflow/react";
import { useTranslation } from "react-i18next";
import { aligned, ALIGNMENTS, type Alignment } from "../../../flow/align.ts";
import { heightOf, NODE_WIDTH } from "../../../flow/layout.ts";
import { placed } from "../../../flow/edit.ts";
import { useEditor } from "../editor/state.tsx";

const PATHS: Record<Alignment, string> = {
  left: "M4 3v18M8 6h12v4H8zM8 14h7v4H8z",
  center: "M12 3v18M5 6h14v4H5zM8 14h8v4H8z",
  top: "M3 4h18M6 8v12h4V8zM14 8v7h4V8z",
  middle: "M3 12h18M6 5v14h4V5zM14 8v8h4V8z",
  across: "M4 3v18M20 3v18M9 7h6v10H9z",
  down: "M3 4h18M3 20h18M7 9v6h10V9z",
};

/** How several selected nodes are aligned, and spread with equal gaps. */
export function AlignBar() {
  const { t } = useTranslation("build");
  const { document, selected, edit } = useEditor();
  const flow = useReactFlow();
  const nodes = selected.length > 1 ? document.nodes.filter(({ id }) => selected.includes(id)) : [];
  if (nodes.length < 2) return null;

  function align(how: Alignment) {
    const boxes = nodes.map((node) => {
      const drawn = flow.getNode(node.id);
      const { x, y } = drawn?.position ?? node.position ?? { x: 0, y: 0 };
      const { width = NODE_WIDTH, height = heightOf(node) } = drawn?.measured ?? {};
      return { id: node.id, x, y, width, height };
    });
    edit((before) => placed(before, aligned(boxes, how)));
  }

  return (
    <Panel position="top-center" className="build-align" role="toolbar" aria-label={t("align.name")}>
      {ALIGNMENTS.filter((how) => nodes.length > 2 || (how !== "across" && how !== "down")).map((how) => (
        <ActionIcon
          key={how}
          variant="subtle"
          color="gray"
          aria-label={t(`align.${how}`)}
          title={t(`align.${how}`)}
          onClick={() => align(how)}
        >
          <svg aria-hidden="true" width={18} height={18} viewBox="0 0 24 24" className="build-align-icon">
            <path d={PATHS[how]} />
          </svg>
        </ActionIcon>
      ))}
    </Panel>
  );
}
