import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { expectAccessible, signInAs, visit, words } from "../../testing/render.tsx";
import { shown, valueOf } from "./ContactForm.tsx";
import type { Consent, Contact } from "./queries.ts";
import routes from "./routes.tsx";

const ID = "5511999990001";
const UNKNOWN = { state: "unknown", source: null, at: null };
const CONSENT = { service: UNKNOWN, utility: UNKNOWN, marketing: UNKNOWN };
const ANA = {
  contact_id: ID,
  phone: `+${ID}`,
  user_id: null,
  username: "ana.s",
  name: "Ana",
  language: "pt_BR",
  tags: ["vip"],
  fields: { cidade: "Recife", pedidos: 3 },
  consent: CONSENT,
  opted_out: false,
  created_at: "2026-11-01T12:00:00Z",
  last_inbound_at: "2026-11-29T12:00:00Z",
} as Contact;
const HISTORY = [
  { purpose: "marketing", state: "granted", source: "feira", at: "2026-11-02T12:00:00Z" },
] as Consent["history"];
const ONE = `/api/v1/contacts/${ID}`;

function tagged(body: unknown, tag: string): Response {
  return Response.json(body, { headers: { etag: tag } });
}

function problem(status: number, code: string): Response {
  return Response.json({ code, detail: "" }, { status });
}

function open(path: string, changed: Record<string, unknown> = {}) {
  return visit("/people", routes, path, {
    "GET /api/v1/contacts": { contacts: [ANA], next_cursor: null },
    [`GET ${ONE}`]: tagged(ANA, '"3"'),
    [`GET ${ONE}/consent`]: { ...CONSENT, history: HISTORY },
    "GET /api/v1/numbers": [],
    [`GET /api/v1/conversations/${ID}`]: problem(404, "conversation_unknown"),
    ...changed,
  });
}

beforeEach(async () => {
  await words("pt", "people");
  signInAs("agent");
});

test("a segment that is saved again after a failure is the same segment", async () => {
  let made = 0;
  vi.spyOn(crypto, "randomUUID").mockImplementation(
    () => `s${++made}` as ReturnType<typeof crypto.randomUUID>,
  );
  signInAs("admin");
  const failed = Response.json({ code: "internal_error", detail: "" }, { status: 500 });
  const given = { "PUT /api/v1/segments/s1": failed, "PUT /api/v1/segments/s2": failed };
  const { sent } = open("/segments/new", given);
  await userEvent.type(await screen.findByLabelText(/^Nome/), "Recife");
  for (const times of [1, 2]) {
    // Each attempt ends before the next one.
    // oxlint-disable-next-line no-await-in-loop
    await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
    // oxlint-disable-next-line no-await-in-loop
    await waitFor(() => expect(sent("PUT /api/v1/segments/s1")).toHaveLength(times));
  }
  expect(sent("PUT /api/v1/segments/s2")).toEqual([]);
});

