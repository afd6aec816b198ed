import { expect, test } from "vitest";
import { differences, marksOf } from "./differences.ts";
import type { Data, FlowDocument } from "./document.ts";

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
    {
      path: ["buttons", { at: 0, of: { label: "Yes", value: "y" } }, "value"],
      before: undefined,
      after: "y",
    },
    { path: ["buttons", { at: 1, of: { label: "Maybe" } }, "label"], before: "No", after: "Maybe" },
  ]);
  expect(found.flow).toEqual([{ path: ["languages"], before: ["pt_BR"], after: ["pt_BR", "en"] }]);
  expect([...marksOf(found)]).toEqual([
    ["d", "added"],
    ["a", "changed"],
    ["b", "changed"],
  ]);
});

test("an entry of a list is compared with itself, wherever it is now", () => {
  const list = (buttons: Data[]): FlowDocument => ({
    ...BEFORE,
    nodes: [{ id: "b", type: "question", data: { buttons } }],
  });
  const changes = (before: Data[], after: Data[]) =>
    differences(list(before), list(after))
      .changed.get("b")
      ?.map(({ path, before: was, after: is }) => [
        path.map((step) => (typeof step === "object" ? step.at : step)).join("."),
        was,
        is,
      ]);
  const [yes, no, help] = [{ label: "Yes" }, { label: "No", next_node_id: "a" }, { label: "Help" }];
  expect(changes([yes, no], [help, yes, no])).toEqual([["buttons.0.label", undefined, "Help"]]);
  expect(changes([yes, no, help], [no, help])).toEqual([["buttons.0.label", "Yes", undefined]]);
  expect(changes([yes, no], [{ ...no, next_node_id: "b" }, yes])).toEqual([
    ["buttons", [yes, no], [{ ...no, next_node_id: "b" }, yes]],
    ["buttons.0.next_node_id", "a", "b"],
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
