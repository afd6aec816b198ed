import { UnstyledButton } from "@mantine/core";
import { useReactFlow } from "@xyflow/react";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { exitsOf, type NodeType } from "../../../flow/document.ts";
import { added, connected } from "../../../flow/edit.ts";
import { freePlace, NODE_WIDTH } from "../../../flow/layout.ts";
import { useActions } from "../editor/state.tsx";
import { DRAGGED } from "./Canvas.tsx";
import { PALETTE, TypeIcon } from "./TypeIcon.tsx";

/** The types of nodes: dragged onto the canvas, or pressed to put one in its middle. */
export const Palette = memo(function Palette({ hasStart }: { hasStart: boolean }) {
  const { t } = useTranslation("build");
  const { edit, select, latest } = useActions();
  const flow = useReactFlow();

  /** Behind the selected node if one of its exits is free, else in the middle of the canvas. */
  function add(type: NodeType) {
    const { document, selected } = latest();
    const before = selected.length === 1 ? document.nodes.find(({ id }) => id === selected[0]) : undefined;
    const exit = before && exitsOf(before).find(({ target }) => !target);
    const drawn = before && flow.getNode(before.id)?.position;
    const canvas = globalThis.document.querySelector(".build-canvas")!.getBoundingClientRect();
    const middle = { x: canvas.x + canvas.width / 2 - NODE_WIDTH / 2, y: canvas.y + canvas.height / 3 };
    const wanted = drawn ? { x: drawn.x + NODE_WIDTH + 90, y: drawn.y } : flow.screenToFlowPosition(middle);
    const taken = flow.getNodes().map(({ position }) => position);
    const [after, id] = added(document, type, freePlace(wanted, taken));
    edit(() => (exit && type !== "start" ? connected(after, before.id, exit.field, id) : after));
    select([id]);
  }

  return (
    <aside className="build-palette" aria-label={t("palette.name")}>
      {PALETTE.map(([group, types]) => (
        <section key={group}>
          <h2 className="build-palette-group">{t(`palette.${group as "talk"}`)}</h2>
          {types
            .filter((type) => type !== "start" || !hasStart)
            .map((type) => (
              <UnstyledButton
                key={type}
                className="build-palette-type"
                draggable
                title={t(`hint.${type}`)}
                onClick={() => add(type)}
                onDragStart={(event) => event.dataTransfer.setData(DRAGGED, type)}
              >
                <TypeIcon type={type} />
                <span>{t(`type.${type}`)}</span>
              </UnstyledButton>
            ))}
        </section>
      ))}
    </aside>
  );
});