test("a segment is made of conditions, and says how many people it has", async () => {
  vi.spyOn(crypto, "randomUUID").mockReturnValue("s1" as ReturnType<typeof crypto.randomUUID>);
  const stored = {
    id: "s1",
    name: "Recife",
    all: [
      { field: "fields.cidade", operator: "==", value: "Recife" },
      { field: "consent.marketing", operator: "==", value: "granted" },
      { field: "last_activity", operator: ">", value: { days_ago: 14 } },
    ],
    any: [],
    query: null,
    updated_at: "2026-11-29T12:00:00Z",
  };
  signInAs("admin");
  const { sent, router } = open("/segments/new", {
    "PUT /api/v1/segments/s1": tagged(stored, '"1"'),
    "GET /api/v1/segments/s1": tagged(stored, '"1"'),
    "GET /api/v1/segments/s1/count": { count: 2048, as_of: "2026-11-29T12:00:00Z", seen: 2048 },
    "GET /api/v1/segments/s1/preview": { contacts: [ANA], complete: false },
  });
  await userEvent.type(await screen.findByLabelText(/^Nome/), "Recife");
  const add = screen.getAllByRole("button", { name: "Adicionar uma condição" })[0]!;
  for (const _ of stored.all) {
    // Each line is added after the one before.
    // oxlint-disable-next-line no-await-in-loop
    await userEvent.click(add);
  }
  const [city, consent, time] = screen.getAllByRole("combobox", { name: "O quê" });
  await userEvent.selectOptions(city!, "Campo");
  await userEvent.type(screen.getByRole("textbox", { name: "Campo" }), "cidade");
  await userEvent.selectOptions(screen.getAllByRole("combobox", { name: "Comparação" })[0]!, "==");
  await userEvent.type(screen.getAllByRole("textbox", { name: "Valor" })[0]!, "Recife");
  await userEvent.selectOptions(consent!, "Consentimento para marketing");
  await userEvent.selectOptions(time!, "Escreveu por último");
  const days = screen.getByDisplayValue("30 dias");
  await userEvent.clear(days);
  await userEvent.type(days, "14");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/people/segments/s1"));
  const { name, all, any, query } = stored;
  expect(sent("PUT /api/v1/segments/s1").map(({ body }) => body)).toEqual([{ name, all, any, query }]);
  expect(await screen.findByText("2.048 pessoas")).toBeVisible();
  expect(screen.getByRole("link", { name: "Ana" })).toBeVisible();
});

test("a file is imported, and the refused rows say why", async () => {
  const done = {
    import_id: "i1",
    status: "completed",
    rows: 1200,
    created: 1100,
    updated: 98,
    consent_kept: 3,
    error_count: 2,
    errors: [
      { row: 7, code: "phone_invalid", message: "Not valid." },
      { row: 9, code: "new_code", message: "Something new." },
    ],
    created_at: "2026-11-29T12:00:00Z",
    finished_at: "2026-11-29T12:01:00Z",
  };
  const { sent } = open("/imports", {
    "GET /api/v1/contacts/imports": { imports: [done] },
    "POST /api/v1/contacts/import?country=BR": Response.json({ import_id: "i2" }, { status: 202 }),
  });
  expect(
    await screen.findByText(/Linhas: 1.200. Pessoas adicionadas: 1.100; já conhecidas: 98/),
  ).toBeVisible();
  expect(screen.getByRole("row", { name: /^7 O número de telefone não é válido/ })).toBeVisible();
  expect(screen.getByRole("row", { name: "9 Something new." })).toBeVisible();
  await userEvent.type(screen.getByLabelText("País"), "br");
  const csv = "phone;name\n11999990001;Ana\n";
  const file = new File([csv], "pessoas.csv", { type: "text/csv" });
  await userEvent.upload(document.querySelector<HTMLInputElement>('input[type="file"]')!, file);
  await waitFor(() => expect(sent("POST /api/v1/contacts/import")).toHaveLength(1));
  const { body, headers } = sent("POST /api/v1/contacts/import")[0]!;
  expect([body, headers.get("content-type")]).toEqual([csv, "text/csv"]);
});

test("a file as Excel saves it in Brazil is sent with its accents", async () => {
  const { sent } = open("/imports", {
    "GET /api/v1/contacts/imports": { imports: [] },
    "POST /api/v1/contacts/import": Response.json({ import_id: "i2" }, { status: 202 }),
  });
  await screen.findByText("Nada foi importado ainda.");
  const bytes = Uint8Array.from("phone;name\r\n11999990001;Jo\xe3o\r\n", (letter) => letter.charCodeAt(0));
  await userEvent.upload(
    document.querySelector<HTMLInputElement>('input[type="file"]')!,
    new File([bytes], "pessoas.csv", { type: "text/csv" }),
  );
  await waitFor(() => expect(sent("POST /api/v1/contacts/import")).toHaveLength(1));
  expect(sent("POST /api/v1/contacts/import")[0]!.body).toBe("phone;name\r\n11999990001;João\r\n");
});

