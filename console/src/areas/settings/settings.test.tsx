import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { expectAccessible, signInAs, words } from "../../testing/render.tsx";
import { templateOf } from "../../testing/samples.ts";
import { ID, ORGANIZATION, open } from "../../testing/settings.tsx";
import { constantOf } from "./OrganizationPage.tsx";

beforeEach(async () => {
  await words("pt", "settings", "files");
  signInAs("admin");
});

test.each([
  ["12", 12],
  ["-0.5", -0.5],
  ["true", true],
  ["007", "007"],
  ["5511999990001555999", "5511999990001555999"],
  ["Rua A, 12", "Rua A, 12"],
])("a constant %s is %s", (text, value) => expect(constantOf(text)).toBe(value));

test("constants and limits of the organization are saved as what they are", async () => {
  const { sent } = open("organization", { "PUT /api/v1/organization": ORGANIZATION });
  await userEvent.type(await screen.findByLabelText(/Mensagens por minuto/), "600");
  await userEvent.type(screen.getByLabelText(/Pessoas por dia/), "1000");
  await userEvent.click(screen.getByRole("button", { name: "Adicionar constante" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Nome" }), "frete");
  await userEvent.type(screen.getByRole("textbox", { name: "Valor" }), "12.5");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() =>
    expect(sent("PUT /api/v1/organization")).toEqual([
      { ...ORGANIZATION, messages_per_minute: 600, people_per_day: 1000, constants: { frete: 12.5 } },
    ]),
  );
});

test("the office hours are one of the timetables, and a removed one is not sent", async () => {
  const known = { ...ORGANIZATION, office_timetable: "antigo" };
  const { sent } = open("organization", {
    "GET /api/v1/organization": known,
    "GET /api/v1/timetables": { timetables: { central: { hours: [], timezone: null, holidays: [] } } },
    "PUT /api/v1/organization": known,
  });
  const field = await screen.findByRole("combobox", { name: "Horário de atendimento" });
  expect(field).toHaveValue("");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await userEvent.click(field);
  await userEvent.click(await screen.findByRole("option", { name: "central" }));
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent("PUT /api/v1/organization")).toHaveLength(2));
  expect(sent("PUT /api/v1/organization")).toEqual([
    { ...known, office_timetable: null },
    { ...known, office_timetable: "central" },
  ]);
});

test("a budget is shown in units of the currency, and is kept: none, nothing, and fractions", async () => {
  const known = { ...ORGANIZATION, monthly_budget_micros: 1_250_500_000 };
  const { sent } = open("organization", {
    "GET /api/v1/organization": known,
    "PUT /api/v1/organization": known,
  });
  const field = await screen.findByLabelText(/Orçamento por mês/);
  expect(field).toHaveValue("1250.5");
  const save = async (amount: string) => {
    await userEvent.clear(field);
    if (amount) await userEvent.type(field, amount);
    await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  };
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent("PUT /api/v1/organization")).toEqual([known]));
  await save("");
  await waitFor(() => expect(sent("PUT /api/v1/organization")).toHaveLength(2));
  await save("0");
  await waitFor(() => expect(sent("PUT /api/v1/organization")).toHaveLength(3));
  await save("300");
  await waitFor(() => expect(sent("PUT /api/v1/organization")).toHaveLength(4));
  expect(sent("PUT /api/v1/organization").slice(1)).toEqual([
    { ...known, monthly_budget_micros: null },
    { ...known, monthly_budget_micros: 0 },
    { ...known, monthly_budget_micros: 300_000_000 },
  ]);
});

function tagged(body: unknown) {
  return Response.json(body, { headers: { etag: '"4"' } });
}

