import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { expectAccessible, signInAs, visit, words } from "../../testing/render.tsx";
import { FLOW, PERIOD } from "../../testing/samples.ts";
import { problemOf } from "./period.ts";
import routes from "./routes.tsx";

const BASE = "/api/v1/whatsapp-analytics/flows/menu";
const GIVEN = {
  "GET /api/v1/flows": [FLOW, { flow_id: "leads", name: "Leads" }],
  [`GET ${BASE}/report`]: {
    period: PERIOD,
    as_of: "2026-11-29T12:00:00Z",
    conversations: {
      total: 1234,
      completed: 617,
      active: 7,
      expired: 5,
      handed_off: 3,
      completion_rate: 0.5,
      unique_users: 1000,
    },
    messages: { total: 9, from_user: 4, from_bot: 5, billable: 5, average_per_conversation: 1 },
    duration: { average_seconds: 1, median_seconds: 90, p95_seconds: 1, min_seconds: 1, max_seconds: 1 },
  },
  [`GET ${BASE}/daily-activity`]: {
    period: PERIOD,
    as_of: null,
    days: [{ date: "2026-11-29", messages: 9, conversations: 4, unique_users: 3 }],
  },
  [`GET ${BASE}/nodes-heatmap`]: {
    period: PERIOD,
    as_of: null,
    conversations: 4,
    nodes: [
      {
        flow_id: "menu",
        node_id: "ask_name",
        visits: 4,
        share: 1,
        drop_off: 1,
        drop_off_rate: 0.25,
        still_here: 2,
        exits: [],
      },
    ],
  },
  [`GET ${BASE}/user-segments`]: {
    period: PERIOD,
    as_of: null,
    segments: {
      power: { count: 1, share: 0.25 },
      active: { count: 1, share: 0.25 },
      inactive: { count: 2, share: 0.5 },
    },
  },
  "GET /api/v1/flows/menu/answers": {
    period: PERIOD,
    as_of: null,
    questions: [{ variable: "name", question: "Qual é o seu nome?", node_id: "ask_name", flow_id: "menu" }],
    rows: [
      {
        session: "s1",
        contact: "p1",
        started_at: "2026-11-29T12:00:00Z",
        state: "completed",
        answers: { name: "Ana" },
      },
    ],
    counts: [
      {
        variable: "name",
        answered: 4,
        most_frequent: [{ value: "Ana", count: 3 }],
        others: 1,
      },
    ],
    total: 1,
    truncated: false,
    next_cursor: null,
  },
  "GET /api/v1/queries": [
    {
      name: "response_times",
      description: "How long people take.",
      parameters: [{ name: "flow_id", type: "flow", description: "The flow", default: null }],
    },
    {
      name: "of_a_later_release",
      description: "What this console does not know.",
      parameters: [
        { name: "flow_id", type: "flow", description: "The flow", default: null },
        { name: "node_id", type: "node", description: "The node", default: null },
        { name: "minutes", type: "hours", description: "Within", default: 24 },
      ],
    },
  ],
  "GET /api/v1/flows/menu": {
    document: {
      id: "menu",
      nodes: [
        {
          id: "ask_name",
          type: "question",
          data: { question: "Nome?", next_node_id: "end" },
          position: { x: 0, y: 0 },
        },
        { id: "end", type: "end", data: {}, position: { x: 400, y: 0 } },
      ],
    },
  },
  "GET /api/v1/flows/leads": { document: { id: "leads", nodes: [{ id: "budget" }] } },
};

function open(search: string, changed: Record<string, unknown> = {}) {
  const given = Object.defineProperties({ ...GIVEN }, Object.getOwnPropertyDescriptors(changed));
  return visit("/measure", routes, search, given);
}

beforeEach(async () => {
  vi.useFakeTimers({ now: new Date("2026-11-30T12:00:00Z"), toFake: ["Date"] });
  await words("pt", "measure");
  signInAs("analyst");
});

afterEach(() => vi.useRealTimers());

test("the overview shows numbers as the language writes them, and each day for those who do not see bars", async () => {
  open("");
  expect(await screen.findByText("1.234")).toBeVisible();
  expect(screen.getByText("617 (50%)")).toBeVisible();
  expect(screen.getByText("1,5 min")).toBeVisible();
  expect(await screen.findByRole("row", { name: "29/11 4 9 3" })).toBeInTheDocument();
  expect(await screen.findByRole("cell", { name: "1 (25%)" })).toBeVisible();
});

