import { expect, test } from "vitest";
import { differences, marksOf } from "./differences.ts";
import type { FlowDocument } from "./document.ts";

const BEFORE: FlowDocument = {
  format: 1,
  id: "f",
  name: "Clinic",
  languages: ["pt_BR"],
  nodes: [
    { id: "a", type: "message", position: { x: 0, y: 0 }, data: { text: "Hi", next_node_id: "b" } },
    { id: "b", type: "question", data: { question: "Q?", buttons: [{ label: "Yes" }, { label: "No" }] } },
    { id: "c", type: "end", data: {} },
  ],
};

test("nodes that are new, changed and gone, each field by itself", () => {
  const [a, b] = BEFORE.nodes;
  const after: FlowDocument = {
    ...BEFORE,
    languages: ["pt_BR", "en"],
    nodes: [
      { ...a!, label: "Hello", data: { ...a!.data, next_node_id: "d" } },
      { ...b!, data: { question: "Q?", buttons: [{ label: "Yes", value: "y" }, { label: "Maybe" }] } },
      { id: "d", type: "end", data: {} },
    ],
  };
  const found = differences(BEFORE, after);
  expect(found.added).toEqual(["d"]);
  expect(found.removed.map(({ id }) => id)).toEqual(["c"]);
  expect(found.changed.get("a")).toEqual([
    { path: ["next_node_id"], before: "b", after: "d" },
    { path: ["label"], before: undefined, after: "Hello" },
  ]);
  expect(found.changed.get("b")).toEqual([
    { path: ["buttons", 0, "value"], before: undefined, after: "y" },
    { path: ["buttons", 1, "label"], before: "No", after: "Maybe" },
  ]);
  expect(found.flow).toEqual([{ path: ["languages", 1], before: undefined, after: "en" }]);
  expect([...marksOf(found)]).toEqual([
    ["d", "added"],
    ["a", "changed"],
    ["b", "changed"],
  ]);
});

test("where a node is drawn, notes on the canvas, and empty fields are no difference", () => {
  const [a, b, c] = BEFORE.nodes;
  const moved = {
    ...a!,
    position: { x: 90, y: 9 },
    label: "",
    data: { ...a!.data, footer: null, buttons: [] },
  };
  const after = {
    ...BEFORE,
    comments: [{ id: "n", text: "x", position: { x: 0, y: 0 } }],
    nodes: [moved, b!, c!],
  };
  const found = differences(BEFORE, after as FlowDocument);
  expect([found.added, found.removed, [...found.changed], found.flow]).toEqual([[], [], [], []]);
});