test("a team is added over the list that was read", async () => {
  const given = { teams: { Vendas: { name: "Vendas", members: ["rita"] } } };
  const { sent, headers } = open("teams", {
    "GET /api/v1/teams": tagged(given),
    "PUT /api/v1/teams": tagged(given),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Adicionar uma equipe" }));
  const [, department] = screen.getAllByRole("textbox", { name: /Setor/ });
  await userEvent.type(department!, "Vendas");
  await userEvent.type(screen.getAllByRole("textbox", { name: /Nome/ })[1]!, "Suporte técnico");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  expect(screen.getAllByText("Outra entrada tem este nome.")).toHaveLength(2);
  expect(sent("PUT /api/v1/teams")).toEqual([]);
  await userEvent.clear(department!);
  await userEvent.type(department!, "Suporte");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  const added = { Suporte: { name: "Suporte técnico", members: [] } };
  await waitFor(() => expect(sent("PUT /api/v1/teams")).toEqual([{ teams: { ...given.teams, ...added } }]));
  expect(headers("PUT /api/v1/teams")[0]?.get("if-match")).toBe('"4"');
});

test("a canned reply keeps its id when its title changes, and a wrong expression is said", async () => {
  const text = "Olá {{contact.name}}";
  const refused = Response.json(
    { code: "canned_reply_invalid", detail: "", field: "replies.r1.text" },
    { status: 422 },
  );
  const { sent } = open("replies", {
    "GET /api/v1/canned-replies": tagged({ replies: { r1: { title: "Oi", text } } }),
    "PUT /api/v1/canned-replies": refused,
  });
  await userEvent.type(await screen.findByRole("textbox", { name: /Título/ }), "!");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  expect(await screen.findByText("Uma expressão numa resposta pronta não é válida.")).toBeVisible();
  expect(sent("PUT /api/v1/canned-replies")).toEqual([{ replies: { r1: { title: "Oi!", text } } }]);
});

test("a timetable of office hours is added", async () => {
  const { sent } = open("timetables", { "PUT /api/v1/timetables": { timetables: {} } });
  await userEvent.click(await screen.findByRole("button", { name: "Adicionar horário" }));
  await userEvent.type(screen.getByLabelText(/^Nome/), "loja");
  await userEvent.click(screen.getByRole("checkbox", { name: /sáb/ }));
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  const hours = [{ days: ["mon", "tue", "wed", "thu", "fri", "sat"], opens: "09:00", closes: "18:00" }];
  await waitFor(() =>
    expect(sent("PUT /api/v1/timetables")).toEqual([
      { timetables: { loja: { hours, holidays: [], timezone: null } } },
    ]),
  );
});

test("a secret is stored with its hosts, and removed only at the second click", async () => {
  const { sent } = open("secrets", {
    "PUT /api/v1/secrets/erp": { name: "erp", hosts: ["erp.example.com"] },
    "DELETE /api/v1/secrets/crm": new Response(null, { status: 204 }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Remover crm" }));
  expect(sent("DELETE /api/v1/secrets/crm")).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Remover crm mesmo?" }));
  await waitFor(() => expect(sent("DELETE /api/v1/secrets/crm")).toHaveLength(1));
  await userEvent.click(screen.getByRole("button", { name: "Adicionar segredo" }));
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.type(dialog.getByLabelText(/Nome/), "erp");
  await userEvent.type(dialog.getByLabelText(/Valor/), "hidden-value");
  await userEvent.type(dialog.getByRole("combobox", { name: /Servidores/ }), "erp.example.com");
  await userEvent.click(dialog.getByRole("button", { name: "Salvar" }));
  await waitFor(() =>
    expect(sent("PUT /api/v1/secrets/erp")).toEqual([{ value: "hidden-value", hosts: ["erp.example.com"] }]),
  );
});

test("a file of flows is deleted after a warning", async () => {
  const { sent } = open("files", { "DELETE /api/v1/media/file-1": new Response(null, { status: 204 }) });
  const row = (await screen.findByText("cardápio.png")).closest("tr")!;
  await waitFor(() => expect(row.querySelector("img")).toHaveAttribute("src", "https://bucket.example/1"));
  expect(within(row).getByText(/^imagem, 2,5 kB, de /)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Excluir cardápio.png" }));
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByText(/Fluxos, modelos e campanhas podem usar/)).toBeVisible();
  expect(sent("DELETE /api/v1/media/file-1")).toEqual([]);
  await userEvent.click(dialog.getByRole("button", { name: "Excluir" }));
  await waitFor(() => expect(sent("DELETE /api/v1/media/file-1")).toHaveLength(1));
});

test.each(["numbers", `numbers/${ID}`, "organization", "timetables", "files", "secrets"])(
  "axe finds nothing: %s",
  async (page) => {
    const { container } = open(page);
    await screen.findByRole("heading", { level: 1 });
    await waitFor(() => expect(container.querySelector(".mantine-Skeleton-root")).toBeNull());
    await expectAccessible(container);
  },
);

const DEAD = {
  id: "m1",
  phone_number_id: ID,
  contact_id: "5511999990001",
  turn: 3,
  index: 0,
  state: "dead",
  since: "2026-11-30T10:00:00Z",
  due_at: null,
  reason: "rate_limited",
  error_code: 130_429,
  attempts: 4,
  redrive_count: 0,
  can_be_redriven: true,
};

test("messages that were given up are sent again, in order, after a question", async () => {
  const { sent, container } = open("deliveries", {
    "GET /api/v1/deliveries?state=dead&limit=50": [DEAD, { ...DEAD, id: "m2", contact_id: "5511999990002" }],
    "GET /api/v1/deliveries?state=held&limit=50": [
      { ...DEAD, id: "m3", state: "held", can_be_redriven: false, due_at: "2026-11-30T11:00:00Z" },
    ],
    "POST /api/v1/deliveries/m1/redrive": { id: "m1", redrive: "queued" },
    "POST /api/v1/deliveries/m2/redrive": { id: "m2", redrive: "queued" },
  });
  const row = await screen.findByRole("row", { name: /5511999990001/ });
  expect(row).toHaveTextContent("rate_limited · 130429");
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Enviar as 2 de novo" }));
  const dialog = await screen.findByRole("dialog", { name: "Enviar 2 mensagens de novo?" });
  expect(sent("POST /api/v1/deliveries/m1/redrive")).toEqual([]);
  await userEvent.click(within(dialog).getByRole("button", { name: "Enviar de novo" }));
  await waitFor(() => expect(sent("POST /api/v1/deliveries/m2/redrive")).toHaveLength(1));
  expect(sent("POST /api/v1/deliveries/m1/redrive")).toHaveLength(1);
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Mensagens" }), "Retidas");
  expect(await screen.findByText(/Tentativa:/)).toBeVisible();
  expect(screen.queryByRole("button", { name: /de novo/ })).toBeNull();
});

test("templates are listed with what Meta says, copied, written and removed", async () => {
  const template = templateOf("pedido", "Olá {{1}}");
  const { sent, container } = open("templates", {
    "GET /api/v1/templates": [template, { ...templateOf("velho", "x"), status: "REJECTED", reason: "SPAM" }],
    "POST /api/v1/templates": template,
    "POST /api/v1/templates/sync": [template],
    "DELETE /api/v1/templates/pedido": new Response(null, { status: 204 }),
  });
  expect(await screen.findByRole("row", { name: /velho/ })).toHaveTextContent("RejeitadoSPAM");
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Copiar da Meta" }));
  await waitFor(() => expect(sent("POST /api/v1/templates/sync")).toEqual([{ phone_number_id: ID }]));
  await userEvent.click(screen.getByRole("button", { name: "Novo modelo" }));
  const dialog = await screen.findByRole("dialog", { name: "Novo modelo" });
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Nome" }), "visita");
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Texto" }), "Visita em {{{{1}}.");
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Exemplo do valor 1" }), "hoje");
  expect(within(dialog).getByText("Visita em hoje.")).toBeVisible();
  await userEvent.click(within(dialog).getByRole("button", { name: "Salvar" }));
  await waitFor(() =>
    expect(sent("POST /api/v1/templates")).toEqual([
      {
        phone_number_id: ID,
        name: "visita",
        language: "pt_BR",
        category: "UTILITY",
        parameter_format: "POSITIONAL",
        components: [{ type: "BODY", text: "Visita em {{1}}.", example: { body_text: [["hoje"]] } }],
      },
    ]),
  );
  await userEvent.click(screen.getByRole("button", { name: "Remover pedido · pt_BR" }));
  const sure = await screen.findByRole("dialog", { name: "Remover pedido · pt_BR?" });
  await userEvent.click(within(sure).getByRole("button", { name: "Remover o modelo" }));
  await waitFor(() => expect(sent("DELETE /api/v1/templates/pedido")).toHaveLength(1));
});
