import { expect, test } from "vitest";
import { isEqual, patched } from "./patch.ts";

const FLOW = {
  id: "f",
  nodes: [
    { id: "a", data: { text: "x", "x/y": 1 } },
    { id: "b", data: {} },
  ],
};

test("a patch changes only what it names, and keeps every other object", () => {
  const after = patched(FLOW, [
    { op: "test", path: "/nodes/0/id", value: "a" },
    { op: "replace", path: "/nodes/0/data/text", value: "y" },
    { op: "add", path: "/nodes/0/data/footer", value: "z" },
    { op: "remove", path: "/nodes/0/data/x~1y" },
  ])!;
  expect(after.nodes[0]).toEqual({ id: "a", data: { text: "y", footer: "z" } });
  expect(after.nodes[1]).toBe(FLOW.nodes[1]);
  expect(FLOW.nodes[0]!.data.text).toBe("x");
});

test("items of lists are added before, replaced and removed", () => {
  expect(patched([1, 2], [{ op: "add", path: "/1", value: 9 }])).toEqual([1, 9, 2]);
  expect(patched([1, 2], [{ op: "replace", path: "/1", value: 9 }])).toEqual([1, 9]);
  expect(patched([1, 2], [{ op: "remove", path: "/0" }])).toEqual([2]);
});

test.each([
  { op: "test", path: "/nodes/1/id", value: "a" },
  { op: "replace", path: "/nodes/2/id", value: "a" },
  { op: "remove", path: "/name" },
  { op: "replace", path: "/id/deep", value: 1 },
] as const)("a patch that does not fit is refused as a whole: %o", (operation) => {
  const first = { op: "replace", path: "/id", value: "changed" } as const;
  expect(patched(FLOW, [first, operation])).toBeUndefined();
});

test("values are equal whatever the order of their fields", () => {
  expect(isEqual({ a: [1, { b: null }], c: "x" }, { c: "x", a: [1, { b: null }] })).toBe(true);
  expect(isEqual({ a: 1 }, { b: 1 })).toBe(false);
  expect(isEqual([1], { 0: 1 })).toBe(false);
  expect(isEqual([1, 2], [2, 1])).toBe(false);
});
