import { Position, type Edge, type NodeHandle } from "@xyflow/react";
import type { Mark } from "../../../flow/differences.ts";
import { drawnId } from "../../../flow/comments.ts";
import { exitsOf, type FlowDocument, type FlowNode } from "../../../flow/document.ts";
import { heightOf, NODE_PARTS, NODE_WIDTH, type Positions } from "../../../flow/layout.ts";
import { isEqual } from "../../../flow/patch.ts";
import type { Finding } from "../queries.ts";
import type { Comment } from "./CommentNode.tsx";
import type { Step } from "./StepNode.tsx";

const NO_FINDINGS: Finding[] = [];

interface Shown {
  document: FlowDocument;
  laid: Positions;
  findings: ReadonlyMap<string, Finding[]>;
  selected: readonly string[];
  lit: ReadonlySet<string>;
  marks: ReadonlyMap<string, Mark>;
}

/** Return where a node is: where a person put it, else where the layout did. */
export function positionOf(node: FlowNode, laid: Positions): { x: number; y: number } {
  return node.position ?? laid.get(node.id) ?? { x: 0, y: 0 };
}

const HANDLE = 13;

/** Return the size of a node and where its arrows begin and end, as canvas.css draws them: nothing has to be measured. */
export function shapeOf(node: FlowNode): {
  measured: { width: number; height: number };
  handles: NodeHandle[];
} {
  const { border, head, gist, exit } = NODE_PARTS;
  const height = heightOf(node);
  const at = (type: NodeHandle["type"], x: number, y: number, id?: string): NodeHandle => ({
    ...(id ? { id } : {}),
    type,
    position: type === "target" ? Position.Left : Position.Right,
    x: x - HANDLE / 2,
    y: y - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  });
  const top = border + head + gist;
  const sources = exitsOf(node).map(({ field }, index) =>
    at("source", NODE_WIDTH - border, top + (index + 0.5) * exit + 0.5, field),
  );
  return {
    measured: { width: NODE_WIDTH, height },
    handles: node.type === "start" ? sources : [at("target", 0, height / 2), ...sources],
  };
}

/** Return the nodes to draw: those that have a place. Those that are as before stay the same objects, so that only changed ones are drawn again. */
export function stepsOf(
  { document, laid, findings, selected, lit, marks }: Shown,
  before: readonly Step[],
): Step[] {
  const known = new Map(before.map((step) => [step.id, step]));
  const chosen = new Set(selected);
  const shown = document.nodes.filter((node) => node.position ?? laid.has(node.id));
  return shown.map((node) => {
    const old = known.get(node.id);
    const data = {
      node,
      findings: findings.get(node.id) ?? NO_FINDINGS,
      start: document.start_node_id === node.id,
      lit: lit.has(node.id),
      mark: marks.get(node.id),
    };
    const position = positionOf(node, laid);
    const isSelected = chosen.has(node.id);
    if (
      old &&
      old.data.node === node &&
      isEqual(old.data.findings, data.findings) &&
      old.data.start === data.start &&
      old.data.lit === data.lit &&
      old.data.mark === data.mark &&
      !!old.selected === isSelected &&
      old.position.x === position.x &&
      old.position.y === position.y
    ) {
      return old;
    }
    const shape = old?.data.node === node ? undefined : shapeOf(node);
    return { ...old, ...shape, id: node.id, type: "step" as const, position, data, selected: isSelected };
  });
}

/** Return the nodes and the comments to draw; the list of before when nothing changed. */
export function drawnOf(shown: Shown, before: (Step | Comment)[]): (Step | Comment)[] {
  const steps = stepsOf(
    shown,
    before.filter((one) => one.type === "step"),
  );
  const known = new Map(before.map((one) => [one.id, one]));
  const comments = (shown.document.comments ?? []).map((comment): Comment => {
    const id = drawnId(comment);
    const [old, selected] = [known.get(id), shown.selected.includes(id)];
    if (old?.type === "comment" && old.data.comment === comment && !!old.selected === selected) return old;
    return {
      ...(old?.type === "comment" ? old : {}),
      id,
      type: "comment",
      position: comment.position,
      data: { comment },
      selected,
    };
  });
  return kept(before, [...steps, ...comments]);
}

/** Return the list of before when it has the same items, so that what depends on it is not done again. */
function kept<Item>(before: Item[], after: Item[]): Item[] {
  return before.length === after.length && after.every((one, index) => one === before[index])
    ? before
    : after;
}

/** Return the arrows to draw. Those that are as before stay the same objects, so that only changed ones are drawn again. */
export function edgesOf(
  { nodes }: FlowDocument,
  lit: ReadonlySet<string>,
  chosen: ReadonlySet<string>,
  before: Edge[],
): Edge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  const ids = new Set(nodes.map(({ id }) => id));
  const edges = nodes.flatMap((node) =>
    exitsOf(node)
      .filter(({ target }) => target && ids.has(target))
      .map(({ field, target }) => {
        const id = `${node.id}|${field}`;
        const edge = {
          id,
          source: node.id,
          sourceHandle: field,
          target: target!,
          selected: chosen.has(id),
          className: lit.has(id) ? "is-lit" : "",
        };
        const old = known.get(id);
        return old && isEqual(old, edge) ? old : edge;
      }),
  );
  return kept(before, edges);
}
