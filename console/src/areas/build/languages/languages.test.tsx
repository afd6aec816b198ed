import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { expectAccessible, words } from "../../../testing/render.tsx";
import { Languages } from "./Languages.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  language: "pt_BR",
  languages: ["en"],
  texts: { en: { "m.text": "Hi" } },
  nodes: [
    { id: "m", type: "message", data: { text: "Oi", buttons: [{ label: "Sim", value: "yes" }] } },
    { id: "e", type: "end", data: { message: "{{nome}} 👋" } },
  ],
};

beforeEach(() => words("pt", "build"));

test("missing translations are marked, filtered, and written in place, one step to undo", async () => {
  const { document, undo } = showInEditor(FLOW, () => <Languages onClose={() => undefined} />);
  const table = await screen.findByRole("table");
  expect(within(table).getAllByRole("row")).toHaveLength(4);
  expect(screen.getByText("1 texto sem tradução")).toBeVisible();
  expect(within(table).getAllByText("falta")).toHaveLength(1);
  await expectAccessible();
  await userEvent.click(screen.getByRole("switch", { name: "Só o que falta" }));
  expect(within(table).getAllByRole("row")).toHaveLength(2);
  await userEvent.type(
    screen.getByRole("textbox", { name: "Mensagem: Botões › 1 › Texto do botão, en" }),
    "Yes",
  );
  expect(document().texts).toEqual({ en: { "m.text": "Hi", "m.buttons.yes.label": "Yes" } });
  expect(within(table).getAllByRole("row")).toHaveLength(2);
  undo();
  expect(document()).toBe(FLOW);
});

test("the flow's own text is edited in the node, and a language is added", async () => {
  const { document } = showInEditor(FLOW, () => <Languages onClose={() => undefined} />);
  await userEvent.type(await screen.findByRole("textbox", { name: "Mensagem: Texto, pt_BR" }), "!");
  expect(document().nodes[0]!.data["text"]).toBe("Oi!");
  await userEvent.type(screen.getByRole("combobox", { name: "Traduções para" }), "es-MX{Enter}");
  expect(document().languages).toEqual(["en", "es_MX"]);
  expect(screen.getByRole("columnheader", { name: "Espanhol (México)" })).toBeVisible();
});

test("a button without a value is renamed key by key, and keeps its field and its translations", async () => {
  const nodes = [{ id: "m", type: "message" as const, data: { text: "Oi", buttons: [{ label: "Sim" }] } }];
  const texts = { en: { "m.text": "Hi", "m.buttons.Sim.label": "Yes" } };
  const { document, undo } = showInEditor({ ...FLOW, nodes, texts }, () => (
    <Languages onClose={() => undefined} />
  ));
  const label = await screen.findByRole("textbox", { name: "Mensagem: Botões › 1 › Texto do botão, pt_BR" });
  await userEvent.type(label, "!!");
  expect(label).toHaveValue("Sim!!");
  expect(label).toHaveFocus();
  expect(document().texts).toEqual({ en: { "m.text": "Hi", "m.buttons.Sim!!.label": "Yes" } });
  undo();
  expect(document().texts).toBe(texts);
});
