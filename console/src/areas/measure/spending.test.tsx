import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { expectAccessible, signInAs, visit, words } from "../../testing/render.tsx";
import { FLOW, PERIOD } from "../../testing/samples.ts";
import routes from "./routes.tsx";

const ALL = { messages: 1200, charged: 1000, amount_micros: 12_500_000, unpriced: 3 };
const MARKETING = { messages: 1000, charged: 1000, amount_micros: 12_500_000, unpriced: 3 };
const SERVICE = { messages: 200, charged: 0, amount_micros: 0, unpriced: 0 };
const SPENDING = {
  period: PERIOD,
  as_of: "2026-11-29T12:00:00Z",
  currency: "USD",
  total: ALL,
  categories: [
    { category: "marketing", ...MARKETING },
    { category: "later_category", ...SERVICE },
  ],
  countries: [
    { country: "BR", ...MARKETING },
    { country: null, ...SERVICE },
  ],
  flows: [
    { flow_id: "menu", ...SERVICE },
    { flow_id: null, ...MARKETING },
  ],
  templates: [{ template: "=natal,2", ...MARKETING }],
  campaigns: [
    { campaign_id: "c1", ...MARKETING },
    { campaign_id: null, ...SERVICE },
  ],
};
const BUDGET = { month: "2026-11", currency: "USD", budget_micros: 20_000_000, reserved_micros: 12_500_000 };

function open(changed: Record<string, unknown> = {}) {
  return visit("/measure", routes, "?tab=spending", {
    "GET /api/v1/flows": [FLOW],
    "GET /api/v1/campaigns": [{ campaign_id: "c1", name: "Natal" }],
    "GET /api/v1/reports/spending?days=30": SPENDING,
    "GET /api/v1/reports/budget": BUDGET,
    ...changed,
  });
}

beforeEach(async () => {
  await words("pt", "measure");
  signInAs("analyst");
});

test("amounts stand by the names of what caused them, with what the amount lacks", async () => {
  const { container } = open();
  expect(await screen.findByRole("row", { name: /^Natal 12,50 USD.* 1\.000 1\.000$/ })).toBeVisible();
  expect(
    screen.getByRole("row", { name: /^Marketing 12,50 USD \(3 sem preço\) 1\.000 1\.000$/ }),
  ).toBeVisible();
  expect(screen.getByRole("row", { name: "later_category 0,00 USD 200 0" })).toBeVisible();
  expect(screen.getByRole("row", { name: /^Brasil / })).toBeVisible();
  expect(screen.getByRole("row", { name: /^País desconhecido / })).toBeVisible();
  expect(screen.getByRole("row", { name: /^Menu / })).toBeVisible();
  expect(screen.getByRole("row", { name: /^Fora de campanhas / })).toBeVisible();
  expect(
    screen.getByText("3 mensagens cobradas não têm preço na tabela e não entram no valor."),
  ).toBeVisible();
  expect(screen.getByLabelText("Fluxo")).toBeDisabled();
  await expectAccessible(container);
});

test("the budget of the month and what is left of it", async () => {
  open();
  const budget = (await screen.findByText("Orçamento de novembro de 2026")).closest("dl")!;
  expect(within(budget).getByText("20,00 USD")).toBeVisible();
  expect(within(budget).getByText("7,50 USD")).toBeVisible();
});

test("without a budget the page says that nothing limits the spending", async () => {
  open({ "GET /api/v1/reports/budget": { ...BUDGET, budget_micros: null, reserved_micros: 0 } });
  expect(await screen.findByText(/A organização não tem orçamento/)).toBeVisible();
});

test("a period without spending shows a sentence in place of empty tables", async () => {
  const none = { messages: 0, charged: 0, amount_micros: 0, unpriced: 0 };
  const lists = { categories: [], countries: [], flows: [], templates: [], campaigns: [] };
  open({ "GET /api/v1/reports/spending?days=30": { ...SPENDING, total: none, ...lists } });
  expect(await screen.findByText(/Nenhuma mensagem entregue neste período/)).toBeVisible();
  expect(screen.queryByRole("table")).toBeNull();
});

test("the whole report is a file that the API writes", async () => {
  const { asked } = open();
  await screen.findByRole("row", { name: /^Natal / });
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  vi.stubGlobal(
    "URL",
    Object.assign(URL, { createObjectURL: () => "blob:file", revokeObjectURL: () => undefined }),
  );
  await userEvent.click(screen.getByRole("button", { name: "Baixar CSV" }));
  await waitFor(() => expect(clicked).toHaveBeenCalledOnce());
  expect((clicked.mock.contexts[0] as HTMLAnchorElement).download).toBe("spending-2026-11-01-2026-11-30.csv");
  const reports = asked.filter(({ key }) => key.startsWith("GET /api/v1/reports/spending"));
  expect(reports.map(({ headers }) => headers.get("accept"))).toContain("text/csv");
});
