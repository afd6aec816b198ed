import type { Edge } from "@xyflow/react";
import type { Mark } from "../../../flow/differences.ts";
import { drawnId } from "../../../flow/comments.ts";
import { exitsOf, type FlowDocument, type FlowNode } from "../../../flow/document.ts";
import type { Positions } from "../../../flow/layout.ts";
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

/** Return the nodes to draw. Those that are as before stay the same objects, so that only changed ones are drawn again. */
export function stepsOf(
  { document, laid, findings, selected, lit, marks }: Shown,
  before: readonly Step[],
): Step[] {
  const known = new Map(before.map((step) => [step.id, step]));
  const chosen = new Set(selected);
  return document.nodes.map((node) => {
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
    return { ...old, id: node.id, type: "step" as const, position, data, selected: isSelected };
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
