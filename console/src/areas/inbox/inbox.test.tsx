import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import { arrived } from "./alerts.ts";
import type { Assignment, ConversationState, Message, Summary } from "./queries.ts";
import routes from "./routes.tsx";

const SOON = new Date(Date.now() + 3_600_000).toISOString();
const NOW = new Date().toISOString();
const NUMBER = "100000000000001";

const ASSIGNMENT = {
  assignee: null,
  team: null,
  priority: null,
  tags: [],
  snoozed: false,
  snoozed_until: null,
  typing_by: null,
  unread: true,
  revision: 3,
} as Assignment;

function person(contact_id: string, name: string, changed: Partial<Summary> = {}): Summary {
  return {
    contact_id,
    phone_number_id: NUMBER,
    phone: `+${contact_id}`,
    name,
    tags: [],
    language: "pt_BR",
    status: "human",
    mode: "human",
    flow_id: "menu",
    node_id: "agent",
    handoff: { at: NOW, reason: "flow", department: "Vendas", priority: "high", note: "Quer desconto" },
    opted_out: false,
    last_activity_at: NOW,
    last_inbound_at: NOW,
    window_closes_at: SOON,
    turn: 7,
    assignment: ASSIGNMENT,
    ...changed,
  } as Summary;
}

const ANA = person("5511999990001", "Ana Júlia");
const RUI = person("5511999990002", "Rui", { handoff: null, status: "waiting", mode: "bot" });
const STATE = {
  ...ANA,
  session: { id: "s", started_at: NOW, expires_at: SOON },
  flow_version: 3,
  sub_flow_id: null,
  variables: { pedido: "2 pizzas" },
  fields: { cidade: "Recife" },
} as ConversationState;

function said(speaker: Message["speaker"], text: string, turn: number, changed: Partial<Message> = {}) {
  return {
    speaker,
    text,
    timestamp: NOW,
    type: "text",
    options: [],
    turn,
    session_id: "s",
    flow_id: "menu",
    node_id: null,
    delivery: null,
    delivery_at: null,
    error_code: null,
    reason: null,
    fallback: false,
    labels: [],
    author: null,
    revoked: false,
    media: null,
    ...changed,
  } as Message;
}

const ONE = `/api/v1/conversations/${ANA.contact_id}`;
const TRANSCRIPT = `GET /api/v1/whatsapp-analytics/conversations/${ANA.contact_id}/transcript`;
const MESSAGES = [
  said("user", "oi", 1),
  said("bot", "Como posso ajudar?", 1, { options: ["Pedido", "Atendente"], delivery: "read" }),
  said("bot", "Não saiu", 2, { delivery: "dead", error_code: 131_026, reason: "undeliverable" }),
];

function api(changed: Record<string, unknown> = {}) {
  const given = answers({
    "GET /api/v1/conversations?limit=50&status=human&snoozed=false": {
      conversations: [ANA],
      next_cursor: null,
    },
    "GET /api/v1/conversation-counts": {
      agents: 1,
      mine: 0,
      unassigned: 1,
      unread: 1,
      snoozed: 0,
      by_team: {},
      truncated: false,
    },
    [`GET ${ONE}/notes`]: [
      { id: "n1", at: NOW, by: "rita", text: "Cliente antigo", changes: {} },
      { id: "n2", at: NOW, by: "rita", text: null, changes: { priority: [null, "high"] } },
    ],
    [`POST ${ONE}/read`]: { ...ASSIGNMENT, unread: false },
    [`POST ${ONE}/typing`]: ASSIGNMENT,
    "GET /api/v1/teams": { teams: { Vendas: { name: "Vendas", members: [] } } },
    "GET /api/v1/canned-replies": {
      replies: { r1: { title: "Pedido pronto", text: "Olá {{contact.name}}" } },
    },
    [`GET ${ONE}/canned-replies/r1`]: { text: "Olá Ana, está pronto." },
    "GET /api/v1/conversations?limit=50": { conversations: [ANA, RUI], next_cursor: null },
    [`GET ${ONE}`]: STATE,
    [TRANSCRIPT]: {
      messages: MESSAGES,
      truncated: false,
      contact_id: ANA.contact_id,
      phone_number_id: NUMBER,
    },
    ...changed,
  });
  vi.stubGlobal("fetch", given.fetch);
  return given;
}