test("what is shown is in the address", async () => {
  const { router } = open("?flow=menu&days=7");
  await screen.findByText("1.234");
  await userEvent.selectOptions(screen.getByLabelText("Período"), "Últimos 90 dias");
  await userEvent.click(screen.getByRole("tab", { name: "Respostas" }));
  await waitFor(() => expect(router.state.location.search).toBe("?flow=menu&days=90&tab=answers"));
});

test("steps have the names of the flow, and come in its order", async () => {
  const heat = {
    flow_id: "menu",
    visits: 4,
    share: 1,
    drop_off: 0,
    drop_off_rate: 0,
    still_here: 0,
    exits: [],
  };
  const ids = ["bye", "ask", "begin", "gone"];
  const flow = {
    id: "menu",
    start_node_id: "begin",
    nodes: [
      { id: "bye", type: "end", data: { message: "Até logo!" } },
      {
        id: "ask",
        type: "question",
        label: "Nome da pessoa",
        data: { question: "Nome?", next_node_id: "bye" },
      },
      { id: "begin", type: "start", data: { greeting: "Olá!", next_node_id: "ask" } },
    ],
  };
  open("?flow=menu", {
    [`GET ${BASE}/nodes-heatmap`]: {
      period: PERIOD,
      as_of: null,
      conversations: 4,
      nodes: [...ids.map((node_id) => ({ ...heat, node_id })), { ...heat, flow_id: "other", node_id: "ask" }],
    },
    "GET /api/v1/flows/menu": { document: flow },
  });
  await screen.findByRole("row", { name: /^Nome da pessoa/ });
  const rows = within(screen.getByRole("columnheader", { name: "Passo" }).closest("table")!).getAllByRole(
    "row",
  );
  expect(rows.slice(1).map((row) => row.querySelector("td")!.textContent)).toEqual([
    "Olá!",
    "Nome da pessoa",
    "Até logo!",
    "gone",
    "ask · other",
  ]);
});

const RANGE = "?from=2026-10-05&to=2026-11-02";

test("two dates of the person's choice are asked for once, and kept in the address", async () => {
  const { router, asked } = open("?flow=menu", {
    [`GET ${BASE}/report${RANGE}`]: GIVEN[`GET ${BASE}/report`],
  });
  await userEvent.selectOptions(await screen.findByLabelText("Período"), "Escolher as datas…");
  expect(screen.getByLabelText("De")).toHaveValue("2026-11-01");
  expect(screen.getByLabelText("Até")).toHaveValue("2026-11-30");
  await screen.findByText("1.234");
  const before = asked.length;
  fireEvent.change(screen.getByLabelText("De"), { target: { value: "2026-10-05" } });
  fireEvent.change(screen.getByLabelText("Até"), { target: { value: "2026-11-02" } });
  expect(asked).toHaveLength(before);
  await userEvent.click(screen.getByRole("button", { name: "Aplicar" }));
  await waitFor(() => expect(router.state.location.search).toBe(`?flow=menu&${RANGE.slice(1)}`));
  await waitFor(() => expect(asked.slice(before).map(({ search }) => search)).toEqual(Array(4).fill(RANGE)));
  await userEvent.selectOptions(screen.getByLabelText("Período"), "Últimos 7 dias");
  await waitFor(() => expect(router.state.location.search).toBe("?flow=menu&days=7"));
  expect(screen.queryByLabelText("De")).toBeNull();
});

test.each([
  ["answers", "/api/v1/flows/menu/answers", "Respostas"],
  ["spending", "/api/v1/reports/spending", "Gastos"],
  ["experiments", "/api/v1/flows/menu/experiments", "Experimentos"],
])("dates of an address are those of the report: %s", async (tab, path, name) => {
  const { asked } = open(`${RANGE}&flow=menu&tab=${tab}`, {
    [`GET ${path}`]: new Response(null, { status: 503 }),
  });
  expect(await screen.findByRole("tab", { name, selected: true })).toBeVisible();
  await waitFor(() => expect(asked.find(({ key }) => key === `GET ${path}`)?.search).toContain(RANGE));
});

