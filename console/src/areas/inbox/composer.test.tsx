import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { api, ONE, open, STATE } from "../../testing/inbox.tsx";
import { signInAs, words } from "../../testing/render.tsx";
import { setClock } from "../../ui/now.ts";
import { templateOf } from "../../testing/samples.ts";

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
  sessionStorage.clear();
});

const FIELD = { name: "Escreva uma mensagem" };

/** A server that answers requests to send with these, one after the other, and a function that gives the requests. */
function sends(...answered: Promise<Response>[]) {
  const server = api();
  vi.stubGlobal("fetch", async (request: Request) => {
    const given = await server.fetch(request).catch(() => undefined);
    return request.url.includes("/send") ? (answered.shift() ?? given!) : given!;
  });
  return () => server.asked.filter(({ key }) => key === `POST ${ONE}/send`);
}

const done = (turn: number) => Promise.resolve(Response.json({ turn, delivery: "queued" }));
const refusal = (code: string, status: number) =>
  Promise.resolve(Response.json({ code, detail: "" }, { status }));
const never = () => new Promise<Response>(() => undefined);

test("a text is shown while it is sent, and trying again what failed cannot send it twice", async () => {
  let answer = (_: Response) => {};
  const second = new Promise<Response>((resolve) => (answer = resolve));
  const sent = sends(refusal("queue_unavailable", 503), second);
  open();
  const field = await screen.findByRole("textbox", FIELD);
  await userEvent.type(field, "Olá{Shift>}{Enter}{/Shift}tudo bem?");
  await userEvent.keyboard("{Enter}");
  expect(field).toHaveValue("");
  const log = screen.getByRole("log");
  expect(log).toHaveTextContent("Olá tudo bem?");
  expect(await within(log).findByRole("alert")).toBeVisible();
  expect(log).toHaveTextContent("Não enviada");
  await userEvent.click(within(log).getByRole("button", { name: "Tentar de novo" }));
  expect(log).toHaveTextContent("Enviando");
  await waitFor(() => expect(sent()).toHaveLength(2));
  answer(await done(8));
  await waitFor(() => expect(within(log).queryByRole("alert")).toBeNull());
  const [first, last] = sent();
  expect(first!.body).toEqual({ text: "Olá\ntudo bem?", expected_turn: 7 });
  expect(last!.body).toEqual(first!.body);
  expect(first!.headers.get("idempotency-key")).toBeTruthy();
  expect(last!.headers.get("idempotency-key")).toBe(first!.headers.get("idempotency-key"));
});

test("a text that failed is taken back into the field, and is another message when it is changed", async () => {
  const sent = sends(refusal("conversation_changed", 409), done(9));
  open();
  const field = await screen.findByRole("textbox", FIELD);
  await userEvent.type(field, "Chega hoje{Enter}");
  await userEvent.click(await screen.findByRole("button", { name: "Editar" }));
  const again = screen.getByRole("textbox", FIELD);
  expect(again).toHaveValue("Chega hoje");
  expect(again).toHaveFocus();
  expect(screen.queryByText("Não enviada")).toBeNull();
  await userEvent.type(again, " às 15h{Enter}");
  await waitFor(() =>
    expect(sent().map(({ body }) => body)).toMatchObject([
      { text: "Chega hoje" },
      { text: "Chega hoje às 15h" },
    ]),
  );
});

test("two texts are sent one after the other; the second counts the first as seen, and nothing else", async () => {
  let answer = (_: Response) => {};
  const first = new Promise<Response>((resolve) => (answer = resolve));
  const sent = sends(first, done(9));
  open();
  const field = await screen.findByRole("textbox", FIELD);
  await userEvent.type(field, "Um{Enter}Dois{Enter}");
  expect(screen.getAllByText("Enviando")).toHaveLength(2);
  expect(sent()).toHaveLength(1);
  answer(await done(8));
  await waitFor(() =>
    expect(sent().map(({ body }) => body)).toEqual([
      { text: "Um", expected_turn: 7 },
      { text: "Dois", expected_turn: 8 },
    ]),
  );
});

