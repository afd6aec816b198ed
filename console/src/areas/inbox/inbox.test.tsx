import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import {
  ANA,
  api,
  ASSIGNMENT,
  NOW,
  NUMBER,
  ONE,
  open,
  person,
  RUI,
  said,
  TRANSCRIPT,
  STATE,
} from "../../testing/inbox.tsx";
import { expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import { countsQuery, listQuery } from "./queries.ts";
import routes from "./routes.tsx";

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

test("those who wait for an agent are listed with the reason, and the server searches", async () => {
  api({ "GET /api/v1/conversations?limit=50&search=rui": { conversations: [RUI], next_cursor: null } });
  show([{ path: "/inbox", children: routes }], "/inbox");
  const item = await screen.findByRole("link", { name: /Ana Júlia/ });
  expect(item).toHaveTextContent("E o meu pedido?");
  await waitFor(() => expect(item).toHaveTextContent("Equipe de vendas"));
  expect(item).toHaveTextContent("Prioridade: Alta");
  expect(item).toHaveTextContent("Mensagens novas");
  await waitFor(() => expect(document.title).toBe("(1) Atendimento · PyTake"));
  expect(screen.getByRole("option", { name: "Sem atendente (1)" })).toBeInTheDocument();
  await userEvent.selectOptions(screen.getByRole("combobox"), "Todas");
  expect(await screen.findByRole("link", { name: /Rui.*Bot: Mensagem sem texto \(imagem\)/ })).toBeVisible();
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

test.each([
  ["mine", "status=human&assignee=me&snoozed=false", "Nenhuma conversa está com você."],
  ["unassigned", "status=human&assignee=none&snoozed=false", "Toda conversa tem um atendente."],
  ["snoozed", "status=human&snoozed=true", "Nenhuma conversa está adiada."],
  ["waiting", "status=waiting", "O bot não está esperando ninguém."],
  ["idle", "status=idle", "Nenhuma conversa foi encerrada ainda."],
])("the server filters the list: %s", async (view, filter, none) => {
  api({ [`GET /api/v1/conversations?limit=50&${filter}`]: { conversations: [], next_cursor: null } });
  show([{ path: "/inbox", children: routes }], "/inbox");
  await screen.findByRole("link", { name: /Ana Júlia/ });
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Quais conversas" }), view);
  expect(await screen.findByText(none)).toBeVisible();
});

test("older conversations come on demand, and stay when the list is read again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["setInterval", "setTimeout", "clearTimeout"] });
  const list = "GET /api/v1/conversations?limit=50";
  const { asked } = api({
    [`${list}&status=human&snoozed=false`]: { conversations: [ANA], next_cursor: "c1" },
    [`${list}&cursor=c1&status=human&snoozed=false`]: { conversations: [RUI], next_cursor: null },
  });
  show([{ path: "/inbox", children: routes }], "/inbox");
  const button = await screen.findByRole("button", { name: "Mostrar mais antigas" });
  const user = userEvent.setup({ advanceTimers: (delay) => vi.advanceTimersByTime(delay) });
  await user.click(button);
  expect(await screen.findByRole("link", { name: /Rui/ })).toBeInTheDocument();
  expect(button).not.toBeInTheDocument();
  const read = () => asked.filter(({ search }) => search.includes("cursor=c1")).length;
  const before = read();
  await vi.advanceTimersByTimeAsync(4_500);
  await waitFor(() => expect(read()).toBeGreaterThan(before));
  expect(screen.getAllByRole("link").map((one) => one.textContent)).toEqual([
    expect.stringContaining("Ana Júlia"),
    expect.stringContaining("Rui"),
  ]);
  vi.useRealTimers();
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
  await userEvent.click(await screen.findByRole("button", { name: "Assumir" }));
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

test("a team is chosen by its name, and stored by its department", async () => {
  const teams = { vendas: { name: "Equipe de vendas", members: [] } };
  const given = api({ "GET /api/v1/teams": { teams }, [`PUT ${ONE}/assignment`]: ASSIGNMENT });
  open();
  await userEvent.type(await screen.findByRole("combobox", { name: "Equipe" }), "Equipe");
  await userEvent.click(await screen.findByRole("option", { name: "Equipe de vendas" }));
  await userEvent.tab();
  const puts = () => given.asked.filter(({ key }) => key === `PUT ${ONE}/assignment`);
  await waitFor(() => expect(puts().map(({ body }) => body)).toMatchObject([{ team: "vendas" }]));
});

test("long lists and many conversations are asked for less often", () => {
  const { refetchInterval } = listQuery("human");
  const every = refetchInterval as (query: unknown) => number;
  const count = countsQuery().refetchInterval as (query: unknown) => number;
  expect(every({ state: {} })).toBe(2_000);
  expect(every({ state: { data: { pages: Array.from({ length: 20 }) } } })).toBe(40_000);
  expect(count({ state: { data: { agents: 99 } } })).toBe(2_000);
  expect(count({ state: { data: { agents: 1_000 } } })).toBe(22_000);
});

test("a number that Meta has stopped is named, with the way out for those who have one", async () => {
  const number = { phone_number_id: NUMBER, display_phone_number: "+55 11 4000-0001", stopped_reason: "190" };
  api({ "GET /api/v1/numbers": [number] });
  const { unmount } = show([{ path: "/inbox", children: routes }], "/inbox");
  expect(await screen.findByText(/\+55 11 4000-0001 não envia/)).toBeVisible();
  expect(screen.queryByRole("link", { name: "Ver os números" })).toBeNull();
  unmount();
  signInAs("admin");
  show([{ path: "/inbox", children: routes }], "/inbox");
  expect(await screen.findByRole("link", { name: "Ver os números" })).toBeVisible();
});

test("a note is shown while it is added, and one that failed is added again or changed", async () => {
  const write = () => screen.findByLabelText("Escreva uma nota para a equipe");
  const refused = Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 });
  const { asked } = api({ [`POST ${ONE}/notes`]: refused });
  open();
  await userEvent.type(await write(), "Ligar amanhã");
  await userEvent.click(screen.getByRole("button", { name: "Adicionar nota" }));
  expect(await write()).toHaveValue("");
  expect(screen.getByText("Ligar amanhã")).toBeVisible();
  await userEvent.click(await screen.findByRole("button", { name: "Tentar de novo" }));
  const added = () => asked.filter(({ key }) => key === `POST ${ONE}/notes`);
  await waitFor(() =>
    expect(added().map(({ body }) => body)).toEqual([{ text: "Ligar amanhã" }, { text: "Ligar amanhã" }]),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Editar" }));
  expect(await write()).toHaveValue("Ligar amanhã");
  expect(screen.queryByText("Não enviada")).toBeNull();
});

test("a note that is begun, and what an agent has seen, belong to one conversation", async () => {
  const bia = person("5511999990003", "Bia", { turn: 2 });
  const other = `/api/v1/conversations/${bia.contact_id}`;
  const given = api({
    "GET /api/v1/conversations?limit=50&status=human&snoozed=false": {
      conversations: [ANA, bia],
      next_cursor: null,
    },
    [`GET ${other}`]: { ...STATE, ...bia },
    [`GET ${other}/notes`]: [],
    [`POST ${other}/read`]: ASSIGNMENT,
    [`POST ${other}/typing`]: ASSIGNMENT,
    [TRANSCRIPT.replace(ANA.contact_id, bia.contact_id)]: { messages: [], truncated: false },
    [`POST ${ONE}/send`]: { turn: 8 },
    [`POST ${other}/send`]: { turn: 3 },
  });
  open();
  await userEvent.type(await screen.findByLabelText("Escreva uma nota para a equipe"), "Alergia");
  await userEvent.type(screen.getByRole("textbox", { name: "Escreva uma mensagem" }), "Um{Enter}");
  await waitFor(() => expect(given.asked.some(({ key }) => key === `POST ${ONE}/send`)).toBe(true));
  await userEvent.click(screen.getByRole("link", { name: /Bia/ }));
  await screen.findByRole("heading", { name: "Bia" });
  expect(screen.getByLabelText("Escreva uma nota para a equipe")).toHaveValue("");
  await userEvent.type(screen.getByRole("textbox", { name: "Escreva uma mensagem" }), "Dois{Enter}");
  const sent = () => given.asked.filter(({ key }) => key === `POST ${other}/send`);
  await waitFor(() => expect(sent().map(({ body }) => body)).toEqual([{ text: "Dois", expected_turn: 2 }]));
});

test("a note that was added stays in its place", async () => {
  const note = { id: "n3", at: NOW, by: "rita", text: "Ligar amanhã", changes: {} };
  api({ [`POST ${ONE}/notes`]: Response.json(note, { status: 201 }) });
  open();
  await screen.findByText("Cliente antigo");
  await userEvent.type(screen.getByLabelText("Escreva uma nota para a equipe"), "Ligar amanhã");
  await userEvent.click(screen.getByRole("button", { name: "Adicionar nota" }));
  await waitFor(() => expect(screen.queryByText("Adicionando")).toBeNull());
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

test("the notes say until when a conversation was snoozed", async () => {
  const until = Math.floor(Date.parse("2020-03-05T15:30:00") / 1000) + 0.035;
  const note = { id: "n1", at: NOW, by: "rita", text: null, changes: { snoozed_until: [null, until] } };
  api({ [`GET ${ONE}/notes`]: [note] });
  open();
  expect(await screen.findByText(/Adiada até: 05\/03,? 15:30/)).toBeVisible();
});

test("colleagues are named, in the list, the messages and the notes", async () => {
  const assignment = { ...ASSIGNMENT, assignee: "rita", typing_by: "rita" };
  const messages = [
    said("agent", "Bom dia", 2, { author: "rita" }),
    said("agent", "Olá", 3, { author: "phone_app" }),
    said("agent", "Oi", 4, { author: "left" }),
  ];
  const page = { conversations: [{ ...ANA, assignment }], next_cursor: null };
  const note = { id: "n1", at: NOW, by: "rita", text: null };
  api({
    "GET /api/v1/colleagues": [{ subject: "rita", name: "Rita Souza", role: "agent" }],
    "GET /api/v1/conversations?limit=50&status=human&snoozed=false": page,
    [`GET ${ONE}`]: { ...STATE, assignment },
    [`GET ${ONE}/notes`]: [{ ...note, changes: { assignee: [null, "rita"], team: [null, "Vendas"] } }],
    [TRANSCRIPT]: { messages, truncated: false, contact_id: ANA.contact_id, phone_number_id: NUMBER },
  });
  open();
  await waitFor(() => expect(screen.getAllByText(/Rita Souza/)).toHaveLength(7));
  expect(screen.getByText(/Atendente: Rita Souza; Equipe: Equipe de vendas/)).toBeVisible();
  expect(screen.getByText("Aplicativo WhatsApp Business")).toBeVisible();
  expect(screen.getByText("left")).toBeVisible();
  expect(screen.queryByText(/\brita\b/)).toBeNull();
});

test("where the details are hidden, a conversation is taken and released at its head, which says what failed", async () => {
  const narrow = { ...matchMedia(""), matches: true };
  vi.spyOn(window, "matchMedia").mockReturnValue(narrow);
  const given = api({ [`PUT ${ONE}/assignment`]: { ...ASSIGNMENT, assignee: "agent@demo", revision: 4 } });
  open();
  const head = within((await screen.findByRole("heading", { name: "Ana Júlia" })).closest("header")!);
  await userEvent.click(head.getByRole("button", { name: "Assumir" }));
  const release = await head.findByRole("button", { name: "Liberar" });
  expect(release).toHaveFocus();
  await waitFor(() => expect(given.asked.some(({ key }) => key === `PUT ${ONE}/assignment`)).toBe(true));
  api({ [`PUT ${ONE}/assignment`]: Response.json({ code: "changed", detail: "" }, { status: 503 }) });
  await userEvent.click(release);
  expect(await head.findByRole("alert")).toBeVisible();
  await userEvent.click(head.getByRole("button", { name: "Sobre a conversa" }));
  expect(head.queryByRole("button", { name: /Assumir|Liberar/ })).toBeNull();
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
  await waitFor(() => expect(reason).toHaveFocus());
  await userEvent.type(reason, "ligar 5511");
  expect(within(dialog).getByRole("button", { name: "Encerrar a conversa" })).toBeDisabled();
  await userEvent.clear(reason);
  await userEvent.type(reason, "Não é conosco");
  await userEvent.click(within(dialog).getByRole("button", { name: "Encerrar a conversa" }));
  const closed = () => given.asked.filter(({ key }) => key === `POST ${ONE}/close`);
  await waitFor(() => expect(closed().map(({ body }) => body)).toEqual([{ reason: "Não é conosco" }]));
});

test("what could not be changed shows as it was, in the list too, and why", async () => {
  let answer = (_: Response) => {};
  const answered = new Promise<Response>((resolve) => (answer = resolve));
  const server = api();
  vi.stubGlobal("fetch", (request: Request) =>
    request.url.includes("/resume") ? answered : server.fetch(request),
  );
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Devolver ao bot" }));
  const item = screen.getByRole("link", { name: /Ana Júlia/ });
  expect(item).toHaveTextContent("Com o bot");
  expect(screen.queryByRole("button", { name: "Devolver ao bot" })).toBeNull();
  answer(Response.json({ code: "conversation_busy", detail: "" }, { status: 409 }));
  expect(await screen.findByRole("button", { name: "Devolver ao bot" })).toBeVisible();
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(item).not.toHaveTextContent("Com o bot");
});

test("an open conversation counts as read at once, and as unread again if that fails", async () => {
  let answer = (_: Response) => {};
  const answered = new Promise<Response>((resolve) => (answer = resolve));
  const server = api();
  let reads = 0;
  vi.stubGlobal("fetch", (request: Request) => {
    if (!request.url.includes("/read")) return server.fetch(request);
    reads += 1;
    return answered;
  });
  open();
  const item = await screen.findByRole("link", { name: /Ana Júlia/ });
  await waitFor(() => expect(item).toHaveAttribute("data-unread", "false"));
  answer(Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 }));
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(item).toHaveAttribute("data-unread", "true");
  expect(reads).toBe(1);
});

test("axe finds nothing", async () => {
  api();
  const { container } = open();
  await screen.findByText("2 pizzas");
  await screen.findByText("Como posso ajudar?");
  await expectAccessible(container);
});
