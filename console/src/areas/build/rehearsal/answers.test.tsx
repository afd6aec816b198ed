import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { testOf } from "../flowtests/tests.ts";
import { inputOf, testInputOf } from "./answers.ts";
import { Rehearsal } from "./Rehearsal.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  nodes: [{ id: "paid", type: "wait_event", data: { name: "payment" } }],
};

function turn(message: object | undefined, more: object = {}) {
  return {
    rehearsal: { turns: 1 },
    node_id: "ask",
    messages: message ? [message] : [],
    texts: [],
    path: [],
    events: [],
    variables: {},
    effect: null,
    status: "waiting",
    at: "2026-11-30T08:00:00Z",
    timer: null,
    ...more,
  };
}

const SAY = "POST /api/v1/flows/rehearse";

/** Begin a rehearsal that each time gives this turn. Returns what it was asked. */
async function begin(answer: object, flow = FLOW) {
  const { fetch, asked } = answers({ [SAY]: answer });
  vi.stubGlobal("fetch", fetch);
  const shown = showInEditor(flow, () => <Rehearsal />);
  await userEvent.type(screen.getByRole("textbox", { name: "Mensagem" }), "oi{Enter}");
  await waitFor(() => expect(asked).toHaveLength(1));
  const latest = async () => {
    await waitFor(() => expect(asked).toHaveLength(2));
    return (asked[1]!.body as { input: unknown }).input;
  };
  return { ...shown, latest };
}

async function choose(name: string) {
  await userEvent.click(await screen.findByRole("button", { name: "Outra resposta" }));
  await userEvent.click(await screen.findByRole("menuitem", { name }));
}

beforeEach(async () => {
  await words("pt", "build");
  signInAs("builder");
  Element.prototype.scrollIntoView = () => undefined;
});

test("a person sends a file with a caption", async () => {
  const { latest, container } = await begin(turn({ type: "text", text: "Foto?" }));
  await choose("Imagem");
  await expectAccessible(container);
  await userEvent.type(screen.getByRole("textbox", { name: "Legenda" }), "RG");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  const media = { id: "rehearsal", type: "image", mime_type: "image/jpeg", caption: "RG" };
  expect(await latest()).toEqual({ type: "media", text: "RG", media });
  expect(await screen.findByText("Imagem: RG")).toBeVisible();
  expect(screen.getByRole("textbox", { name: "Mensagem" })).toBeVisible();
});

test("the button of a message that asks for a place opens the form of a place", async () => {
  const { latest } = await begin(turn({ type: "location_request", text: "Onde?" }));
  await userEvent.click(await screen.findByRole("button", { name: "Localização" }));
  const latitude = screen.getByRole("textbox", { name: "Latitude" });
  await userEvent.clear(latitude);
  await userEvent.type(latitude, "-8.05");
  await userEvent.type(screen.getByRole("textbox", { name: "Nome do lugar" }), "Casa");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  const location = { latitude: -8.05, longitude: -46.6333, name: "Casa" };
  expect(await latest()).toEqual({ type: "location", text: "Casa", location });
});