test("a text survives a reload in the middle of sending, and is still the same message", async () => {
  const sent = sends(never(), done(8));
  const { unmount } = open();
  await userEvent.type(await screen.findByRole("textbox", FIELD), "Oi{Enter}");
  await waitFor(() => expect(sent()).toHaveLength(1));
  unmount();
  open();
  expect(await screen.findByText(/A página foi fechada antes da resposta/)).toBeVisible();
  expect(await screen.findByText("Oi")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Tentar de novo" }));
  await waitFor(() => expect(sent()).toHaveLength(2));
  await waitFor(() => expect(screen.queryByText("Não enviada")).toBeNull());
  expect(new Set(sent().map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  await waitFor(() =>
    expect(Object.keys(sessionStorage).filter((one) => one.startsWith("pytake."))).toEqual([]),
  );
});

test("a text that is too long is not cut, and says by how much", async () => {
  api();
  open();
  const field = await screen.findByRole("textbox", { name: "Escreva uma mensagem" });
  await userEvent.click(field);
  await userEvent.paste("é".repeat(4_098));
  expect(field).toHaveValue("é".repeat(4_098));
  expect(screen.getByText("A mensagem tem 2 caracteres a mais. O limite é 4096.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Enviar" })).toBeDisabled();
  const kept = () => Object.keys(sessionStorage).filter((one) => one.startsWith("pytake.draft"));
  expect(kept()).toHaveLength(1);
  fireEvent.change(field, { target: { value: "é".repeat(100_001) } });
  expect(kept()).toEqual([]);
  await userEvent.clear(field);
});

test("a clock of the machine that is wrong closes no window", async () => {
  const ahead = Date.now() + 25 * 3_600_000;
  const given = api();
  vi.stubGlobal("fetch", async (request: Request) => {
    const answer = await given.fetch(request);
    answer.headers.set("date", new Date().toUTCString());
    return answer;
  });
  const { now } = Date;
  const began = now();
  vi.spyOn(Date, "now").mockImplementation(() => ahead + now.call(Date) - began);
  open();
  expect(await screen.findByRole("textbox", { name: "Escreva uma mensagem" })).toBeVisible();
  vi.restoreAllMocks();
  setClock(new Date().toUTCString());
});

test("what the agent has just sent does not count as unseen, though nothing was read again yet", async () => {
  const server = api({ [`POST ${ONE}/send`]: { turn: 8 } });
  const sent = () => server.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  vi.stubGlobal("fetch", (request: Request) =>
    sent().length > 0 && request.method === "GET"
      ? new Promise<Response>(() => undefined)
      : server.fetch(request),
  );
  open();
  const field = await screen.findByRole("textbox", { name: "Escreva uma mensagem" });
  await userEvent.type(field, "Um{Enter}");
  await waitFor(() => expect(field).toHaveValue(""));
  await userEvent.type(field, "Dois{Enter}");
  await waitFor(() =>
    expect(sent().map(({ body }) => body)).toEqual([
      { text: "Um", expected_turn: 7 },
      { text: "Dois", expected_turn: 8 },
    ]),
  );
});

test.each([
  ["optedOut", { opted_out: true }, /não receber mensagens/],
  ["closed", { window_closes_at: "2020-01-01T00:00:00Z" }, /só aceita texto livre/],
])("nothing can be written when it would not arrive: %s", async (_, changed, text) => {
  api({ [`GET ${ONE}`]: { ...STATE, ...changed } });
  open();
  expect(await screen.findByText(text)).toBeVisible();
  expect(screen.queryByRole("textbox", { name: "Escreva uma mensagem" })).toBeNull();
});

test("a file is stored once and sent with the text as its caption, however often it is tried", async () => {
  const refused = Response.json({ code: "meta_unavailable", detail: "" }, { status: 503 });
  const given = api({ "POST /api/v1/media": { id: "up-1" }, [`POST ${ONE}/send`]: refused });
  open();
  const file = new File(["%PDF-1.7"], "nota.pdf", { type: "application/pdf" });
  await userEvent.type(await screen.findByRole("textbox", { name: "Escreva uma mensagem" }), "Sua nota");
  await userEvent.upload(document.querySelector<HTMLInputElement>('input[type="file"]')!, file);
  expect(await screen.findByText("Anexado: nota.pdf")).toBeVisible();
  const tries = () => given.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  await userEvent.click(await screen.findByRole("button", { name: "Tentar de novo" }));
  await waitFor(() => expect(tries()).toHaveLength(2));
  const stored = given.asked.filter(({ key }) => key === "POST /api/v1/media");
  expect(stored.map(({ body }) => body)).toEqual([
    { mime_type: "application/pdf", content: btoa("%PDF-1.7"), filename: "nota.pdf" },
  ]);
  const sent = given.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  expect(sent[0]?.body).toEqual({ media: { id: "up-1", caption: "Sua nota" }, expected_turn: 7 });
  expect(new Set(sent.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  await userEvent.click(await screen.findByRole("button", { name: "Editar" }));
  await userEvent.click(screen.getByRole("button", { name: "Remover nota.pdf" }));
  await userEvent.clear(screen.getByRole("textbox", { name: "Escreva uma mensagem" }));
  expect(screen.getByRole("button", { name: "Enviar" })).toBeDisabled();
});

test("outside the window a template is filled in and sent", async () => {
  const template = templateOf("pedido_pronto", "Olá {{1}}, está pronto.");
  const given = api({
    [`GET ${ONE}`]: { ...STATE, window_closes_at: "2020-01-01T00:00:00Z" },
    "GET /api/v1/templates": [template],
    [`POST ${ONE}/send`]: { turn: 8 },
  });
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Enviar um modelo" }));
  await userEvent.click(await screen.findByRole("combobox", { name: "Modelo" }));
  await userEvent.click(await screen.findByRole("option", { name: "pedido_pronto · pt_BR" }));
  expect(screen.getByRole("button", { name: "Enviar" })).toBeDisabled();
  await userEvent.type(screen.getByRole("textbox", { name: /Valor 1/ }), "Ana");
  expect(screen.getByText("Olá Ana, está pronto.")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  const components = [{ type: "body", parameters: [{ type: "text", text: "Ana" }] }];
  await waitFor(() =>
    expect(given.asked.filter(({ key }) => key === `POST ${ONE}/send`).map(({ body }) => body)).toEqual([
      { template: { name: "pedido_pronto", language: "pt_BR", components }, expected_turn: 7 },
    ]),
  );
});

test("a canned reply is added to the text with the person's values, and can be changed before it is sent", async () => {
  const given = api();
  open();
  const text = await screen.findByRole("textbox", { name: "Escreva uma mensagem" });
  await userEvent.type(text, "Boa tarde!");
  await userEvent.click(await screen.findByPlaceholderText("Resposta pronta"));
  await userEvent.click(await screen.findByRole("option", { name: "Pedido pronto" }));
  await waitFor(() => expect(text).toHaveValue("Boa tarde!\nOlá Ana, está pronto."));
  expect(text).toHaveFocus();
  expect(given.asked.some(({ key }) => key === `POST ${ONE}/send`)).toBe(false);
});

test("an agent who writes while the bot answers is told that this takes the conversation over", async () => {
  const given = api({
    [`GET ${ONE}`]: { ...STATE, mode: "bot", status: "waiting", handoff: null },
    [`POST ${ONE}/send`]: { turn: 8 },
  });
  open();
  expect(
    await screen.findByText("Ao escrever, você assume a conversa e o bot fica em silêncio."),
  ).toBeVisible();
  expect(screen.queryByRole("button", { name: "Devolver ao bot" })).toBeNull();
  await userEvent.type(screen.getByRole("textbox", { name: "Escreva uma mensagem" }), "Deixa comigo{Enter}");
  const sent = () => given.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  await waitFor(() =>
    expect(sent().map(({ body }) => body)).toEqual([{ text: "Deixa comigo", expected_turn: 7 }]),
  );
});
