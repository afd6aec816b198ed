import "@xyflow/react/dist/style.css";
import "./canvas.css";
import { useComputedColorScheme } from "@mantine/core";
import {
  applyNodeChanges,
  Background,
  Controls,
  MiniMap,
  ReactFlow,
  useReactFlow,
  type Connection,
  type Edge,
  type EdgeChange,
  type FinalConnectionState,
  type NodeChange,
  type ReactFlowInstance,
} from "@xyflow/react";
import {
  memo,
  startTransition,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type DragEvent,
} from "react";
import { useTranslation } from "react-i18next";
import type { FlowDocument, NodeType } from "../../../flow/document.ts";
import { withComment } from "../../../flow/comments.ts";
import { added, connected, placed, removed, rounded } from "../../../flow/edit.ts";
import { inARow, laidOut, type Positions } from "../../../flow/layout.ts";
import { atRest, loadNext } from "../editor/panels.tsx";
import { useActions, useEditor } from "../editor/state.tsx";
import { AddMenu } from "./AddMenu.tsx";
import { AlignBar } from "./AlignBar.tsx";
import { CommentNode, type Comment } from "./CommentNode.tsx";
import { drawnOf, edgesOf, positionOf } from "./graph.ts";
import { StepNode, type Step } from "./StepNode.tsx";

const NODE_TYPES = { step: StepNode, comment: CommentNode };
type Drawn = Step | Comment;
export const DRAGGED = "application/pytake-node";
const NO_POSITIONS: Positions = new Map();
const MINIMAP_FROM = 8;
/**
 * From so many nodes on only those in view are drawn, and no dots: each frame of a pan does something for every node and
 * arrow that is drawn. In smaller flows the Tab key reaches every node.
 */
const LARGE = 150;
const NEAR = 1100; // what fits beside the start at a size that can be read: four nodes in a row

// What is the same object in every drawing, so that no arrow and no node is drawn again for it.
const DELETING = ["Delete", "Backspace"];
const ADDING = ["Shift", "Meta", "Control"];
const SNAP: [number, number] = [10, 10];
const BARE = { hideAttribution: true };

interface Adding {
  x: number;
  y: number;
  from?: { id: string; field: string };
}

/** Return the document in which these arrows lead nowhere. */
const withoutArrows = (document: FlowDocument, arrows: readonly Edge[]): FlowDocument =>
  arrows.reduce(
    (rest, { source, sourceHandle }) => connected(rest, source, sourceHandle ?? "next_node_id", undefined),
    document,
  );

/** Show all of a small flow, and the beginning of a large one, so that its texts can be read. */
function showBeginning(
  flow: Pick<ReactFlowInstance<Drawn>, "fitView">,
  { nodes, start_node_id }: FlowDocument,
  laid: Positions,
): void {
  const places = nodes.map((node) => ({ id: node.id, ...positionOf(node, laid) }));
  const start = places.find(({ id }) => id === start_node_id) ?? places[0];
  const near = start
    ? places.filter(({ x, y }) => Math.abs(x - start.x) < NEAR && Math.abs(y - start.y) < NEAR)
    : places;
  void flow.fitView({ nodes: near, maxZoom: 1, padding: 0.1 });
}

