import { describe, expect, test } from "vitest";
import { branchText, exitsOf, gist, parts, valueAt, withValue, type FlowDocument } from "./document.ts";
import { copied, pasted } from "./copies.ts";
import { added, commanded, connected, identifier, newFlow, removed, renamed } from "./edit.ts";
import { begun, changed, redone, undone, placeOf } from "./history.ts";

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  start_node_id: "start",
  nodes: [
    { id: "start", type: "start", data: { next_node_id: "ask" } },
    {
      id: "ask",
      type: "question",
      data: {
        variable: "day",
        buttons: [{ label: "Today", next_node_id: "end" }, { label: "Later" }],
        timeout_seconds: 60,
        next_node_id: "end",
      },
    },
    {
      id: "choose",
      type: "condition",
      data: { branches: [{ all: [{ variable: "age", operator: ">", value: 17 }] }] },
    },
    { id: "end", type: "end", data: {} },
  ],
};

function targets(document: FlowDocument, id: string): Record<string, string | undefined> {
  const node = document.nodes.find((one) => one.id === id)!;
  return Object.fromEntries(exitsOf(node).map(({ field, target }) => [field, target]));
}

describe("a path of a field", () => {
  test("has names and indexes", () =>
    expect(parts("buttons[12].next_node_id")).toEqual(["buttons", 12, "next_node_id"]));

  test("reads and writes without changing the original", () => {
    const data = { buttons: [{ label: "A" }] };
    const other = withValue(data, "buttons[0].label", "B");
    expect(valueAt(other, "buttons[0].label")).toBe("B");
    expect(data.buttons[0]!.label).toBe("A");
    expect(withValue(other, "media.type", "image")).toEqual({
      buttons: [{ label: "B" }],
      media: { type: "image" },
    });
    expect(withValue({ text: "x" }, "text", "")).toEqual({});
    expect(valueAt(data, "missing.field[3]")).toBeUndefined();
  });
});

describe("the line about a node", () => {
  const word = (kind: string, id: string) => `${kind} ${id}`;
  const line = (type: FlowDocument["nodes"][number]["type"], data: Record<string, unknown>) =>
    gist({ id: "n", type, data }, word);

  test("tells the hours, the department and the paths", () => {
    const week = { days: ["fri", "mon", "tue", "wed", "thu"], opens: "08:00", closes: "18:00" };
    const sunday = { days: ["sun", "sat", "mon"], opens: "10:00", closes: "12:00" };
    expect(line("schedule", { hours: [week, sunday] })).toBe(
      "day mon – day fri 08:00–18:00; day mon, day sat, day sun 10:00–12:00",
    );
    expect(line("schedule", { hours: "shop" })).toBe("shop");
    expect(line("handoff", { department: "sales" })).toBe("sales");
    expect(line("random", { paths: [{ id: "a" }, { id: "b" }] })).toBe("a | b");
  });

  test("has the person's words for operators, actions and files, and keeps signs", () => {
    expect(line("condition", { variable: "age", operator: ">", value: 17 })).toBe("age > 17");
    expect(line("condition", { variable: "age", operator: "is_empty" })).toBe("age operator is_empty");
    expect(line("condition", FLOW.nodes[2]!.data)).toBe("age > 17");
    expect(branchText({ any: [{ variable: "age", operator: "in", value: "a" }] }, word)).toBe(
      "age operator in a",
    );
    expect(line("action", { actions: [{ type: "add_tag" }] })).toBe("action add_tag");
    expect(line("message", { media: { type: "image" } })).toBe("media image");
  });
});

describe("the exits of a node", () => {
  test("are its buttons and what its data makes possible", () => {
    expect(targets(FLOW, "ask")).toEqual({
      "buttons[0].next_node_id": "end",
      "buttons[1].next_node_id": undefined,
      next_node_id: "end",
      timeout_next_node_id: undefined,
    });
  });

  test("of a condition are its branches and the rest", () => {
    const [branch, rest] = exitsOf(FLOW.nodes[2]!);
    expect([branchText(branch!.branch!, String), rest!.kind]).toEqual(["age > 17", "default"]);
    const simple = exitsOf({ id: "c", type: "condition", data: { variable: "x", operator: "==" } });
    expect(simple.map(({ kind }) => kind)).toEqual(["true", "false"]);
  });

  test("an end has none", () => expect(exitsOf(FLOW.nodes[3]!)).toEqual([]));
});

