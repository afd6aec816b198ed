import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { NodeForm } from "./NodeForm.tsx";
import { completed, FILTER_OFFERS, matching, placeAt } from "./completion.ts";

test.each([
  ["Hi {{na", { kind: "value", from: 5, word: "na" }],
  ["Hi {{", { kind: "value", from: 5, word: "" }],
  ["{{a}} and {{b", { kind: "value", from: 12, word: "b" }],
  ["{{price * qu", { kind: "value", from: 10, word: "qu" }],
  ["{{name | up", { kind: "filter", from: 9, word: "up" }],
  ['{{name | default("x") | ', { kind: "filter", from: 24, word: "" }],
  ["{{now | add_time(de", { kind: "value", from: 17, word: "de" }],
  ["{{name ", undefined],
  ['{{name | default("a', undefined],
  ["{{name}} and", undefined],
  ["no braces", undefined],
])("in %s the caret is at %o", (text, place) => {
  expect(placeAt(text, text.length)).toEqual(place);
});

test("an offer replaces the word at the caret and closes the braces once", () => {
  const name = { name: "nome", insert: "nome", kinds: [], example: "" };
  const put = (text: string, caret: number) => completed(text, caret, placeAt(text, caret)!, name);
  expect(put("Hi {{n, bye", 6)).toEqual({ text: "Hi {{nome}}, bye", caret: 11 });
  expect(put("Hi {{n}}, bye", 6)).toEqual({ text: "Hi {{nome}}, bye", caret: 9 });
  expect(put("Hi {{nxx}} {{b}}", 6)).toEqual({ text: "Hi {{nome}} {{b}}", caret: 9 });
  expect(put("Hi {{n and {{b}}", 6)).toEqual({ text: "Hi {{nome}} and {{b}}", caret: 11 });
});

test("every filter has a kind and an example, and names that begin with the word come first", () => {
  expect(FILTER_OFFERS.length).toBeGreaterThan(30);
  expect(FILTER_OFFERS.filter(({ example, insert }) => !example.includes(" → ") || !insert)).toEqual([]);
  expect(matching(FILTER_OFFERS, "da").map(({ name }) => name)).toEqual(["date", "days_until"]);
  expect(matching(FILTER_OFFERS, "name").map(({ name }) => name)).toEqual(["first_name"]);
});

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  nodes: [
    { id: "m", type: "message", data: { text: "Oi " } },
    { id: "c", type: "condition", data: { variable: "nome", operator: "==", value: "x" } },
  ],
};
const FOUND = inspection(
  [],
  [
    { name: "nome", kinds: ["text", "missing"] },
    { name: "plano", values: ["basico", "ouro"] },
  ],
);

beforeEach(async () => {
  await words("pt", "build", "findings", "files");
  signInAs("builder");
});

test("values and filters are chosen with the keyboard while a message is written", async () => {
  const { document, container } = showInEditor(
    FLOW,
    ({ document: shown }) => <NodeForm node={shown.nodes[0]!} />,
    {
      found: FOUND,
    },
  );
  const text = screen.getByRole("textbox", { name: "Texto" });
  await userEvent.click(text);
  await userEvent.keyboard("{{{{");
  const options = screen.getAllByRole("option");
  expect(options[0]).toHaveTextContent("nome");
  expect(options[0]).toHaveTextContent("texto, pode ficar vazio");
  expect(options[1]).toHaveTextContent("basico, ouro");
  expect(text).toHaveAttribute("aria-activedescendant", options[0]!.id);
  await expectAccessible(container);
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(document().nodes[0]!.data["text"]).toBe("Oi {{plano}}");
  expect(screen.queryByRole("listbox")).toBeNull();
});

test("Escape closes the list, and a press on an offer takes it", async () => {
  const { document } = showInEditor(FLOW, ({ document: shown }) => <NodeForm node={shown.nodes[0]!} />, {
    found: FOUND,
  });
  await userEvent.click(screen.getByRole("textbox", { name: "Texto" }));
  await userEvent.keyboard("{{{{nome | up");
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("listbox")).toBeNull();
  await userEvent.keyboard("p");
  const offer = screen.getByRole("option", { name: /upper/ });
  expect(offer).toHaveTextContent('"maria" → MARIA');
  await userEvent.click(offer);
  expect(document().nodes[0]!.data["text"]).toBe("Oi {{nome | upper}}");
});

test("the value of a condition has them, too", async () => {
  const { document } = showInEditor(FLOW, ({ document: shown }) => <NodeForm node={shown.nodes[1]!} />, {
    found: FOUND,
  });
  const value = screen.getByRole("textbox", { name: "Comparar com" });
  await userEvent.clear(value);
  await userEvent.click(value);
  await userEvent.keyboard("{{{{pla{Tab}");
  expect(document().nodes[1]!.data["value"]).toBe("{{plano}}");
});

test("names of variables are offered while one is written, and hide no field when nothing is typed", async () => {
  showInEditor(FLOW, ({ document: shown }) => <NodeForm node={shown.nodes[1]!} />, { found: FOUND });
  const field = screen.getByRole("combobox", { name: "Valor a verificar" });
  await userEvent.click(field);
  expect(screen.queryByRole("option")).toBeNull();
  await userEvent.clear(field);
  expect(screen.queryByRole("option")).toBeNull();
  await userEvent.keyboard("pla");
  expect(screen.getByRole("option", { name: "plano" })).toBeInTheDocument();
  await userEvent.keyboard("{Escape}");
  expect(field).toHaveAttribute("aria-expanded", "false");
  await userEvent.clear(field);
  await userEvent.keyboard("{ArrowDown}");
  expect(screen.getAllByRole("option")).toHaveLength(2);
  await userEvent.tab();
  expect(screen.queryByRole("option")).toBeNull();
});
