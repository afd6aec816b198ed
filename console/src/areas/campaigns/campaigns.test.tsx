import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { expectAccessible, signInAs, visit, words } from "../../testing/render.tsx";
import { localTime } from "../../i18n/localTime.ts";
import { ARM, FLOW, JUDGED, NUMBER, templateOf } from "../../testing/samples.ts";
import { settingsOf } from "./CampaignForm.tsx";
import type { Campaign } from "./queries.ts";
import routes from "./routes.tsx";

const COUNTS = {
  planned: 1000,
  waiting: 600,
  sent: 380,
  delivered: 350,
  read: 200,
  replied: 40,
  completed: 12,
  opted_out: 3,
  held: 0,
  holdout: 100,
  unpriced: 7,
  skipped: { no_consent: 70, merged: 1, a_later_reason: 2 },
  failed: { "131026": 20 },
};
const CAMPAIGN = {
  campaign_id: "c1",
  name: "Natal",
  phone_number_id: "1001",
  segment_id: "vip",
  template: {
    name: "natal",
    language: "pt_BR",
    components: [{ type: "body", parameters: [{ type: "text", text: "{{contact.name}}" }] }],
    category: null,
  },
  flow_id: "menu",
  parameters: { origem: "natal" },
  start_at: null,
  quiet_hours: { start: "20:00", end: "08:00" },
  pace_per_second: 20,
  spend_cap: 150,
  variants: [],
  holdout: 0.1,
  status: "draft",
  status_at: "2026-11-29T10:00:00Z",
  reason: null,
  waiting: null,
  created_at: "2026-11-29T10:00:00Z",
  started_at: null,
  counts: COUNTS,
  cost: 12.5,
  pace: 1,
  warnings: [],
} as Campaign;
const TEMPLATE = templateOf("natal", "Feliz Natal, {{1}}!");
const ONE = "/api/v1/campaigns/c1";

function tagged(body: unknown): Response {
  return Response.json(body, { headers: { etag: '"3"' } });
}

function open(path: string, changed: Record<string, unknown> = {}) {
  return visit("/campaigns", routes, path, {
    "GET /api/v1/campaigns": [CAMPAIGN],
    [`GET ${ONE}`]: tagged(CAMPAIGN),
    "GET /api/v1/numbers": [NUMBER],
    "GET /api/v1/segments": { segments: [{ id: "vip", name: "Clientes VIP" }] },
    "GET /api/v1/segments/vip/count": { count: 1171, as_of: "2026-11-29T10:00:00Z", seen: 1171 },
    "GET /api/v1/flows": [FLOW],
    "GET /api/v1/templates": [TEMPLATE],
    ...changed,
  });
}

beforeEach(async () => {
  await words("pt", "campaigns", "comparison");
  signInAs("builder");
});

test("a new campaign says who gets which message, and is only a draft", async () => {
  vi.spyOn(crypto, "randomUUID").mockReturnValue("c1" as ReturnType<typeof crypto.randomUUID>);
  const { router, sent } = open("", { [`PUT ${ONE}`]: tagged(CAMPAIGN) });
  await userEvent.click(await screen.findByRole("link", { name: "Nova campanha" }));
  await userEvent.type(await screen.findByLabelText(/^Nome/), "Natal");
  await screen.findByRole("option", { name: "Clientes VIP" });
  await userEvent.selectOptions(screen.getByLabelText(/Enviada de/), "1001");
  await userEvent.selectOptions(screen.getByLabelText(/^Segmento/), "vip");
  expect(await screen.findByText("1.171 pessoas neste momento")).toBeVisible();
  await userEvent.click(screen.getByRole("combobox", { name: "Modelo" }));
  await userEvent.click(await screen.findByRole("option", { name: "natal · pt_BR" }));
  await userEvent.click(screen.getByRole("textbox", { name: /Valor 1/ }));
  await userEvent.paste("{{contact.name}}");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/campaigns/c1"));
  expect(sent(`PUT ${ONE}`).map(({ body }) => body)).toEqual([
    {
      name: "Natal",
      phone_number_id: "1001",
      segment_id: "vip",
      template: { name: "natal", language: "pt_BR", components: CAMPAIGN.template.components },
      flow_id: null,
      parameters: {},
      variants: [],
      start_at: null,
      quiet_hours: null,
      pace_per_second: null,
      spend_cap: null,
      holdout: 0,
      marketing_messages: null,
    },
  ]);
  expect(sent(`POST ${ONE}/start`)).toEqual([]);
});