function open() {
  return show([{ path: "/inbox", children: routes }], `/inbox/${NUMBER}/${ANA.contact_id}`);
}

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

test("those who wait for an agent are listed with the reason, and the server searches", async () => {
  api({ "GET /api/v1/conversations?limit=50&search=rui": { conversations: [RUI], next_cursor: null } });
  show([{ path: "/inbox", children: routes }], "/inbox");
  const item = await screen.findByRole("link", { name: /Ana Júlia/ });
  expect(item).toHaveTextContent("Vendas");
  expect(item).toHaveTextContent("Prioridade: Alta");
  expect(item).toHaveTextContent("Mensagens novas");
  await waitFor(() => expect(document.title).toBe("(1) Atendimento · PyTake"));
  expect(screen.getByRole("option", { name: "Sem atendente (1)" })).toBeInTheDocument();
  await userEvent.selectOptions(screen.getByRole("combobox"), "Todas");
  expect(await screen.findByRole("link", { name: /Rui/ })).toBeVisible();
  await userEvent.type(screen.getByRole("searchbox"), "rui");
  await waitFor(() => expect(screen.queryByRole("link", { name: /Ana Júlia/ })).toBeNull());
  expect(await screen.findByRole("link", { name: /Rui/ })).toBeVisible();
});

test("a person who is not in the list is found by their phone number", async () => {
  const other = person("5521988887777", "Bia");
  const none = { conversations: [], next_cursor: null };
  const query = "limit=50&search=%2B55+21+98888-7777&status=human&snoozed=false";
  api({
    "GET /api/v1/conversations/5521988887777": { ...STATE, ...other },
    [`GET /api/v1/conversations?${query}`]: none,
    [`GET /api/v1/conversations?${query.replaceAll("+", "%20")}`]: none,
  });
  show([{ path: "/inbox", children: routes }], "/inbox");
  await userEvent.type(await screen.findByRole("searchbox"), "+55 21 98888-7777");
  expect(await screen.findByRole("link", { name: /Bia/ })).toBeVisible();
});

test("a conversation shows what was said, what became of it, and what was collected", async () => {
  api();
  open();
  const log = await screen.findByRole("log");
  expect(await within(log).findByText("Como posso ajudar?")).toBeVisible();
  expect(within(log).getByText("Lida")).toBeVisible();
  expect(within(log).getByText("Não entregue (131026)")).toBeVisible();
  expect(within(log).getByText("Atendente")).toBeVisible();
  const details = screen.getByRole("complementary");
  expect(details).toHaveTextContent("2 pizzas");
  expect(details).toHaveTextContent("Quer desconto");
  expect(details).toHaveTextContent("Recife");
  expect(await screen.findByText("Cliente antigo")).toBeVisible();
  expect(details).toHaveTextContent("Prioridade: Alta");
});

test("an open conversation is read, and a colleague who writes is named", async () => {
  const typing = { ...STATE, assignment: { ...ASSIGNMENT, typing_by: "rita" } };
  const { asked } = api({ [`GET ${ONE}`]: typing });
  open();
  expect(await screen.findByText(/rita está escrevendo/)).toBeVisible();
  await waitFor(() => expect(asked.some(({ key }) => key === `POST ${ONE}/read`)).toBe(true));
});

test("an agent takes a conversation over the revision that was read, and keeps the rest of the assignment", async () => {
  const tagged = { ...STATE, assignment: { ...ASSIGNMENT, tags: ["vip"], team: "Vendas" } };
  const { asked } = api({ [`GET ${ONE}`]: tagged, [`PUT ${ONE}/assignment`]: ASSIGNMENT });
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Ficar com ela" }));
  await waitFor(() => expect(asked.some(({ key }) => key === `PUT ${ONE}/assignment`)).toBe(true));
  const put = asked.find(({ key }) => key === `PUT ${ONE}/assignment`)!;
  expect(put.headers.get("if-match")).toBe('"3"');
  expect(put.body).toEqual({
    assignee: "agent@demo",
    team: "Vendas",
    priority: null,
    tags: ["vip"],
    snoozed_until: null,
  });
});

