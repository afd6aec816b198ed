import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { expectAccessible, words } from "../../../testing/render.tsx";
import { AlignBar } from "./AlignBar.tsx";
import { drawnOf, shapeOf } from "./graph.ts";

const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  comments: [{ id: "c", text: "Ask Rita", position: { x: 5, y: 6 } }],
  nodes: [
    { id: "a", type: "message", position: { x: 0, y: 10 }, data: {} },
    { id: "b", type: "message", position: { x: 300, y: 90 }, data: {} },
    { id: "d", type: "end", position: { x: 900, y: 0 }, data: {} },
  ],
};

beforeEach(() => words("pt", "build"));

test("selected nodes are aligned by buttons in one step", async () => {
  const { document, undo, container } = showInEditor(FLOW, () => <AlignBar />, { selected: ["a", "b"] });
  expect(screen.queryByRole("button", { name: "Distribuir na horizontal" })).toBeNull();
  await expectAccessible(container);
  screen.getByRole("button", { name: "Alinhar no alto" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(document().nodes.map(({ position }) => position!.y)).toEqual([10, 10, 0]);
  undo();
  expect(document()).toBe(FLOW);
});

test("three can be spread, and one cannot be aligned", async () => {
  const { document } = showInEditor(FLOW, () => <AlignBar />, { selected: ["a", "b", "d"] });
  await userEvent.click(screen.getByRole("button", { name: "Distribuir na horizontal" }));
  expect(document().nodes.map(({ position }) => position!.x)).toEqual([0, 450, 900]);
  showInEditor(FLOW, () => <AlignBar />, { selected: ["a"] });
  expect(screen.getAllByRole("toolbar")).toHaveLength(1);
});

test("comments are drawn beside the nodes, and what did not change stays the same object", () => {
  const shown = {
    document: FLOW,
    laid: new Map(),
    findings: new Map(),
    selected: ["comment:c"],
    lit: new Set<string>(),
    marks: new Map([["b", "changed" as const]]),
  };
  const drawn = drawnOf(shown, []);
  expect(drawn.at(-1)).toMatchObject({
    id: "comment:c",
    type: "comment",
    selected: true,
    position: { x: 5, y: 6 },
  });
  expect(drawn[1]!.data).toMatchObject({ mark: "changed" });
  expect(drawnOf(shown, drawn)).toEqual(drawn);
  const again = drawnOf({ ...shown, marks: new Map() }, drawn);
  expect(again.map((one, index) => one === drawn[index])).toEqual([true, false, true, true]);
});

test("a node without a place is not drawn until the layout gives it one", () => {
  const document: FlowDocument = { ...FLOW, nodes: [FLOW.nodes[0]!, { id: "e", type: "end", data: {} }] };
  const shown = {
    document,
    findings: new Map(),
    selected: [],
    lit: new Set<string>(),
    marks: new Map(),
  };
  const first = drawnOf({ ...shown, laid: new Map() }, []);
  expect(first.map(({ id }) => id)).toEqual(["a", "comment:c"]);
  const laid = drawnOf({ ...shown, laid: new Map([["e", { x: 7, y: 8 }]]) }, first);
  expect(laid[0]).toBe(first[0]);
  expect(laid[1]).toMatchObject({ id: "e", position: { x: 7, y: 8 } });
});

test("a node that gets another exit has its handle and its height at once", () => {
  const node = { ...FLOW.nodes[0]!, data: { text: "Oi" } };
  const exits = (count: number) => ({
    ...node,
    data: { text: "Oi", buttons: Array.from({ length: count }, (_, index) => ({ label: `${index}` })) },
  });
  const [one, two] = [shapeOf(exits(1)), shapeOf(exits(2))];
  expect(two.measured.height - one.measured.height).toBe(28);
  expect(two.handles.map(({ id }) => id)).toContain("buttons[1].next_node_id");
  const shown = { document: { ...FLOW, nodes: [exits(1)] }, laid: new Map(), findings: new Map() };
  const more = { selected: [], lit: new Set<string>(), marks: new Map() };
  const before = drawnOf({ ...shown, ...more }, []);
  const after = drawnOf({ ...shown, ...more, document: { ...FLOW, nodes: [exits(2)] } }, before);
  expect(after[0]).toMatchObject(two);
});
