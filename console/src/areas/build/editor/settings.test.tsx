import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { FlowSettings } from "./FlowSettings.tsx";
import { JsonView } from "./JsonView.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  name: "Clínica",
  nodes: [{ id: "end", type: "end", data: {} }],
};

beforeEach(async () => {
  await words("pt", "build", "findings");
  signInAs("builder");
});

test("the flow's name, language, reported values and times are set without JSON", async () => {
  const found = inspection([], [{ name: "nota" }, { name: "contact.name" }]);
  const { document, undo } = showInEditor(FLOW, () => <FlowSettings onClose={() => undefined} />, { found });
  const dialog = await screen.findByRole("dialog", { name: "Configurações do fluxo" });
  const name = within(dialog).getByRole("textbox", { name: "Nome do fluxo" });
  await userEvent.clear(name);
  await userEvent.type(name, "Consultório");
  await userEvent.click(within(dialog).getByRole("combobox", { name: "Idioma das mensagens" }));
  await userEvent.click(screen.getByRole("option", { name: "Inglês" }));
  await userEvent.click(within(dialog).getByRole("combobox", { name: "Valores nos relatórios" }));
  expect(screen.queryByRole("option", { name: "contact.name" })).toBeNull();
  await userEvent.click(screen.getByRole("option", { name: "nota" }));
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Horas até a conversa expirar" }), "48");
  await userEvent.click(within(dialog).getByRole("switch", { name: /Juntar textos seguidos/ }));
  expect(document()).toEqual({
    ...FLOW,
    name: "Consultório",
    language: "en",
    report_variables: ["nota"],
    session_ttl_hours: 48,
    merge_texts: false,
  });
  await userEvent.click(within(dialog).getByRole("switch", { name: /Juntar textos seguidos/ }));
  expect(document()).not.toHaveProperty("merge_texts");
  await expectAccessible();
  for (const _ of "1234567") undo();
  expect(document()).toBe(FLOW);
});

test("the JSON has the same findings, shows where they are, and says what is wrong with what is written", async () => {
  const found = inspection([{ node_id: "end", field: "message", severity: "warning" }]);
  const { fetch, asked } = answers({
    "POST /api/v1/flows/validate": inspection([{ code: "unreachable_node", node_id: "other" }]),
  });
  vi.stubGlobal("fetch", fetch);
  showInEditor(FLOW, () => <JsonView />, { found });
  const area = (await screen.findByRole("textbox", { name: "Documento do fluxo" })) as HTMLTextAreaElement;
  await userEvent.click(screen.getByRole("button", { name: /end/ }));
  expect(area.value.slice(area.selectionStart, area.selectionEnd)).toBe('"id": "end",');
  await userEvent.clear(area);
  await userEvent.paste('{\n  "id": "clinic",\n  oops\n}');
  expect(screen.getByText("Isto não é JSON válido: veja a linha 3.")).toBeVisible();
  await userEvent.clear(area);
  await userEvent.paste(JSON.stringify({ ...FLOW, nodes: [] }));
  expect(await screen.findByText("other")).toBeVisible();
  expect(asked).toHaveLength(1);
  await expectAccessible();
});