test.each([
  ["from=2026-11-02&to=2026-11-01", /A primeira data vem depois da última/],
  ["from=2026-11-02&to=2026-12-01", /está no futuro/],
  ["from=2025-11-30&to=2026-11-30", /mais de 365 dias/],
  ["from=2026-11-02", /Preencha as duas datas/],
  ["from=then&to=now", /Preencha as duas datas/],
])("no report is asked for dates that are not a period: %s", async (search, sentence) => {
  const { asked, container } = open(`?${search}`);
  expect(await screen.findByRole("alert")).toHaveTextContent(sentence);
  expect(screen.getByLabelText("De")).toBeInvalid();
  await waitFor(() => expect(screen.getByLabelText("Fluxo")).toHaveValue("menu"));
  expect(asked.map(({ key }) => key)).toEqual(["GET /api/v1/flows"]);
  await expectAccessible(container);
});

test("the longest period is the one that the API takes", () => {
  expect(problemOf({ from: "2025-12-01", to: "2026-11-30" }, "2026-11-30")).toBeNull();
});

test("answers stand below their questions, and the whole table is a file", async () => {
  const { asked } = open("?tab=answers", {});
  expect(await screen.findByRole("columnheader", { name: /Qual é o seu nome/ })).toBeVisible();
  expect(screen.getByRole("cell", { name: "Ana" })).toBeVisible();
  const made = vi.fn<() => string>(() => "blob:file");
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: made, revokeObjectURL: () => undefined }));
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  await userEvent.click(screen.getByRole("button", { name: "Baixar CSV" }));
  await waitFor(() => expect(clicked).toHaveBeenCalledOnce());
  expect(asked.at(-1)!.headers.get("accept")).toBe("text/csv");
  expect(made).toHaveBeenCalledOnce();
});

