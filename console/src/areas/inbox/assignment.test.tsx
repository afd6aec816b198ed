import { useQuery } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { answers, show, signInAs, words } from "../../testing/render.tsx";
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
  const state = useQuery(conversationQuery(KEY));
  return state.data && <Details conversationKey={KEY} state={state.data} />;
}

test("a choice made while another is stored waits for it, and builds on its answer", async () => {
  await words("pt", "inbox");
  signInAs("agent");
  let stored = STATE.assignment;
  const server = answers({ [`GET ${ONE}/notes`]: [], "GET /api/v1/teams": { teams: {} } });
  const puts: { revision: string | null; body: Assignment; done: () => void }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname;
    if (path === ONE) return Response.json({ ...STATE, assignment: stored });
    if (path !== `${ONE}/assignment`) return server.fetch(request);
    const body = (await request.json()) as Assignment;
    const revision = request.headers.get("if-match");
    await new Promise<void>((done) => puts.push({ revision, body, done }));
    if (revision !== `"${stored.revision}"`)
      return Response.json({ code: "assignment_changed", detail: "" }, { status: 412 });
    stored = { ...stored, ...body, revision: stored.revision + 1 };
    return Response.json(stored);
  });
  show([{ path: "/", element: <Shown /> }]);
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
  expect(stored).toMatchObject({ priority: "urgent", team: "Suporte", revision: 5 });
});