test("without a number or a segment, a new campaign says what to do first", async () => {
  const { container } = open("/new", { "GET /api/v1/numbers": [], "GET /api/v1/segments": { segments: [] } });
  await screen.findByText(/Um administrador o conecta em Configurações/);
  expect(screen.getByLabelText(/Enviada de/)).toHaveAccessibleDescription(/Nenhum número foi conectado/);
  const first = await screen.findByRole("link", { name: "Criar um segmento" });
  expect(first).toHaveAttribute("href", "/people/segments/new");
  await expectAccessible(container);
});

test("a draft that is saved again after a failure is the same campaign", async () => {
  let made = 0;
  vi.spyOn(crypto, "randomUUID").mockImplementation(
    () => `c${++made}` as ReturnType<typeof crypto.randomUUID>,
  );
  const failed = Response.json({ code: "internal_error", detail: "" }, { status: 500 });
  const { sent } = open("/new", { [`PUT ${ONE}`]: failed });
  await userEvent.type(await screen.findByLabelText(/^Nome/), "Natal");
  await screen.findByRole("option", { name: "Clientes VIP" });
  await userEvent.selectOptions(screen.getByLabelText(/Enviada de/), "1001");
  await userEvent.selectOptions(screen.getByLabelText(/^Segmento/), "vip");
  await userEvent.click(screen.getByRole("combobox", { name: "Modelo" }));
  await userEvent.click(await screen.findByRole("option", { name: "natal · pt_BR" }));
  await userEvent.click(screen.getByRole("textbox", { name: /Valor 1/ }));
  await userEvent.paste("Ana");
  for (const times of [1, 2]) {
    // Each attempt ends before the next one.
    // oxlint-disable-next-line no-await-in-loop
    await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
    // oxlint-disable-next-line no-await-in-loop
    await waitFor(() => expect(sent(`PUT ${ONE}`)).toHaveLength(times));
  }
  expect(sent("PUT /api/v1/campaigns/c2")).toEqual([]);
});

test("variants and holdout are compared, with a sentence that says what follows", async () => {
  const better = {
    ...ARM,
    name: "longa",
    reached: 200,
    share: 0.2,
    difference: { estimate: 0.1, low: 0.05, high: 0.15 },
    verdict: "better",
  };
  const found = {
    goal: "replied",
    smallest_effect: 0.02,
    alpha: 0.05,
    variants: { ...JUDGED, arms: [{ ...ARM, name: "curta" }, better] },
    holdout: {
      ...JUDGED,
      conclusion: "too_early",
      arms: [
        { ...ARM, name: "holdout", reached: 3 },
        { ...ARM, name: "campaign", verdict: "too_early" },
      ],
    },
  };
  const variants = [
    { name: "curta", share: 1 },
    { name: "longa", share: 1 },
  ];
  const running = { ...CAMPAIGN, status: "completed", variants };
  const results = (goal: string) => `GET ${ONE}/results?goal=${goal}&smallest_effect=0.02`;
  const { container } = open("/c1", {
    [`GET ${ONE}`]: tagged(running),
    [results("replied")]: found,
    [results("read")]: { ...found, goal: "read", holdout: null },
  });
  const part = within(await screen.findByRole("region", { name: "Resultados" }));
  expect(await part.findByText("Há uma diferença provada.")).toBeVisible();
  const row = part.getByRole("row", { name: /^longa 1\.000 200 \(20%\) \+10 \(entre \+5 e \+15\)/ });
  expect(row).toHaveTextContent(/Melhor que a base/);
  expect(part.getByRole("row", { name: /^Sem mensagem 1\.000 3/ })).toBeVisible();
  expect(part.getByText(/poucas pessoas alcançaram o objetivo/)).toBeVisible();
  await userEvent.selectOptions(part.getByLabelText("Objetivo"), "Leram a mensagem");
  expect(await part.findByText(/Quem não recebe nada não pode ler/)).toBeVisible();
  await expectAccessible(container);
});

