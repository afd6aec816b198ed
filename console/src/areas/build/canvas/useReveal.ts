import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { NODE_WIDTH } from "../../../flow/layout.ts";

const MOVE_MILLISECONDS = 200;
const HEAD = 40;
const MARGIN = 16;

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

/** How far something must be moved to lie between two edges: as little as possible, so that what is beside it stays in view. */
function shift(from: number, to: number, low: number, high: number): number {
  if (from < low + MARGIN || to - from > high - low - 2 * MARGIN) return low + MARGIN - from;
  return Math.min(0, high - MARGIN - to);
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
      const { zoom, ...view } = flow.getViewport();
      const { x, y } = flow.flowToScreenPosition(node.position);
      const [width, height] = [NODE_WIDTH * zoom, (node.measured?.height ?? HEAD) * zoom];
      const [middle, head] = [x + width / 2, y + HEAD * zoom];
      if (middle > area.left && middle < area.right && y > area.top && head < area.bottom) return;
      const moved = {
        x: view.x + shift(x, x + width, area.left, area.right),
        y: view.y + shift(y, y + height, area.top, area.bottom),
      };
      void flow.setViewport({ ...moved, zoom }, { duration: MOVE_MILLISECONDS });
    };
    const timer = setTimeout(look, MOVE_MILLISECONDS); // by then the panel is open, and a press has become a click or a drag
    return () => clearTimeout(timer);
  }, [id, panel, laid, flow]);
}
