import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { answers, signInAs, words } from "../../../testing/render.tsx";
import { PublishDialog } from "./PublishDialog.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  name: "Clínica",
  nodes: [{ id: "handoff_2", type: "handoff", data: {} }],
};
const NUMBER = {
  phone_number_id: "1",
  display_phone_number: "+55 11 4000-0001",
  default_flow_id: null,
  keywords: { Preço: "shop" },
  words: {},
};
const NEWER = { ...NUMBER, apology: "Desculpe" };
const AWAY = Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 });
const SHOP = { flow_id: "shop", name: "Loja", published_version: 1, tags: [], archived: false, folder: null };
const PUBLISH = "POST /api/v1/flows/clinic/publish";
const NUMBERS = "GET /api/v1/numbers";
const PUT = "PUT /api/v1/numbers/1";

function open(given: Record<string, unknown>, tag = () => Promise.resolve('"7"'), found = inspection()) {
  const known = { "GET /api/v1/flows": [SHOP], "GET /api/v1/flows/clinic/tests": { conversations: [] } };
  const { fetch, asked } = answers({ ...known, [NUMBERS]: [NUMBER], ...given });
  vi.stubGlobal("fetch", fetch);
  const nothing = () => undefined;
  showInEditor(FLOW, () => <PublishDialog tag={tag} onCompare={nothing} onClose={nothing} />, { found });
  return (key: string) => asked.filter((one) => one.key === key);
}

async function publish() {
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Publicar" }));
}

beforeEach(async () => {
  await words("pt", "build", "findings");
  signInAs("admin");
});

test("a word of another flow says so, and a second try after a failure publishes nothing twice", async () => {
  open({ [PUBLISH]: { version: 3 }, [PUT]: AWAY });
  const field = await screen.findByRole("combobox", { name: "Estas palavras" });
  await userEvent.type(field, "preco{Enter}");
  expect(screen.getByText(/No lugar dos fluxos .*: Preço \(Loja\)/)).toBeVisible();
  await publish();
  expect(await screen.findByText("O servidor não responde agora.", { exact: false })).toBeVisible();

  const { fetch, asked } = answers({ [NUMBERS]: [NEWER], [PUT]: NEWER, "GET /api/v1/flows": [SHOP] });
  vi.stubGlobal("fetch", fetch);
  await publish();
  expect(await screen.findByText("A versão 3 está publicada.")).toBeVisible();
  const put = asked.find(({ key }) => key === PUT);
  expect(put!.body).toMatchObject({ keywords: { preco: "clinic" }, apology: "Desculpe" });
  expect((put!.body as typeof NUMBER).keywords).not.toHaveProperty("Preço");
});

test("a draft that is not saved is not published", async () => {
  const sent = open({ [PUBLISH]: { version: 3 } }, () => Promise.reject(new Error("not saved")));
  await publish();
  expect(await screen.findByText("Algo inesperado aconteceu.", { exact: false })).toBeVisible();
  expect(sent(PUBLISH)).toEqual([]);
});

test("a problem leads to its step by the step's name", async () => {
  open({}, undefined, inspection([{ flow_id: "clinic", node_id: "handoff_2", field: "message" }]));
  expect(await screen.findByRole("button", { name: "Mostrar Atendente · handoff_2" })).toBeVisible();
});

test("a flow that nothing starts says so, until a word does", async () => {
  open({});
  const warning = await screen.findByText(/Nenhum número e nenhuma palavra inicia este fluxo/);
  await userEvent.type(screen.getByRole("combobox", { name: "Estas palavras" }), "consulta{Enter}");
  expect(warning).not.toBeInTheDocument();
});

test("a builder sees what starts the flow, and that an administrator changes it", async () => {
  signInAs("builder");
  open({});
  expect(await screen.findByText("Só um administrador muda os números.")).toBeVisible();
  expect(await screen.findByRole("group", { name: NUMBER.display_phone_number })).toBeVisible();
  expect(screen.getByRole("checkbox", { name: "Qualquer primeira mensagem" })).toBeDisabled();
  expect(screen.getByRole("combobox", { name: "Estas palavras" })).toBeDisabled();
});
