import "@xyflow/react/dist/style.css";
import { Skeleton, useComputedColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import {
  Controls,
  Handle,
  Position,
  ReactFlow,
  type Edge,
  type Node,
  type NodeProps,
  type NodeTypes,
} from "@xyflow/react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { exitsOf, type FlowDocument } from "../../flow/document.ts";
import { useWord } from "../../flow/useWord.ts";
import { heightOf, inARow, isUnplaced, laidOut, NODE_WIDTH, type Positions } from "../../flow/layout.ts";
import { count, percent } from "../../i18n/format.ts";
import { loadWords } from "../../i18n/words.ts";
import { Problem } from "../../ui/Problem.tsx";
import { AsOf, Part } from "./parts.tsx";
import { documentQuery, heatmapQuery, type Asked, type Heatmap } from "./queries.ts";
import { stepName } from "./useSteps.ts";

type Heat = Heatmap["nodes"][number];
type Place = Node<{ name: string; heat: Heat | undefined }, "place">;

/** The flow as a drawing: how many conversations came to each node, where they were given up, and where they still are. */
export function FlowMap({ asked }: { asked: Asked }) {
  const { t } = useTranslation("measure");
  const heatmap = useQuery(heatmapQuery(asked));
  const document = useQuery(documentQuery(asked.flow));
  const laid = useQuery({
    queryKey: ["measure-layout", asked.flow, document.dataUpdatedAt],
    queryFn: async () => {
      await loadWords("build"); // of what nodes do
      return placesOf(document.data!);
    },
    enabled: document.data !== undefined,
    staleTime: Infinity,
  });
  return (
    <Part about={t("map.about")} result={heatmap}>
      {(found) => (
        <>
          {document.isError && <Problem error={document.error} again={() => void document.refetch()} />}
          {document.data && laid.data ? (
            <Drawing document={document.data} laid={laid.data} heatmap={found} />
          ) : (
            <Skeleton height={320} />
          )}
          <AsOf time={found.as_of} />
        </>
      )}
    </Part>
  );
}

/** Where people put the nodes; a flow in which some have no place is laid out. */
async function placesOf(document: FlowDocument): Promise<Positions> {
  if (isUnplaced(document)) return laidOut(document).catch(() => inARow(document));
  return new Map(document.nodes.map(({ id, position }) => [id, position!]));
}

interface DrawingProps {
  document: FlowDocument;
  laid: Positions;
  heatmap: Heatmap;
}

function Drawing({ document, laid, heatmap }: DrawingProps) {
  const { t } = useTranslation("measure");
  const scheme = useComputedColorScheme("light");
  const word = useWord();
  const nodes = useMemo(() => {
    const heats = new Map(
      heatmap.nodes.filter((one) => one.flow_id === document.id).map((one) => [one.node_id, one]),
    );
    return document.nodes.map((node): Place => {
      const [name, heat] = [stepName(node, word), heats.get(node.id)];
      return {
        id: node.id,
        type: "place",
        position: laid.get(node.id) ?? { x: 0, y: 0 },
        width: NODE_WIDTH,
        height: heightOf(node),
        data: { name, heat },
      };
    });
  }, [document, laid, heatmap, word]);
  return (
    <section className="measure-map" aria-label={t("tab.map")}>
      <ReactFlow
        nodes={nodes}
        edges={edgesOf(document)}
        nodeTypes={TYPES}
        colorMode={scheme}
        fitView
        fitViewOptions={{ nodes: beginningOf(nodes, document.start_node_id), maxZoom: 1 }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        ariaLabelConfig={{
          "controls.zoomIn.ariaLabel": t("map.zoomIn"),
          "controls.zoomOut.ariaLabel": t("map.zoomOut"),
          "controls.fitView.ariaLabel": t("map.fit"),
        }}
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </section>
  );
}

const NEAR = 1_200; // pixels

/** The nodes near the start: the texts of a large flow could not be read if all of it were shown. */
function beginningOf(nodes: readonly Place[], start: string | null | undefined): Place[] {
  const from = (nodes.find(({ id }) => id === start) ?? nodes[0])?.position ?? { x: 0, y: 0 };
  return nodes.filter(({ position: { x, y } }) => Math.abs(x - from.x) < NEAR && Math.abs(y - from.y) < NEAR);
}

/** One arrow between two nodes, however many exits lead there. */
function edgesOf({ nodes }: FlowDocument): Edge[] {
  const ids = new Set(nodes.map(({ id }) => id));
  const found = new Map<string, Edge>();
  for (const { id: source, ...node } of nodes)
    for (const { target } of exitsOf({ id: source, ...node })) {
      const id = `${source}|${target}`;
      if (target && ids.has(target)) found.set(id, { id, source, target });
    }
  return [...found.values()];
}

function PlaceNode({ data: { name, heat } }: NodeProps<Place>) {
  const { t } = useTranslation("measure");
  return (
    <div className="measure-place" data-lost={!!heat?.drop_off}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="measure-place-heat" aria-hidden="true" style={{ opacity: heat?.share ?? 0 }} />
      <strong className="measure-place-name">{name}</strong>
      {heat ? (
        <>
          <span>
            {t("map.visits", { count: heat.visits, visits: count(heat.visits), share: percent(heat.share) })}
          </span>
          <span>
            {t("map.left", { count: heat.drop_off, share: percent(heat.drop_off_rate) })}
            {heat.still_here > 0 && ` · ${t("map.here", { count: heat.still_here })}`}
          </span>
        </>
      ) : (
        <span className="quiet">{t("map.never")}</span>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

const TYPES: NodeTypes = { place: PlaceNode };
