import dagre from "@dagrejs/dagre";
import type { Drawing, Positions } from "./layout.ts";

const LARGE = 150;

addEventListener("message", ({ data }: MessageEvent<Drawing>) => {
  const graph = new dagre.graphlib.Graph({ multigraph: false });
  // The shortest arrows take half of the time of a large layout; nearly as short ones do there.
  const ranker = data.nodes.length < LARGE ? "network-simplex" : "tight-tree";
  graph.setGraph({ rankdir: "LR", nodesep: 36, ranksep: 90, ranker });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of data.nodes) graph.setNode(id, { width, height });
  for (const { from, to } of data.edges) graph.setEdge(from, to);
  dagre.layout(graph);
  const positions: Positions = new Map(
    data.nodes.map(({ id, width, height }) => {
      const { x, y } = graph.node(id) as { x: number; y: number };
      return [id, { x: Math.round(x - width / 2), y: Math.round(y - height / 2) }];
    }),
  );
  postMessage(positions);
});
