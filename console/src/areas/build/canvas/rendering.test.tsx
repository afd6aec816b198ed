import { act, screen, waitFor } from "@testing-library/react";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { withNode } from "../../../flow/edit.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { words } from "../../../testing/render.tsx";
import type { Editor } from "../editor/state.tsx";
import { Canvas, NO_POSITIONS } from "./Canvas.tsx";

const drawn = vi.hoisted(() => {
  vi.resetModules(); // test files share their modules, and these are to have the parts below
  return { nodes: [] as string[], edges: 0 };
});

vi.mock("./TypeIcon.tsx", () => ({
  TypeIcon: ({ type }: { type: string }) => {
    drawn.nodes.push(type);
    return null;
  },
  PALETTE: [],
}));
vi.mock("@xyflow/react", async (original) => {
  const library = await original<typeof import("@xyflow/react")>();
  const { ReactFlow, BaseEdge } = library;
  function Edge() {
    drawn.edges++;
    return <BaseEdge path="" />;
  }
  const types = { default: Edge };
  return { ...library, ReactFlow: (props: object) => <ReactFlow {...props} edgeTypes={types} /> };
});

const TYPES = ["question", "message", "handoff", "delay"] as const;
const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  nodes: TYPES.map((type, index) => ({
    id: `n${index}`,
    type,
    position: { x: index * 300, y: 0 },
    data: index + 1 < TYPES.length ? { next_node_id: `n${index + 1}` } : {},
  })),
};

beforeEach(() => words("pt", "build"));
afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test("a key draws its node again, and no other node and no arrow", async () => {
  // jsdom lays nothing out: without a size and without handles that have a place the library draws no arrow
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(250);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(100);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      readonly seen: (entries: { target: Element }[]) => void;
      constructor(seen: (entries: { target: Element }[]) => void) {
        this.seen = seen;
      }
      observe(target: Element) {
        queueMicrotask(() => this.seen([{ target }]));
      }
      unobserve() {}
      disconnect() {}
    },
  );
  vi.stubGlobal(
    "DOMMatrixReadOnly",
    class {
      m22 = 1;
    },
  );
  let editor: Editor | undefined;
  showInEditor(
    FLOW,
    (now) => {
      editor = now;
      return (
        <div style={{ width: 900, height: 600 }}>
          <Canvas laid={NO_POSITIONS} onLaid={() => undefined} />
        </div>
      );
    },
    { found: inspection([]) },
  );
  await waitFor(() => expect(drawn.edges).toBeGreaterThan(0));
  await act(async () => {});
  drawn.nodes = [];
  drawn.edges = 0;
  act(() =>
    editor!.edit((before) =>
      withNode(before, "n1", (one) => ({ ...one, data: { ...one.data, text: "Oi" } })),
    ),
  );
  expect(screen.getByText("Oi")).toBeInTheDocument();
  expect(drawn).toEqual({ nodes: ["message"], edges: 0 });
});
