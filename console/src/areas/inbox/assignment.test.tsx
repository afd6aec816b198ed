import { useQuery } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, show, signInAs, words } from "../../testing/render.tsx";
import { useChanged } from "./changes.ts";
import { Details } from "./Details.tsx";
import { conversationQuery, type Assignment, type ConversationState } from "./queries.ts";

const KEY = { number: "100000000000001", contact: "5511999990001" };
const ONE = `/api/v1/conversations/${KEY.contact}`;
const STATE = {
  phone: "+5511999990001",
  variables: {},
  fields: {},
  tags: [],
  assignment: { assignee: null, team: null, priority: null, tags: [], snoozed_until: null, revision: 3 },
} as unknown as ConversationState;

function Shown() {
  const state = useChanged(KEY, useQuery(conversationQuery(KEY)).data);
  return state && <Details conversationKey={KEY} state={state} />;
}

/** A server with one conversation. It stores an assignment over the revision that it has, unless it is refused. */
function desk(before: (body: Assignment, revision: string | null) => Promise<Response | void>) {
  const held = { stored: STATE.assignment };
  const teams = { sales: { name: "Vendas", members: ["rita", "agent@demo"] } };
  const colleagues = [
    { subject: "rita", name: "Rita Souza", role: "agent" },
    { subject: "c-1", name: "Caio", role: "admin" },
    { subject: "b-1", name: "Beto", role: "builder" },
  ];
  const server = answers({
    [`GET ${ONE}/notes`]: [],
    "GET /api/v1/teams": { teams },
    "GET /api/v1/colleagues": colleagues,
  });
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname;
    if (path === ONE) return Response.json({ ...STATE, assignment: held.stored });
    if (path !== `${ONE}/assignment`) return server.fetch(request);
    const body = (await request.json()) as Assignment;
    const revision = request.headers.get("if-match");
    const refusal = await before(body, revision);
    if (refusal) return refusal;
    if (revision !== `"${held.stored.revision}"`)
      return Response.json({ code: "assignment_changed", detail: "" }, { status: 412 });
    const snoozed = body.snoozed_until !== null;
    held.stored = { ...held.stored, ...body, snoozed, revision: held.stored.revision + 1 };
    return Response.json(held.stored);
  });
  show([{ path: "/", element: <Shown /> }]);
  return held;
}

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

test("a choice made while another is stored waits for it, and builds on its answer", async () => {
  const puts: { revision: string | null; body: Assignment; done: () => void }[] = [];
  const held = desk((body, revision) => new Promise<void>((done) => puts.push({ revision, body, done })));
  const priority = await screen.findByLabelText("Prioridade");
  const team = screen.getByRole("combobox", { name: "Equipe" });
  await userEvent.selectOptions(priority, "Urgente");
  await userEvent.type(team, "Suporte");
  await userEvent.tab();
  expect(puts).toHaveLength(1);
  expect(priority).toHaveValue("urgent");
  expect(team).toHaveValue("Suporte");
  puts[0]!.done();
  await waitFor(() => expect(puts).toHaveLength(2));
  expect(puts[1]!.revision).toBe('"4"');
  expect(puts[1]!.body).toMatchObject({ priority: "urgent", team: "Suporte" });
  puts[1]!.done();
  await waitFor(() => expect(screen.getByRole("button", { name: "Assumir" })).toBeEnabled());
  expect(screen.queryByRole("alert")).toBeNull();
  expect(held.stored).toMatchObject({ priority: "urgent", team: "Suporte", revision: 5 });
});

test("a conversation is put off, taken up again, tagged, taken and given back", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-30T10:30:00Z") });
  const held = desk(() => Promise.resolve());
  await userEvent.click(await screen.findByRole("button", { name: "Adiar por 4 horas" }));
  expect(await screen.findByText(/^Adiada até .*, ou até a pessoa escrever/)).toBeVisible();
  expect(held.stored.snoozed_until).toBe("2026-11-30T14:30:00.000Z");
  await userEvent.click(screen.getByRole("button", { name: "Retomar agora" }));
  expect(await screen.findByRole("button", { name: "Adiar por 4 horas" })).toBeVisible();
  expect(held.stored.snoozed_until).toBeNull();
  await userEvent.type(screen.getByRole("combobox", { name: "Etiquetas" }), "vip{Enter}");
  await waitFor(() => expect(held.stored.tags).toEqual(["vip"]));
  await userEvent.click(screen.getByRole("button", { name: "Assumir" }));
  await userEvent.click(await screen.findByRole("button", { name: "Liberar" }));
  await waitFor(() => expect(held.stored).toMatchObject({ assignee: null, tags: ["vip"], revision: 8 }));
  vi.useRealTimers();
});

test("a conversation is given to a colleague of a team, and taken back", async () => {
  const held = desk(() => Promise.resolve());
  const field = await screen.findByRole("combobox", { name: "Atendente" });
  await userEvent.click(field);
  expect(await screen.findByRole("option", { name: "Caio" })).toBeVisible();
  expect(screen.queryByRole("option", { name: "Beto" })).toBeNull();
  await userEvent.click(screen.getByRole("option", { name: "Rita Souza" }));
  await userEvent.tab();
  expect(await screen.findByText("Rita Souza está com esta conversa.")).toBeVisible();
  expect(held.stored.assignee).toBe("rita");
  await userEvent.clear(field);
  await userEvent.type(field, "Você");
  await userEvent.tab();
  expect(await screen.findByText("Você está com esta conversa.")).toBeVisible();
  expect(held.stored.assignee).toBe("agent@demo");
  await userEvent.clear(field);
  await userEvent.tab();
  expect(await screen.findByText("Nenhum atendente está com esta conversa ainda.")).toBeVisible();
  expect(held.stored).toMatchObject({ assignee: null, revision: 6 });
});

test("a choice that is refused is taken back, and the reason is said", async () => {
  desk(() => Promise.resolve(Response.json({ code: "forbidden", detail: "" }, { status: 403 })));
  const priority = await screen.findByLabelText("Prioridade");
  await userEvent.selectOptions(priority, "Urgente");
  expect(await screen.findByRole("alert")).toBeVisible();
  await waitFor(() => expect(priority).toHaveValue(""));
});

test("one of two choices that is refused is told until it is made again", async () => {
  let refuse = () => {};
  const refused = new Promise<Response>((resolve) => {
    refuse = () => resolve(Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 }));
  });
  let asked = 0;
  const held = desk(() => (asked++ === 0 ? refused : Promise.resolve()));
  const priority = await screen.findByLabelText("Prioridade");
  await userEvent.selectOptions(priority, "Urgente");
  await userEvent.click(screen.getByRole("button", { name: "Adiar por 1 hora" }));
  expect(await screen.findByRole("button", { name: "Retomar agora" })).toBeVisible();
  refuse();
  await waitFor(() => expect(priority).toHaveValue(""));
  await userEvent.click(await screen.findByRole("button", { name: "Tentar de novo" }));
  await waitFor(() => expect(held.stored).toMatchObject({ priority: "urgent", snoozed: true, revision: 5 }));
  expect(screen.queryByRole("alert")).toBeNull();
});