describe("editing", () => {
  test("a new node has an id of its own", () => {
    const [once, first] = added(FLOW, "message", { x: 1.4, y: 2.6 });
    const [, second] = added(once, "message", { x: 0, y: 0 });
    expect([first, second]).toEqual(["message", "message_2"]);
    expect(once.nodes.at(-1)!.position).toEqual({ x: 1, y: 3 });
  });

  test("an exit can be connected and cut", () => {
    const led = connected(FLOW, "ask", "buttons[1].next_node_id", "choose");
    expect(targets(led, "ask")["buttons[1].next_node_id"]).toBe("choose");
    expect(
      targets(connected(led, "ask", "buttons[1].next_node_id", undefined), "ask")["buttons[1].next_node_id"],
    ).toBeUndefined();
  });

  test("nothing leads to a removed node", () => {
    const rest = removed(FLOW, new Set(["end", "start"]));
    expect(rest.nodes.map(({ id }) => id)).toEqual(["ask", "choose"]);
    expect(Object.values(targets(rest, "ask")).every((target) => target === undefined)).toBe(true);
    expect(rest.start_node_id).toBeUndefined();
  });

  test("copies lead to one another, and to what they led to if it is there", () => {
    const [both, ids] = pasted(FLOW, copied(FLOW, ["start", "ask"]));
    expect(ids).toEqual(["start_2", "ask_2"]);
    expect(targets(both, "start_2")["next_node_id"]).toBe("ask_2");
    expect(targets(both, "ask_2")["next_node_id"]).toBe("end");
    const other = { ...newFlow("other", "Other", "en"), nodes: [] };
    const [elsewhere] = pasted(other, copied(FLOW, ["ask"]));
    expect(targets(elsewhere, "ask")["next_node_id"]).toBeUndefined();
  });

  test("comments are copied with what is selected", () => {
    const comment = { id: "comment_1", text: "Later", position: { x: 5, y: 5 } };
    const [both, ids] = pasted(
      { ...FLOW, comments: [comment] },
      copied({ ...FLOW, comments: [comment] }, ["end", "comment:comment_1"]),
    );
    expect(ids).toEqual(["end_2", "comment:comment"]);
    expect(both.comments).toEqual([comment, { id: "comment", text: "Later", position: { x: 45, y: 45 } }]);
  });

  test("another id keeps what leads to the node", () => {
    const other = renamed(FLOW, "end", "finish");
    expect(targets(other, "ask")["next_node_id"]).toBe("finish");
    expect(renamed(FLOW, "start", "begin").start_node_id).toBe("begin");
  });

  test("an identifier comes from a name", () =>
    expect(identifier("Clínica São João!")).toBe("clinica_sao_joao"));
});

describe("undo and redo", () => {
  const second = { ...FLOW, name: "B" };
  const third = { ...FLOW, name: "C" };

  test("go back and forth", () => {
    const history = changed(changed(begun(FLOW), second), third);
    const back = undone(undone(history));
    expect(back.document).toBe(FLOW);
    expect(undone(back).document).toBe(FLOW);
    expect(redone(redone(back)).document).toBe(third);
  });

  test("take letters of one field as one step, and a new change ends what was undone", () => {
    const typed = changed(changed(begun(FLOW), second, "ask.text"), third, "ask.text");
    expect(undone(typed).document).toBe(FLOW);
    expect(redone(changed(undone(typed), second)).document).toBe(second);
  });
});

test("words lead to a node, follow its name, and go with it", () => {
  const menu = commanded(FLOW, "ask", { words: ["menu"], returns: false });
  expect(menu.commands).toEqual([{ words: ["menu"], next_node_id: "ask" }]);
  const help = commanded(menu, "ask", { words: ["menu", "help"], returns: true });
  expect(help.commands).toEqual([{ words: ["menu", "help"], next_node_id: "ask", returns: true }]);
  expect(renamed(help, "ask", "question").commands?.[0]?.next_node_id).toBe("question");
  expect(removed(help, new Set(["ask"]))).not.toHaveProperty("commands");
  expect(removed(help, new Set(["end"])).commands).toEqual(help.commands);
  expect(commanded(help, "ask", { words: [] })).not.toHaveProperty("commands");
  expect(renamed(FLOW, "ask", "question")).not.toHaveProperty("commands");
});

test.each([
  ["a text", { a: "x" }, { a: "xy" }, ".a"],
  ["a text that begins", {}, { a: "x" }, ".a"],
  ["a text in a list", [{ a: "x" }, 1], [{ a: "y" }, 1], ".0.a"],
  ["a text among copies", { a: { b: [1] }, c: "x" }, { a: { b: [1] }, c: "y" }, ".c"],
  ["a new name", { a: 1, b: 2 }, { c: 1, b: 2 }, "."],
  ["another type", { a: "1" }, { a: 1 }, undefined],
  ["an entry more", [1], [1, 2], undefined],
  ["a part more", {}, { a: {} }, undefined],
  ["two entries that change places", [1, 2], [2, 1], undefined],
])("the place of %s", (_, before, after, place) => expect(placeOf(before, after)).toBe(place));
