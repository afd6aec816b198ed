import { exitsOf, type FlowDocument, type FlowNode } from "./document.ts";

export type Positions = Map<string, { x: number; y: number }>;

/** What the layout needs of a flow. */
export interface Drawing {
  nodes: { id: string; width: number; height: number }[];
  edges: { from: string; to: string }[];
}

export const NODE_WIDTH = 250;

/** Return a place near the wanted one that no node covers. */
export function freePlace(
  wanted: { x: number; y: number },
  taken: readonly { x: number; y: number }[],
): { x: number; y: number } {
  const place = { ...wanted };
  while (taken.some(({ x, y }) => Math.abs(x - place.x) < NODE_WIDTH && Math.abs(y - place.y) < 120))
    place.y += 130;
  return place;
}

/** The parts of a node, from top to bottom, as canvas.css draws them. */
export const NODE_PARTS = { border: 1, head: 34, gist: 42, exit: 28 } as const;

/** How high a node is drawn. */
export function heightOf(node: FlowNode): number {
  const { border, head, gist, exit } = NODE_PARTS;
  return 2 * border + head + gist + exit * exitsOf(node).length;
}

/** Return a flow as boxes and arrows. */
export function drawingOf({ nodes }: FlowDocument): Drawing {
  const ids = new Set(nodes.map(({ id }) => id));
  return {
    nodes: nodes.map((node) => ({ id: node.id, width: NODE_WIDTH, height: heightOf(node) })),
    edges: nodes.flatMap((node) =>
      exitsOf(node).flatMap(({ target }) =>
        target && ids.has(target) ? [{ from: node.id, to: target }] : [],
      ),
    ),
  };
}

/** Whether some node has no place of its own. */
export function isUnplaced({ nodes }: FlowDocument): boolean {
  return nodes.some(({ position }) => !position);
}

/** Return places side by side, for a flow that cannot be laid out. */
export function inARow({ nodes }: FlowDocument): Positions {
  return new Map(nodes.map(({ id }, index) => [id, { x: index * (NODE_WIDTH + 90), y: 0 }]));
}

const layouts = new WeakMap<FlowDocument, Promise<Positions>>();

/** Lay a flow out in a worker, so that the page stays usable. The same document is laid out once. */
export function laidOut(document: FlowDocument): Promise<Positions> {
  const known = layouts.get(document);
  if (known) return known;
  const layout = worked(document);
  layouts.set(document, layout);
  layout.catch(() => layouts.delete(document));
  return layout;
}

async function worked(document: FlowDocument): Promise<Positions> {
  const worker = new Worker(new URL("layout.worker.ts", import.meta.url), { type: "module" });
  return new Promise<Positions>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<Positions>) => resolve(data));
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
    worker.postMessage(drawingOf(document));
  }).finally(() => worker.terminate());
}
