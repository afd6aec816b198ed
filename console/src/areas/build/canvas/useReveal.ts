import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { NODE_WIDTH } from "../../../flow/layout.ts";

const MOVE_MILLISECONDS = 200;
const HEAD = 40;

interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function areaOf(selector: string): Area | undefined {
  const found = globalThis.document.querySelector(selector)?.getBoundingClientRect();
  return found && { left: found.left, top: found.top, right: found.right, bottom: found.bottom };
}

/** The part of the canvas that no panel covers: on a narrow screen they lie over its lower part. */
function uncovered(): Area | undefined {
  const canvas = areaOf(".build-canvas");
  if (!canvas) return undefined;
  const panels = [areaOf(".build-panel"), areaOf(".build-phone")].filter((one) => one !== undefined);
  const over = panels.filter(
    ({ left, top }) => left < canvas.right && top > canvas.top && top < canvas.bottom,
  );
  return { ...canvas, bottom: Math.min(canvas.bottom, ...over.map(({ top }) => top)) };
}

/**
 * Move the canvas to the node whose form is open, if the head of the node cannot be seen: a new one may be far away. It looks
 * again when the panel or the layout changes.
 */
export function useReveal(id: string | undefined, panel: unknown, laid: unknown): void {
  const flow = useReactFlow();
  useEffect(() => {
    if (!id) return undefined;
    const look = () => {
      const [node, area] = [flow.getNode(id), uncovered()];
      if (!node || !area || node.dragging) return;
      const at = { x: node.position.x + NODE_WIDTH / 2, y: node.position.y + HEAD };
      const { x, y } = flow.flowToScreenPosition(at);
      if (x > area.left && x < area.right && y > area.top && y < area.bottom) return;
      const { zoom, ...view } = flow.getViewport();
      const moved = {
        x: view.x + (area.left + area.right) / 2 - x,
        y: view.y + (area.top + area.bottom) / 2 - y,
      };
      void flow.setViewport({ ...moved, zoom }, { duration: MOVE_MILLISECONDS });
    };
    const timer = setTimeout(look, MOVE_MILLISECONDS); // by then the panel is open, and a press has become a click or a drag
    return () => clearTimeout(timer);
  }, [id, panel, laid, flow]);
}
