import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { ANA, api, NUMBER, ONE, open, STATE } from "../../testing/inbox.tsx";
import { signInAs, words } from "../../testing/render.tsx";
import { setClock } from "../../ui/now.ts";
import { templateOf } from "../../testing/samples.ts";

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

test("a text that could not be sent stays, and trying again cannot send it twice", async () => {
  let tries = 0;
  const server = api();
  vi.stubGlobal("fetch", async (request: Request) => {
    if (!new URL(request.url).pathname.endsWith("/send")) return server.fetch(request);
    if (++tries === 1) {
      await server.fetch(request).catch(() => undefined);
      return Response.json({ code: "queue_unavailable", detail: "" }, { status: 503 });
    }
    await server.fetch(request).catch(() => undefined);
    return Response.json({
      phone_number_id: NUMBER,
      contact_id: ANA.contact_id,
      turn: 3,
      delivery: "queued",
    });
  });
  open();
  const field = await screen.findByRole("textbox", { name: "Escreva uma mensagem" });
  await userEvent.type(field, "Olá{Shift>}{Enter}{/Shift}tudo bem?");
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(field).toHaveValue("Olá\ntudo bem?");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  await waitFor(() => expect(field).toHaveValue(""));
  const posts = server.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  expect(posts.map(({ body }) => body)).toEqual([
    { text: "Olá\ntudo bem?", expected_turn: 7 },
    { text: "Olá\ntudo bem?", expected_turn: 7 },
  ]);
  const [first, second] = posts.map(({ headers }) => headers.get("idempotency-key"));
  expect(first).toBeTruthy();
  expect(second).toBe(first);
});

test("a text survives a reload in the middle of sending, and is still the same message", async () => {
  const given = api({ [`POST ${ONE}/send`]: { turn: 8 } });
  const lost = (request: Request): Promise<Response> =>
    request.method === "POST" && request.url.includes("/send")
      ? given.fetch(request).then(() => new Promise<Response>(() => undefined))
      : given.fetch(request);
  vi.stubGlobal("fetch", lost);
  const { unmount } = open();
  await userEvent.type(await screen.findByRole("textbox", { name: "Escreva uma mensagem" }), "Oi{Enter}");
  const sent = () => given.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  await waitFor(() => expect(sent()).toHaveLength(1));
  unmount();
  vi.stubGlobal("fetch", given.fetch);
  open();
  const field = await screen.findByRole("textbox", { name: "Escreva uma mensagem" });
  expect(field).toHaveValue("Oi");
  await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
  await waitFor(() => expect(field).toHaveValue(""));
  expect(new Set(sent().map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  expect(Object.keys(sessionStorage).filter((one) => one.startsWith("pytake.draft"))).toEqual([]);
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
  for (const times of [1, 2]) {
    // Each attempt ends before the next one.
    // oxlint-disable-next-line no-await-in-loop
    await userEvent.click(screen.getByRole("button", { name: "Enviar" }));
    // oxlint-disable-next-line no-await-in-loop
    await waitFor(() =>
      expect(given.asked.filter(({ key }) => key === `POST ${ONE}/send`)).toHaveLength(times),
    );
  }
  const stored = given.asked.filter(({ key }) => key === "POST /api/v1/media");
  expect(stored.map(({ body }) => body)).toEqual([
    { mime_type: "application/pdf", content: btoa("%PDF-1.7"), filename: "nota.pdf" },
  ]);
  const sent = given.asked.filter(({ key }) => key === `POST ${ONE}/send`);
  expect(sent[0]?.body).toEqual({ media: { id: "up-1", caption: "Sua nota" }, expected_turn: 7 });
  expect(new Set(sent.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
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
  sessionStorage.clear(); // what another test began to write
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