test("further answers are asked for from where the page ended, with the same period and search", async () => {
  const path = "GET /api/v1/flows/menu/answers";
  const first = GIVEN[path] as { rows: object[] };
  const bruno = { ...first.rows[0], session: "s2", contact: "p2", answers: { name: "Bruno" } };
  const { sent } = open("?flow=menu&days=7&tab=answers", {
    get [path]() {
      const cursor = sent(path).at(-1)!.search.includes("cursor=second");
      return { ...first, total: 2, ...(cursor ? { rows: [bruno] } : { next_cursor: "second" }) };
    },
  });
  await userEvent.type(await screen.findByRole("searchbox"), "a");
  await waitFor(() => expect(sent(path).at(-1)!.search).toContain("value=a"));
  await userEvent.click(await screen.findByRole("button", { name: "Mostrar mais" }));
  expect(await screen.findByRole("cell", { name: "Bruno" })).toBeVisible();
  expect(screen.getByRole("cell", { name: "Ana" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Mostrar mais" })).toBeNull();
  const [before, after] = sent(path)
    .slice(-2)
    .map(({ search }) => new URLSearchParams(search));
  expect(after!.get("cursor")).toBe("second");
  after!.delete("cursor");
  expect([...after!]).toEqual([...before!]);
});

test("a saved query has a title, and shows what it found in the person's words", async () => {
  const row = { who: "agent", node_flow_id: null, node_id: null, answers: "1200", average_seconds: "62.5" };
  const found = {
    name: "response_times",
    columns: Object.keys(row),
    as_of: null,
    truncated: false,
    rows: [row],
  };
  const { asked } = open(`${RANGE}&tab=queries`, { "POST /api/v1/queries/response_times": found });
  expect(await screen.findByRole("option", { name: "Tempos de resposta" })).toBeInTheDocument();
  expect(screen.getByText(/Quanto as pessoas demoram .* contados em UTC/)).toBeVisible();
  const flow = await screen.findByLabelText(/^Fluxo \*/);
  await userEvent.selectOptions(flow, "Leads");
  await userEvent.click(screen.getByRole("button", { name: "Executar" }));
  expect(await screen.findByRole("row", { name: "Atendente – – 1.200 62,5" })).toBeVisible();
  const headers = screen.getAllByRole("columnheader").map(({ textContent }) => textContent);
  expect(headers).toEqual(["Quem respondeu", "Fluxo do passo", "Passo", "Respostas", "Média (segundos)"]);
  const body = { from: "2026-10-05", to: "2026-11-02", parameters: { flow_id: "leads" } };
  expect(asked.at(-1)!.body).toEqual(body);
});

test("a query that the console does not know yet is asked by the API's own words", async () => {
  const row = { minutes: "3", share: "0.125", node_id: "budget" };
  const found = { columns: Object.keys(row), as_of: null, truncated: false, rows: [row] };
  const { asked } = open("?tab=queries", { "POST /api/v1/queries/of_a_later_release": found });
  await userEvent.selectOptions(await screen.findByLabelText("Consulta"), "of_a_later_release");
  const flow = await screen.findByLabelText(/^Fluxo \*/);
  await userEvent.selectOptions(flow, "Leads");
  await userEvent.click(screen.getByRole("combobox", { name: /Passo de sorteio/ }));
  await userEvent.click(await screen.findByRole("option", { name: "budget" }));
  await userEvent.click(screen.getByRole("button", { name: "Executar" }));
  expect(await screen.findByRole("row", { name: "3 12,5% budget" })).toBeVisible();
  const parameters = { flow_id: "leads", node_id: "budget", minutes: 24 };
  expect(asked.at(-1)!.body).toMatchObject({ parameters });
});

test("a funnel is asked for the steps in the order in which the analyst chose them", async () => {
  const query = {
    name: "funnel",
    description: "",
    parameters: [
      { name: "flow_id", type: "flow", description: "", default: null },
      { name: "nodes", type: "nodes", description: "", default: null },
    ],
  };
  const row = { step: "1", node_id: "end", reached: "4", share_of_all: "1", share_of_step_before: "1" };
  const found = { columns: Object.keys(row), as_of: null, truncated: false, rows: [row] };
  const { asked } = open("?tab=queries", {
    "GET /api/v1/queries": [query],
    "POST /api/v1/queries/funnel": found,
  });
  const steps = await screen.findByRole("combobox", { name: /^Passos/ });
  await userEvent.click(steps);
  await userEvent.click(await screen.findByRole("option", { name: "end" }));
  await userEvent.click(await screen.findByRole("option", { name: "ask_name" }));
  await userEvent.click(screen.getByRole("button", { name: "Executar" }));
  expect(await screen.findByRole("row", { name: /end 4 100% 100%/ })).toBeVisible();
  expect(asked.at(-1)!.body).toMatchObject({ parameters: { flow_id: "menu", nodes: ["end", "ask_name"] } });
});

test("a flow without conversations says so", async () => {
  const report = GIVEN[`GET ${BASE}/report`] as Record<string, unknown>;
  open("", { [`GET ${BASE}/report`]: { ...report, as_of: null } });
  expect(await screen.findByText(/Nada foi contado ainda/)).toBeVisible();
});

test.each(["?tab=overview", "?tab=answers", "?tab=queries"])("axe finds nothing: %s", async (search) => {
  const { container } = open(search);
  await screen.findByRole("heading", { level: 1 });
  await waitFor(() => expect(container.querySelector(".mantine-Skeleton-root")).toBeNull());
  await expectAccessible(container);
});

test("the map of the flow shows visits, drop-off and who is still at a node", async () => {
  open("?flow=menu&tab=map");
  const map = await screen.findByRole("region", { name: "Mapa do fluxo" });
  const asked = within(map).getByText("Nome?").parentElement!;
  expect(asked).toHaveTextContent("4 visitas · 100%");
  expect(asked).toHaveTextContent("1 desistência (25%) · 2 ainda aqui");
  expect(within(map).getByText("end").parentElement).toHaveTextContent("Sem visitas");
});

test("the map names actions in the person's language, and counts one visit as one", async () => {
  const tagging = { id: "tag", type: "action", data: { actions: [{ type: "add_tag" }] } };
  const heat = { flow_id: "menu", node_id: "tag", visits: 1, share: 1, drop_off: 0, drop_off_rate: 0 };
  open("?flow=menu&tab=map", {
    "GET /api/v1/flows/menu": {
      document: { id: "menu", nodes: [{ ...tagging, position: { x: 0, y: 0 } }] },
    },
    [`GET ${BASE}/nodes-heatmap`]: {
      period: PERIOD,
      as_of: null,
      conversations: 1,
      nodes: [{ ...heat, still_here: 0, exits: [] }],
    },
  });
  const map = await screen.findByRole("region", { name: "Mapa do fluxo" });
  expect(within(map).getByText("Pôr etiqueta").parentElement).toHaveTextContent("1 visita · 100%");
});

test("answers are counted, those that are not on the page too", async () => {
  open("?flow=menu&tab=answers");
  const chart = await screen.findByRole("region", { name: "Respostas mais frequentes" });
  expect(within(chart).getByRole("row", { name: "Ana 3 (75%)" })).toBeVisible();
  expect(within(chart).getByRole("row", { name: "Outras respostas 1 (25%)" })).toBeVisible();
});
