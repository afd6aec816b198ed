import type { Positions } from "./layout.ts";

/** Where a node is drawn and how large. */
export interface Box {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export const ALIGNMENTS = ["left", "center", "top", "middle", "across", "down"] as const;

/** `center` and `middle` align the middles of nodes, in a column and in a row; `across` and `down` make gaps equal. */
export type Alignment = (typeof ALIGNMENTS)[number];

/** Return where aligned nodes go. */
export function aligned(boxes: readonly Box[], how: Alignment): Positions {
  const [x, y] = [boxes.map((box) => box.x), boxes.map((box) => box.y)];
  const middle = (from: readonly number[], size: "width" | "height") => {
    const ends = boxes.map((box, index) => from[index]! + box[size]);
    return (Math.min(...from) + Math.max(...ends)) / 2;
  };
  if (how === "left") return moved(boxes, () => ({ x: Math.min(...x) }));
  if (how === "top") return moved(boxes, () => ({ y: Math.min(...y) }));
  if (how === "center") {
    const line = middle(x, "width");
    return moved(boxes, ({ width }) => ({ x: line - width / 2 }));
  }
  if (how === "middle") {
    const line = middle(y, "height");
    return moved(boxes, ({ height }) => ({ y: line - height / 2 }));
  }
  return how === "across" ? spread(boxes, "x", "width") : spread(boxes, "y", "height");
}

function moved(boxes: readonly Box[], to: (box: Box) => { x?: number; y?: number }): Positions {
  return new Map(boxes.map((box) => [box.id, { x: box.x, y: box.y, ...to(box) }]));
}

/** The first and the last stay; the gaps between all become the same. */
function spread(boxes: readonly Box[], axis: "x" | "y", size: "width" | "height"): Positions {
  const sorted = boxes.toSorted((one, other) => one[axis] - other[axis]);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const filled = sorted.slice(0, -1).reduce((sum, box) => sum + box[size], 0);
  const gap = (last[axis] - first[axis] - filled) / (sorted.length - 1);
  let next = first[axis];
  const places = new Map<string, number>();
  for (const box of sorted) {
    places.set(box.id, next);
    next += box[size] + gap;
  }
  return moved(boxes, ({ id }) => ({ [axis]: places.get(id)! }));
}