test("a form that was sent is filled in", async () => {
  const { latest } = await begin(turn({ type: "whatsapp_flow", text: "Dados", cta: "Preencher" }));
  await userEvent.click(await screen.findByRole("button", { name: "Preencher" }));
  await userEvent.click(await screen.findByRole("button", { name: "Acrescentar" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Nome 1" }), "dia");
  await userEvent.type(screen.getByRole("textbox", { name: "Valor 1" }), "2026-12-01");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  expect(await latest()).toEqual({ type: "form", text: "", response: { dia: "2026-12-01" } });
  expect(screen.getByText("Formulário preenchido: dia: 2026-12-01")).toBeVisible();
});

test("the event that the flow waits for is reported, and an agent returns the conversation", async () => {
  const waiting = await begin(turn(undefined, { node_id: "paid" }));
  await choose("Evento de um programa");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  expect(await waiting.latest()).toEqual({ type: "event", text: "payment", payload: {} });
  waiting.unmount();
  const agent = await begin(turn(undefined, { status: "handoff" }));
  await userEvent.click(
    await screen.findByRole("button", { name: "O atendente devolve a conversa ao robô" }),
  );
  expect(await agent.latest()).toEqual({ type: "return", text: "" });
});

test("an event is offered only while the flow waits for one", async () => {
  await begin(turn({ type: "text", text: "Oi" }));
  await userEvent.click(await screen.findByRole("button", { name: "Outra resposta" }));
  expect((await screen.findAllByRole("menuitem")).map((item) => item.textContent)).toEqual([
    "Reação",
    "Imagem",
    "Vídeo",
    "Áudio",
    "Documento",
    "Figurinha",
    "Localização",
    "Contato",
    "Pedido do catálogo",
  ]);
});

test("contacts and orders are what Meta reports", () => {
  expect(inputOf("contacts", { name: "Rui Sá", phone: "+55 11 98888-7777" }, "")).toEqual({
    type: "contacts",
    payload: [
      {
        name: { formatted_name: "Rui Sá", first_name: "Rui" },
        phones: [{ phone: "+55 11 98888-7777", wa_id: "5511988887777", type: "CELL" }],
      },
    ],
  });
  const item = { product_retailer_id: "sku", quantity: 2, item_price: 9.5, currency: "BRL" };
  expect(inputOf("order", { product: "sku", quantity: 2, price: 9.5, currency: "BRL" }, "")).toEqual({
    type: "order",
    payload: { catalog_id: "rehearsal", product_items: [item] },
  });
});

test("a recorded test has each answer as a test file writes it", () => {
  const location = { latitude: 1, longitude: 2 };
  const given = [
    { type: "location", text: "", location } as const,
    { type: "form", response: { a: 1 } } as const,
    { type: "order", payload: { product_items: [] } } as const,
    { type: "return" } as const,
  ];
  const recorded = given.map((input) => ({ input, turn: turn(undefined) as never, calls: [] }));
  const { turns } = testOf("x", "clinic", recorded as never, false);
  expect(turns.map((one) => (one as { input: unknown }).input)).toEqual([
    { location, text: "" },
    { response: { a: 1 } },
    { type: "order", payload: { product_items: [] } },
    { type: "handed_back" },
  ]);
  expect(testInputOf({ type: "media", media: { id: "m", type: "image" } as never }, null)).toEqual({
    media: { id: "m", type: "image" },
    text: "",
  });
});

test("a reaction begins with the emoji that answers the question, and a test keeps it", async () => {
  const asking: FlowDocument = {
    ...FLOW,
    nodes: [{ id: "ask", type: "question", data: { question: "Gostou?", reactions: { "👎": "não" } } }],
  };
  const { latest } = await begin(turn({ type: "text", text: "Gostou?" }), asking);
  await choose("Reação");
  expect(screen.getByRole("textbox", { name: "Emoji" })).toHaveValue("👎");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  expect(await latest()).toEqual({ type: "reaction", text: "👎" });
  expect(testInputOf({ type: "reaction", text: "👎" }, null)).toEqual({ reaction: "👎" });
});

test("a failed turn can be tried again, and an answer from before a restart is ignored", async () => {
  const away = Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 });
  vi.stubGlobal("fetch", answers({ [SAY]: away }).fetch);
  showInEditor(FLOW, () => <Rehearsal />);
  await userEvent.type(screen.getByRole("textbox", { name: "Mensagem" }), "oi{Enter}");
  let answer: (response: Response) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (answer = resolve)));
  await userEvent.click(await screen.findByRole("button", { name: "Tentar de novo" }));
  await userEvent.click(screen.getByRole("button", { name: "Recomeçar" }));
  await act(async () => answer(Response.json(turn({ type: "text", text: "Tarde demais" }))));
  expect(screen.queryByText("Tarde demais")).toBeNull();
  expect(screen.queryByText("oi")).toBeNull();
});
