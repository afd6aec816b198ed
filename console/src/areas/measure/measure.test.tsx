import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import routes from "./routes.tsx";

const PERIOD = { days: 30, from: "2026-11-01", to: "2026-11-30", timezone: "America/Sao_Paulo" };
const BASE = "/api/v1/whatsapp-analytics/flows/menu";
const GIVEN = {
  "GET /api/v1/flows": [
    { flow_id: "menu", name: "Menu" },
    { flow_id: "leads", name: "Leads" },
  ],
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
    total: 1,
    truncated: false,
    next_cursor: null,
  },
  "GET /api/v1/queries": [
    {
      name: "node_funnel",
      description: "How many get how far.",
      parameters: [
        { name: "flow_id", type: "flow", description: "The flow", default: null },
        { name: "hours", type: "hours", description: "Within", default: 24 },
      ],
    },
  ],
};

function open(search: string, changed: Record<string, unknown> = {}) {
  const given = answers({ ...GIVEN, ...changed });
  vi.stubGlobal("fetch", given.fetch);
  return { ...show([{ path: "/measure", children: routes }], `/measure${search}`), ...given };
}

beforeEach(async () => {
  await words("pt", "measure");
  signInAs("analyst");
});

test("the overview shows numbers as the language writes them, and each day for those who do not see bars", async () => {
  open("");
  expect(await screen.findByText("1.234")).toBeVisible();
  expect(screen.getByText("617 (50%)")).toBeVisible();
  expect(screen.getByText("1,5")).toBeVisible();
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

test("a saved query is asked with its parameters", async () => {
  const rows = { name: "node_funnel", columns: ["node", "people"], as_of: null, truncated: false };
  const { asked } = open("?tab=queries", {
    "POST /api/v1/queries/node_funnel": { ...rows, rows: [{ node: "ask_name", people: "4" }] },
  });
  await userEvent.selectOptions(await screen.findByLabelText(/flow_id/), "Leads");
  await userEvent.click(screen.getByRole("button", { name: "Executar" }));
  expect(await screen.findByRole("cell", { name: "ask_name" })).toBeVisible();
  expect(asked.at(-1)!.body).toMatchObject({ parameters: { flow_id: "leads", hours: 24 } });
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