test("builders see how many people a segment has, not who they are", async () => {
  signInAs("builder");
  const stored = {
    id: "s1",
    name: "VIP",
    all: [
      { field: "tags", operator: "contains", value: "vip" },
      { field: "phone", operator: "matches", value: "^55" },
    ],
    any: [],
    query: { name: "reached_node", parameters: {} },
    updated_at: "2026-11-29T12:00:00Z",
  };
  const { sent } = open("/segments/s1", {
    "GET /api/v1/segments/s1": tagged(stored, '"1"'),
    "PUT /api/v1/segments/s1": tagged(stored, '"2"'),
    "GET /api/v1/segments/s1/count": { count: 1, as_of: "2026-11-29T12:00:00Z", seen: 1 },
  });
  expect(await screen.findByText("1 pessoa")).toBeVisible();
  expect(screen.queryByRole("link", { name: "Pessoas" })).toBeNull();
  expect(screen.getByText(/de um modo que este formulário não mostra/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent("PUT /api/v1/segments/s1")).toHaveLength(1));
  expect(sent("PUT /api/v1/segments/s1")[0]?.body).toMatchObject({ all: stored.all, query: stored.query });
  expect(sent("GET /api/v1/segments/s1/preview")).toEqual([]);
});

test("the server searches, after a pause in typing, and one match leads to the person", async () => {
  const bia = { ...ANA, contact_id: "5511999990002", name: "Bia" };
  const { router } = open("", {
    "GET /api/v1/contacts?limit=50&q=bia": { contacts: [bia], next_cursor: null },
  });
  expect(await screen.findByRole("link", { name: "Ana" })).toBeVisible();
  await userEvent.type(screen.getByRole("searchbox"), "bia");
  await userEvent.click(await screen.findByRole("link", { name: "Bia" }));
  expect(router.state.location.pathname).toBe("/people/5511999990002");
});

test("more people come on demand, below those who are shown", async () => {
  const bia = { ...ANA, contact_id: "5511999990002", name: "Bia" };
  open("", {
    "GET /api/v1/contacts": { contacts: [ANA], next_cursor: "c1" },
    "GET /api/v1/contacts?limit=50&cursor=c1": { contacts: [bia], next_cursor: null },
  });
  await userEvent.click(await screen.findByRole("button", { name: "Mostrar mais" }));
  expect(await screen.findByRole("link", { name: "Bia" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Ana" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Mostrar mais" })).toBeNull();
});

test("a save replaces only the version that was read, and unchanged values keep their type", async () => {
  const { sent } = open(`/${ID}`, { [`PUT ${ONE}`]: tagged(ANA, '"4"') });
  await userEvent.type(await screen.findByLabelText("Nome"), " Souza");
  await userEvent.click(screen.getAllByRole("button", { name: "Salvar" })[0]!);
  await waitFor(() => expect(sent(`PUT ${ONE}`)).toHaveLength(1));
  const [put] = sent(`PUT ${ONE}`);
  expect(put!.headers.get("if-match")).toBe('"3"');
  expect(put!.body).toEqual({
    name: "Ana Souza",
    language: "pt_BR",
    tags: ["vip"],
    fields: { cidade: "Recife", pedidos: 3 },
  });
});

test("a change by another person is said, with a way to load it", async () => {
  open(`/${ID}`, { [`PUT ${ONE}`]: problem(412, "contact_changed") });
  await screen.findByLabelText("Nome");
  await userEvent.click(screen.getAllByRole("button", { name: "Salvar" })[0]!);
  expect(await screen.findByRole("button", { name: "Carregar a versão atual" })).toBeVisible();
});

test("consent is changed with its source, and its history is shown", async () => {
  const { sent } = open(`/${ID}`, { [`PUT ${ONE}/consent`]: { ...CONSENT, history: HISTORY } });
  const part = within(await screen.findByRole("region", { name: "Consentimento" }));
  expect(await part.findByText(/feira/)).toBeVisible();
  await userEvent.selectOptions(part.getByLabelText("Nova situação"), "Retirado");
  await userEvent.type(part.getByLabelText(/Origem/), "pediu por telefone");
  await userEvent.click(part.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent(`PUT ${ONE}/consent`)).toHaveLength(1));
  expect(sent(`PUT ${ONE}/consent`)[0]!.body).toEqual({
    marketing: { state: "withdrawn", source: "pediu por telefone" },
  });
});

