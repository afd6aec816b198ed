import { expect, test } from "vitest";
import { aligned } from "./align.ts";

const BOXES = [
  { id: "a", x: 0, y: 0, width: 100, height: 40 },
  { id: "b", x: 130, y: 90, width: 100, height: 80 },
  { id: "c", x: 400, y: 30, width: 200, height: 40 },
];

function all(how: Parameters<typeof aligned>[1], axis: "x" | "y"): number[] {
  const positions = aligned(BOXES, how);
  return BOXES.map(({ id }) => positions.get(id)![axis]);
}

test("edges and middles come onto one line, and the other direction stays", () => {
  expect([all("left", "x"), all("left", "y")]).toEqual([
    [0, 0, 0],
    [0, 90, 30],
  ]);
  expect([all("top", "y"), all("top", "x")]).toEqual([
    [0, 0, 0],
    [0, 130, 400],
  ]);
  expect(all("center", "x")).toEqual([250, 250, 200]);
  expect(all("middle", "y")).toEqual([65, 45, 65]);
});

test("gaps become equal between the first and the last", () => {
  expect(all("across", "x")).toEqual([0, 200, 400]);
  expect(all("down", "y")).toEqual([0, 90, 45]);
});