test("a note is added for the team", async () => {
  const { asked } = api({ [`POST ${ONE}/notes`]: Response.json({ id: "n3" }, { status: 201 }) });
  open();
  await userEvent.type(await screen.findByLabelText("Escreva uma nota para a equipe"), "Ligar amanhã");
  await userEvent.click(screen.getByRole("button", { name: "Adicionar nota" }));
  await waitFor(() =>
    expect(asked.find(({ key }) => key === `POST ${ONE}/notes`)?.body).toEqual({ text: "Ligar amanhã" }),
  );
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

test.each([
  ["optedOut", { opted_out: true }, /não receber mensagens/],
  ["closed", { window_closes_at: "2020-01-01T00:00:00Z" }, /só aceita texto livre/],
])("nothing can be written when it would not arrive: %s", async (_, changed, text) => {
  api({ [`GET ${ONE}`]: { ...STATE, ...changed } });
  open();
  expect(await screen.findByText(text)).toBeVisible();
  expect(screen.queryByRole("textbox", { name: "Escreva uma mensagem" })).toBeNull();
});

test("files of the person are downloaded with a fresh address, and deleted texts are gone", async () => {
  const stored = { type: "image", id: "in-1", mime_type: "image/jpeg", filename: null };
  const messages = [
    said("user", "", 1, { type: "image", media: stored }),
    said("user", "", 2, { type: "document", media: { ...stored, id: null, filename: "rg.pdf" } }),
    said("agent", "segredo", 3, { revoked: true, author: "phone_app" }),
  ];
  const assign = vi.fn<(url: string) => void>();
  const real = globalThis.location;
  vi.stubGlobal("location", { ...real, assign });
  api({
    [TRANSCRIPT]: { messages, truncated: false, contact_id: ANA.contact_id, phone_number_id: NUMBER },
    "GET /api/v1/media/in-1": { url: "https://files.example/1?signature=s" },
  });
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Arquivo (image/jpeg)" }));
  await waitFor(() => expect(assign).toHaveBeenCalledWith("https://files.example/1?signature=s"));
  expect(screen.getByText("rg.pdf (não guardado)")).toBeVisible();
  expect(screen.getByText("Esta mensagem foi apagada.")).toBeVisible();
  expect(screen.queryByText("segredo")).toBeNull();
  vi.stubGlobal("location", real);
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
  const template = {
    waba_id: "7",
    name: "pedido_pronto",
    language: "pt_BR",
    status: "APPROVED",
    parameter_format: "POSITIONAL",
    components: [{ type: "BODY", text: "Olá {{1}}, está pronto." }],
  };
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

test("a conversation goes back to the bot, and is ended only after a question", async () => {
  const back = { ...STATE, status: "waiting", mode: "bot", handoff: null };
  const given = api({ [`POST ${ONE}/resume`]: back, [`POST ${ONE}/close`]: { ...back, session: null } });
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Devolver ao bot" }));
  await waitFor(() => expect(given.asked.some(({ key }) => key === `POST ${ONE}/resume`)).toBe(true));
  await userEvent.click(screen.getByRole("button", { name: "Ações" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Encerrar a conversa" }));
  const dialog = await screen.findByRole("dialog");
  expect(given.asked.some(({ key }) => key === `POST ${ONE}/close`)).toBe(false);
  const reason = within(dialog).getByRole("combobox", { name: "Motivo (opcional)" });
  await userEvent.type(reason, "ligar 5511");
  expect(within(dialog).getByRole("button", { name: "Encerrar a conversa" })).toBeDisabled();
  await userEvent.clear(reason);
  await userEvent.type(reason, "Não é conosco");
  await userEvent.click(within(dialog).getByRole("button", { name: "Encerrar a conversa" }));
  const closed = () => given.asked.filter(({ key }) => key === `POST ${ONE}/close`);
  await waitFor(() => expect(closed().map(({ body }) => body)).toEqual([{ reason: "Não é conosco" }]));
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

test("only a later handoff is news", () => {
  const path = `/inbox/${NUMBER}/${ANA.contact_id}`;
  const again = person(ANA.contact_id, "Ana", { handoff: { ...ANA.handoff!, at: SOON } });
  expect(arrived(new Map([[path, NOW]]), [ANA])).toEqual([]);
  expect(arrived(new Map([[path, NOW]]), [again])).toEqual([again]);
  expect(arrived(new Map(), [ANA, RUI])).toEqual([ANA]);
});

test("axe finds nothing", async () => {
  api();
  const { container } = open();
  await screen.findByText("2 pizzas");
  await screen.findByText("Como posso ajudar?");
  await expectAccessible(container);
});
