import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Data, FlowDocument, NodeType } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, show, signInAs, words } from "../../../testing/render.tsx";
import { Versions } from "../publish/Versions.tsx";
import { Differences } from "./Differences.tsx";

const PUBLISHED: FlowDocument = {
  format: 1,
  id: "clinic",
  nodes: [
    { id: "ask", type: "question", data: { question: "Nome?", variable: "nome", next_node_id: "bye" } },
    { id: "bye", type: "end", data: { message: "Tchau" } },
  ],
};
const DRAFT: FlowDocument = {
  ...PUBLISHED,
  languages: ["pt_BR", "es"],
  nodes: [
    {
      id: "ask",
      type: "question",
      data: {
        question: "Qual é o seu nome?",
        variable: "nome",
        next_node_id: "hi",
        buttons: [{ label: "Ana" }],
      },
    },
    { id: "hi", type: "message", label: "Saudação", data: { text: "Olá" } },
  ],
};

beforeEach(async () => {
  await words("pt", "build", "findings");
  signInAs("builder");
});

test("a changed node says in words which fields were what and are what", async () => {
  const path = "GET /api/v1/flows/clinic/versions/3";
  vi.stubGlobal("fetch", answers({ [path]: { document: PUBLISHED } }).fetch);
  const closed = vi.fn<(version?: number) => void>();
  const { container } = showInEditor(DRAFT, () => <Differences version={3} onClose={closed} />, {
    selected: ["ask"],
  });
  expect(await screen.findByText("1 passo novo")).toBeVisible();
  expect(screen.getByRole("heading", { name: "Rascunho e versão 3" })).toBeVisible();
  const changed = screen.getByText("1 passo mudado").parentElement!;
  const rows = [...changed.querySelectorAll("dl > div")].map((row) => row.textContent);
  expect(rows).toEqual([
    "PerguntaAntes: Nome?Agora: Qual é o seu nome?",
    "Para onde vai: depoisAntes: byeAgora: Saudação · hi",
    "Botões › Ana › Texto do botãoAgora: Ana",
  ]);
  const removed = screen.getByText("1 passo removido").parentElement!;
  expect(within(removed).getByText("Tchau")).toBeVisible();
  const flow = screen.getByText("O fluxo").parentElement!;
  expect(flow.querySelector("dl")).toHaveTextContent("IdiomasAgora: Português (Brasil), Espanhol");
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Fechar a comparação" }));
  expect(closed).toHaveBeenCalled();
});

test.each([
  [
    "way",
    "Caminhos › idade é menor que 18 & nome não está vazio › Para onde vai: depoisAntes: Mensagem · menuAgora: Horário · open",
  ],
  ["open", "Horários › segunda 08:00–18:00 › FechaAntes: 12:00Agora: 18:00"],
  ["do", "Ações › Pôr etiqueta: b › EtiquetaAntes: aAgora: b"],
  ["menu", "Botões › Não › Texto do botãoAntes: NãoAgora: vazio"],
])("what changed in a list of %s is named by what it is", async (selected, expected) => {
  const path = "GET /api/v1/flows/clinic/versions/3";
  const node = (id: string, type: NodeType, data: Data) => ({ id, type, data });
  const branch = (next_node_id: string) => ({
    all: [
      { variable: "idade", operator: "<", value: 18 },
      { variable: "nome", operator: "is_not_empty" },
    ],
    next_node_id,
  });
  const document = (first: boolean): FlowDocument => ({
    format: 1,
    id: "clinic",
    languages: first ? ["pt_BR", "en"] : ["en", "es"],
    texts: { en: { "menu.buttons.yes.label": first ? "Yes" : "Sure" } },
    nodes: [
      node("way", "condition", { branches: [branch(first ? "menu" : "open")] }),
      node("open", "schedule", {
        hours: [{ days: ["mon"], opens: "08:00", closes: first ? "12:00" : "18:00" }],
      }),
      node("do", "action", { actions: [{ type: "add_tag", tag: first ? "a" : "b" }] }),
      node("menu", "message", {
        buttons: [{ label: "Sim", value: "yes" }, { label: "Não" }].slice(0, first ? 2 : 1),
      }),
    ],
  });
  vi.stubGlobal("fetch", answers({ [path]: { document: document(true) } }).fetch);
  showInEditor(document(false), () => <Differences version={3} onClose={() => undefined} />, {
    selected: [selected],
  });
  const rows = (part: Element) => [...part.querySelectorAll("dl > div")].map((one) => one.textContent);
  const opened = (await screen.findByText("O fluxo")).parentElement!;
  expect(rows(opened)).toEqual([
    "IdiomasAntes: Português (Brasil), InglêsAgora: Inglês, Espanhol",
    "Traduções › Inglês › Mensagem › Botões › Sim › Texto do botãoAntes: YesAgora: Sure",
  ]);
  expect(rows(screen.getByText("4 passos mudados").parentElement!)).toEqual([expected]);
});

test("a draft like its version says so", async () => {
  const path = "GET /api/v1/flows/clinic/versions/3";
  vi.stubGlobal("fetch", answers({ [path]: { document: PUBLISHED } }).fetch);
  showInEditor(PUBLISHED, () => <Differences version={3} onClose={() => undefined} />);
  expect(await screen.findByText("Nada mudou.")).toBeVisible();
});

test("the list says who published each version and when, and any can be compared with the draft", async () => {
  const version = { flow_id: "clinic", published_at: "2026-11-29T10:00:00Z", published_by: "rita" };
  const versions = [2, 1].map((number) => ({ ...version, version: number, sub_flows: [], problems: [] }));
  vi.stubGlobal(
    "fetch",
    answers({ "GET /api/v1/flows": [], "GET /api/v1/flows/clinic/versions": versions }).fetch,
  );
  const compared = vi.fn<(version?: number) => void>();
  const element = <Versions flowId="clinic" onCompare={compared} onClose={() => undefined} />;
  show([{ index: true, element }]);
  const first = await screen.findByRole("button", { name: "Comparar com o rascunho: Versão 1" });
  expect(first.closest("li")).toHaveTextContent(/Versão 1 .*29\/11\/2026.* rita/);
  await userEvent.click(first);
  expect(compared).toHaveBeenCalledWith(1);
});