const NUMBERS = [
  { phone_number_id: "101", display_phone_number: "+55 11 4000-0001" },
  { phone_number_id: "102", display_phone_number: "+55 11 4000-0002" },
  { phone_number_id: "103", display_phone_number: "+55 11 4000-0003" },
];
const TALKS = {
  "GET /api/v1/numbers": NUMBERS,
  [`GET /api/v1/conversations/${ID}`]: {
    contact_id: ID,
    phone_number_id: "102",
    status: "human",
    last_activity_at: "2026-11-29T12:00:00Z",
  },
  [`GET /api/v1/conversations/${ID}?phone_number_id=101`]: {
    contact_id: ID,
    phone_number_id: "101",
    status: "idle",
    last_activity_at: "2026-11-03T12:00:00Z",
  },
  [`GET /api/v1/conversations/${ID}?phone_number_id=103`]: problem(404, "conversation_unknown"),
};

test("a person's conversations are listed with their numbers, the latest first", async () => {
  open(`/${ID}`, TALKS);
  const part = within(await screen.findByRole("region", { name: "Conversas" }));
  await part.findAllByRole("listitem");
  const [latest, older] = part.getAllByRole("listitem");
  expect(latest).toHaveTextContent(/^No número \+55 11 4000-0002 · Com atendentes · 29/);
  expect(older).toHaveTextContent(/^No número \+55 11 4000-0001 · Encerrada · 3/);
  expect(part.getAllByRole("listitem")).toHaveLength(2);
  expect(within(latest!).getByRole("link")).toHaveAttribute("href", `/inbox/102/${ID}`);
});

test("a person without conversations has none, and a builder does not ask for them", async () => {
  open(`/${ID}`);
  expect(await screen.findByText("Esta pessoa ainda não tem conversas.")).toBeVisible();
  cleanup();
  signInAs("builder");
  const { sent } = open(`/${ID}`, TALKS);
  await screen.findByRole("region", { name: "Consentimento" });
  expect(screen.queryByRole("region", { name: "Conversas" })).toBeNull();
  expect(sent(`GET /api/v1/conversations/${ID}`)).toEqual([]);
});

test("a person is erased only after the word is typed", async () => {
  const { sent, router } = open(`/${ID}`, { [`DELETE ${ONE}`]: new Response(null, { status: 204 }) });
  await userEvent.click(await screen.findByRole("button", { name: "Apagar" }));
  const dialog = within(await screen.findByRole("dialog"));
  const sure = dialog.getByRole("button", { name: "Apagar" });
  expect(sure).toBeDisabled();
  await userEvent.type(dialog.getByRole("textbox"), "apagar");
  await userEvent.click(sure);
  await waitFor(() => expect(router.state.location.pathname).toBe("/people"));
  expect(sent(`DELETE ${ONE}`)).toHaveLength(1);
});

test.each([
  ["known", tagged(ANA, '"3"'), 0],
  ["new", problem(404, "contact_unknown"), 1],
])("adding a person who is %s never empties what is stored", async (_, found, puts) => {
  const { sent, router } = open("", { [`GET ${ONE}`]: found, [`PUT ${ONE}`]: tagged(ANA, '"1"') });
  await userEvent.click(await screen.findByRole("button", { name: "Adicionar pessoa" }));
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.type(dialog.getByLabelText(/Telefone/), "+55 11 99999-0001");
  await userEvent.click(dialog.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe(`/people/${ID}`));
  expect(sent(`PUT ${ONE}`)).toHaveLength(puts);
});

test("a field is text when it was changed", () => {
  expect(valueOf(shown(3), 3)).toBe(3);
  expect(valueOf("4", 3)).toBe("4");
  expect(valueOf(shown({ a: 1 }), { a: 1 })).toEqual({ a: 1 });
  expect(valueOf("x", undefined)).toBe("x");
});

test.each(["", `/${ID}`])("axe finds nothing: %s", async (path) => {
  const { container } = open(path);
  await screen.findByRole("heading", { level: 1 });
  await waitFor(() => expect(container.querySelector(".mantine-Skeleton-root")).toBeNull());
  await expectAccessible(container);
});