/** The flow as a drawing: nodes are dragged, exits are connected, and everything can be selected and deleted. */
export const Canvas = memo(function Canvas({
  laid,
  onLaid,
}: {
  laid: Positions;
  onLaid: (positions: Positions) => void;
}) {
  const { t } = useTranslation("build");
  const { document, selected, findings, lit, marks } = useEditor();
  const { edit, select, latest } = useActions();
  const scheme = useComputedColorScheme("light");
  const flow = useReactFlow<Drawn>();
  const [steps, setSteps] = useState<Drawn[]>(() =>
    drawnOf({ document, laid, findings, selected, lit, marks }, []),
  );
  const [chosenEdges, setChosenEdges] = useState<ReadonlySet<string>>(new Set());
  const [edges, setEdges] = useState<Edge[]>(() => edgesOf(document, lit, chosenEdges, []));
  const [adding, setAdding] = useState<Adding>();

  useEffect(() => {
    // oxlint-disable-next-line react/set-state-in-effect -- the library keeps sizes and drags in these objects, too
    setSteps((before) => drawnOf({ document, laid, findings, selected, lit, marks }, before));
  }, [document, laid, findings, selected, lit, marks]);
  useEffect(() => {
    // oxlint-disable-next-line react/set-state-in-effect -- as above: an arrow that is as before stays the same object
    setEdges((before) => edgesOf(document, lit, chosenEdges, before));
  }, [document, lit, chosenEdges]);

  const labels = useMemo(
    () => ({
      "controls.zoomIn.ariaLabel": t("canvas.zoomIn"),
      "controls.zoomOut.ariaLabel": t("canvas.zoomOut"),
      "controls.fitView.ariaLabel": t("canvas.fit"),
      "minimap.ariaLabel": t("canvas.minimap"),
      "node.a11yDescription.default": t("canvas.nodeKeys"),
      "edge.a11yDescription.default": t("canvas.edgeKeys"),
    }),
    [t],
  );

  const large = document.nodes.length >= LARGE;
  const unplaced = document.nodes.some((node) => !node.position && !laid.has(node.id));
  useEffect(() => {
    if (!unplaced) return undefined;
    let wanted = true;
    const layout = laidOut(document).catch(() => inARow(document)); // what has no place is not drawn
    void layout.then((positions) => {
      if (!wanted) return;
      onLaid(positions);
      setTimeout(() => showBeginning(flow, document, positions));
    });
    return () => void (wanted = false);
  }, [unplaced, document, onLaid, flow]);

  const [rested, setRested] = useState(false);
  useEffect(
    () =>
      unplaced
        ? undefined
        : atRest(() => {
            loadNext();
            startTransition(() => setRested(true));
          }),
    [unplaced],
  );
  const minimap = rested && document.nodes.length >= MINIMAP_FROM; // it draws every node, so it waits

  const onNodesChange = useCallback(
    (changes: NodeChange<Drawn>[]) => {
      setSteps((before) => applyNodeChanges(changes, before));
      const chosen = changes.filter((change) => change.type === "select");
      if (chosen.length)
        // Of what is selected by then: the library may report one click in two calls before the next render.
        select((before) => {
          const ids = new Set(before);
          for (const change of chosen) {
            if (change.selected) ids.add(change.id);
            else ids.delete(change.id);
          }
          return [...ids];
        });
      const moved = changes.filter(
        (change) => change.type === "position" && change.dragging === false && change.position,
      );
      if (moved.length) {
        edit((before) => {
          const positions: Positions = new Map(before.nodes.map((node) => [node.id, positionOf(node, laid)]));
          for (const change of moved)
            if (change.type === "position") positions.set(change.id, change.position!);
          const shifted = moved.reduce((rest, change) => {
            const position = rounded(change.type === "position" ? change.position! : { x: 0, y: 0 });
            return withComment(rest, change.type === "add" ? change.item.id : change.id, (one) => ({
              ...one,
              position,
            }));
          }, before);
          return placed(shifted, positions);
        });
      }
    },
    [edit, laid, select],
  );

  const onEdgesChange = useCallback((changes: EdgeChange[]) => {
    setChosenEdges((before) => {
      const ids = new Set(before);
      for (const change of changes) {
        if (change.type === "select" && change.selected) ids.add(change.id);
        else if (change.type === "select" || change.type === "remove") ids.delete(change.id);
      }
      return ids;
    });
  }, []);

  const connect = useCallback(
    ({ source, sourceHandle, target }: Connection) =>
      edit((before) => connected(before, source, sourceHandle ?? "next_node_id", target)),
    [edit],
  );

  const reconnect = useCallback(
    (old: Edge, { source, sourceHandle, target }: Connection) =>
      edit((before) =>
        connected(withoutArrows(before, [old]), source, sourceHandle ?? "next_node_id", target),
      ),
    [edit],
  );

  // One edit for the nodes and their arrows: one step brings them back.
  const remove = useCallback(
    ({ nodes, edges: arrows }: { nodes: Drawn[]; edges: Edge[] }) => {
      edit((before) => {
        const ids = new Set(nodes.map(({ id }) => id));
        const rest = removed(withoutArrows(before, arrows), ids);
        return nodes.reduce((after, { id }) => withComment(after, id, () => undefined), rest);
      });
      if (nodes.length) select([]);
    },
    [edit, select],
  );

  const add = useCallback(
    (type: NodeType, at: Adding) => {
      const position = flow.screenToFlowPosition({ x: at.x, y: at.y });
      const [after, id] = added(latest().document, type, position);
      edit(() => (at.from ? connected(after, at.from.id, at.from.field, id) : after));
      select([id]);
      setAdding(undefined);
    },
    [edit, flow, latest, select],
  );

  const onConnectEnd = useCallback((event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    if (state.isValid || !state.fromNode || state.fromHandle?.type !== "source") return;
    const at = "changedTouches" in event ? event.changedTouches[0]! : event;
    setAdding({
      x: at.clientX,
      y: at.clientY,
      from: { id: state.fromNode.id, field: state.fromHandle.id ?? "next_node_id" },
    });
  }, []);

  const onDrop = (event: DragEvent) => {
    const type = event.dataTransfer.getData(DRAGGED) as NodeType | "";
    if (!type) return;
    event.preventDefault();
    add(type, { x: event.clientX, y: event.clientY });
  };

  // The library is ready before or after the nodes are laid out: both times what is shown is the beginning as it is laid out by
  // then. A fit to nodes without places would take all for near ones.
  const placedNodes = useRef(unplaced ? undefined : { document, laid });
  useEffect(
    () => void (placedNodes.current = unplaced ? undefined : { document, laid }),
    [unplaced, document, laid],
  );
  const begin = useCallback((ready: ReactFlowInstance<Drawn>) => {
    const placedNow = placedNodes.current;
    if (placedNow) showBeginning(ready, placedNow.document, placedNow.laid);
  }, []);
  // The same element for as long as it shows the same: a key draws the library's parts once, when its node has changed.
  const drawing = useMemo(
    () => (
      <ReactFlow<Drawn>
        nodes={steps}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={scheme}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onConnect={connect}
        onReconnect={reconnect}
        onConnectEnd={onConnectEnd}
        onDelete={remove}
        deleteKeyCode={DELETING}
        multiSelectionKeyCode={ADDING}
        selectionKeyCode="Shift"
        onInit={begin}
        minZoom={0.05}
        maxZoom={1.75}
        snapToGrid
        snapGrid={SNAP}
        onlyRenderVisibleElements={large}
        proOptions={BARE}
        ariaLabelConfig={labels}
      >
        <Overlays dots={!large} minimap={minimap} />
      </ReactFlow>
    ),
    [
      steps,
      edges,
      scheme,
      onNodesChange,
      onEdgesChange,
      connect,
      reconnect,
      onConnectEnd,
      remove,
      begin,
      large,
      labels,
      minimap,
    ],
  );
  return (
    <div className="build-canvas" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      {drawing}
      {adding && (
        <AddMenu at={adding} onChoose={(type) => add(type, adding)} onClose={() => setAdding(undefined)} />
      )}
    </div>
  );
});

const Overlays = memo(function Overlays({ dots, minimap }: { dots: boolean; minimap: boolean }) {
  return (
    <>
      <AlignBar />
      {dots && <Background gap={20} />}
      <Controls showInteractive={false} position="bottom-left" />
      {minimap && <MiniMap pannable zoomable position="bottom-right" />}
    </>
  );
});

export { NO_POSITIONS };
