import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
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
    "Botões › 1 › Texto do botãoAgora: Ana",
  ]);
  const removed = screen.getByText("1 passo removido").parentElement!;
  expect(within(removed).getByText("Tchau")).toBeVisible();
  expect(screen.getByText("Idiomas › 2")).toBeVisible();
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Fechar a comparação" }));
  expect(closed).toHaveBeenCalled();
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
