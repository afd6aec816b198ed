// What `make bench` compares the console's canvas with: the library alone, with as many of its own nodes and arrows.
import "@xyflow/react/dist/style.css";
import { applyNodeChanges, ReactFlow, type Edge, type Node, type NodeChange } from "@xyflow/react";
import { useCallback, useState } from "react";
import { createRoot } from "react-dom/client";

const COUNT = 500;
const GAP = 340;
const nodes = Array.from({ length: COUNT }, (_, index): Node => {
  return { id: `n${index}`, position: { x: index * GAP, y: 200 }, data: { label: `Question ${index}?` } };
});
const edges = nodes.slice(1).map(({ id }, index): Edge => ({ id, source: `n${index}`, target: id }));

function Bare() {
  const [drawn, setDrawn] = useState(nodes);
  const change = useCallback(
    (changes: NodeChange[]) => setDrawn((before) => applyNodeChanges(changes, before)),
    [],
  );
  const write = (label: string) => setDrawn(([first, ...rest]) => [{ ...first!, data: { label } }, ...rest]);
  return (
    <>
      <textarea aria-label="Label" onChange={(event) => write(event.currentTarget.value)} />
      <div style={{ width: "100vw", height: "80vh" }}>
        <ReactFlow nodes={drawn} edges={edges} onNodesChange={change} minZoom={0.05} />
      </div>
    </>
  );
}

createRoot(document.getElementById("root")!).render(<Bare />);