test("a change keeps what the form does not show", async () => {
  const { sent } = open("/c1", { [`PUT ${ONE}`]: tagged(CAMPAIGN) });
  const cap = await screen.findByLabelText(/Gastar no máximo/);
  await screen.findByDisplayValue("{{contact.name}}");
  await userEvent.clear(cap);
  await userEvent.type(cap, "99");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent(`PUT ${ONE}`)).toHaveLength(1));
  const { body, headers } = sent(`PUT ${ONE}`)[0]!;
  expect(body).toMatchObject({
    parameters: { origem: "natal" },
    spend_cap: 99,
    holdout: 0.1,
    pace_per_second: 20,
  });
  expect(Object.keys(body as Campaign)).not.toContain("counts");
  expect(headers.get("if-match")).toBe('"3"');
});

test("a campaign is started only after a question that says how many people it reaches", async () => {
  const running = { ...CAMPAIGN, status: "running" };
  const { sent } = open("/c1", { [`POST ${ONE}/start`]: tagged(running) });
  await userEvent.click(await screen.findByRole("button", { name: "Iniciar" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("1.171 pessoas neste momento")).toBeVisible();
  expect(sent(`POST ${ONE}/start`)).toEqual([]);
  await userEvent.click(within(dialog).getByRole("button", { name: "Iniciar" }));
  expect(await screen.findByText("Em andamento")).toBeVisible();
  expect(screen.getByRole("button", { name: "Pausar" })).toBeVisible();
});

test("progress, reasons and costs are shown, and why it stopped", async () => {
  const stopped = { ...CAMPAIGN, status: "stopped", reason: "failures", started_at: "2026-11-29T10:00:00Z" };
  const { container } = open("/c1", { [`GET ${ONE}`]: tagged(stopped) });
  expect(await screen.findByText(/muitas mensagens não foram entregues/)).toBeVisible();
  expect(screen.getByRole("row", { name: /Lidas 200 20%/ })).toBeVisible();
  expect(screen.getByText("131026: 20")).toBeVisible();
  expect(screen.getByText("Não aceitaram marketing: 70")).toBeVisible();
  expect(screen.getByText("A mesma pessoa que outro contato: 1")).toBeVisible();
  expect(screen.getByText("a_later_reason: 2")).toBeVisible();
  expect(screen.getByText(/Custo até agora: 12,5/)).toBeVisible();
  expect(screen.getByText(/7 mensagens não têm preço na tabela/)).toBeVisible();
  expect(screen.queryByLabelText(/^Segmento/)).toBeNull();
  await expectAccessible(container);
});

test("a file that is gone is said before the start, and why it does not start", async () => {
  const field = "template.components[0].parameters[0].image.id";
  const warnings = [{ code: "media_unknown", field, message: "" }];
  const refused = Response.json(
    { code: "start_refused", detail: "", reason: "media_unknown" },
    { status: 409 },
  );
  const { container } = open("/c1", {
    [`GET ${ONE}`]: tagged({ ...CAMPAIGN, warnings }),
    [`POST ${ONE}/start`]: refused,
  });
  expect(await screen.findByText(/Um arquivo do modelo não existe ou foi excluído/)).toBeVisible();
  await expectAccessible(container);
  await userEvent.click(await screen.findByRole("button", { name: "Iniciar" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.click(within(dialog).getByRole("button", { name: "Iniciar" }));
  expect(await within(dialog).findByText("Este arquivo não existe ou foi excluído.")).toBeVisible();
});

test("a test goes to the people who are named, once however often it is tried", async () => {
  const refused = Response.json({ code: "start_refused", detail: "" }, { status: 409 });
  const { sent } = open("/c1", { [`POST ${ONE}/test`]: refused });
  await userEvent.click(await screen.findByRole("button", { name: "Testar" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(
    within(dialog).getByRole("combobox", { name: "Números de telefone" }),
    "5511999990001{Enter}",
  );
  for (const times of [1, 2]) {
    // Each attempt ends before the next one.
    // oxlint-disable-next-line no-await-in-loop
    await userEvent.click(within(dialog).getByRole("button", { name: "Enviar" }));
    // oxlint-disable-next-line no-await-in-loop
    await waitFor(() => expect(sent(`POST ${ONE}/test`)).toHaveLength(times));
  }
  expect(sent(`POST ${ONE}/test`)[0]?.body).toEqual({ people: ["5511999990001"], variant: "" });
  expect(new Set(sent(`POST ${ONE}/test`).map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
});

test("a campaign that Meta slowed down says so", async () => {
  open("/c1", { [`GET ${ONE}`]: tagged({ ...CAMPAIGN, status: "running", pace: 0.5 }) });
  expect(await screen.findByText(/A campanha envia a 50% do ritmo/)).toBeVisible();
});

test("analysts look and change nothing", async () => {
  signInAs("analyst");
  open("/c1", { [`GET ${ONE}`]: tagged({ ...CAMPAIGN, status: "running" }) });
  expect(await screen.findByText("Em andamento")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Pausar" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Salvar" })).toBeNull();
});

test.each(["draft", "completed"])("what is sent to whom is shown, %s", async (status) => {
  signInAs(status === "draft" ? "analyst" : "builder");
  const other = { name: "b", share: 1, template: { ...CAMPAIGN.template, name: "natal_2" }, flow_id: null };
  const { container } = open("/c1", {
    [`GET ${ONE}`]: tagged({ ...CAMPAIGN, status, variants: [{ name: "a", share: 1 }, other] }),
  });
  for (const text of [
    "natal · pt_BR, natal_2 · pt_BR",
    "Clientes VIP",
    NUMBER.display_phone_number,
    FLOW.name,
  ])
    // oxlint-disable-next-line no-await-in-loop
    expect(await screen.findByText(text)).toBeVisible();
  await expectAccessible(container);
});

test("a share of the form is the number that was written", async () => {
  const { sent } = open("/c1", {
    [`GET ${ONE}`]: tagged({ ...CAMPAIGN, holdout: 0.07 }),
    [`PUT ${ONE}`]: tagged(CAMPAIGN),
  });
  expect(await screen.findByLabelText(/Parte que não recebe nada/)).toHaveValue("7 %");
  await userEvent.click(await screen.findByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent(`PUT ${ONE}`)[0]?.body).toMatchObject({ holdout: 0.07 }));
});

test("a time of the form is a time of the API, in the person's time zone", () => {
  const iso = "2026-12-24T18:30:00.000Z";
  const draft = {
    name: "n",
    phone_number_id: "1",
    segment_id: "s",
    flow_id: "",
    start_at: localTime(iso),
    quiet: { start: "20:00", end: "" },
    pace: 5,
    cap: "" as const,
    holdout: 25,
    marketing: "no" as const,
  };
  const settings = settingsOf(draft, CAMPAIGN.template);
  expect(settings).toMatchObject({
    start_at: iso,
    quiet_hours: null,
    pace_per_second: 5,
    spend_cap: null,
    holdout: 0.25,
    marketing_messages: false,
  });
});
