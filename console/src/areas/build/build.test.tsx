import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import { Bubble } from "./rehearsal/Bubble.tsx";
import { startOf, withStart } from "./publish/PublishDialog.tsx";
import type { PhoneNumber } from "../../api/numbers.ts";
import routes from "./routes.tsx";

const FLOWS = [
  {
    flow_id: "clinic",
    name: "Clínica",
    latest_version: 2,
    published_version: 2,
    updated_at: "2026-11-29T10:00:00Z",
    updated_by: "rita",
    folder: null,
    tags: [],
    archived: false,
  },
  {
    flow_id: "shop",
    name: "Loja",
    latest_version: 0,
    published_version: null,
    updated_at: "2026-11-28T10:00:00Z",
    updated_by: null,
    folder: "Vendas",
    tags: ["natal"],
    archived: false,
  },
];

function open() {
  return show([{ path: "build", children: routes }], "/build");
}

beforeEach(async () => {
  await words("pt", "build", "findings");
  signInAs("builder");
});

test("the list finds flows without accents and says what is published", async () => {
  vi.stubGlobal("fetch", answers({ "GET /api/v1/flows": FLOWS }).fetch);
  const { container } = open();
  expect(await screen.findByRole("link", { name: "Clínica" })).toBeVisible();
  expect(screen.getByText("Publicado: versão 2")).toBeVisible();
  await userEvent.type(screen.getByRole("searchbox"), "clinica");
  expect(screen.queryByRole("link", { name: "Loja" })).toBeNull();
  await expectAccessible(container);
});

test("flows are filed in folders, tagged and archived, and all pages of the list are read", async () => {
  const old = { ...FLOWS[0], flow_id: "old", name: "Antigo", archived: true };
  const first = Response.json(FLOWS, {
    headers: { link: '</api/v1/flows?limit=100&cursor=c1>; rel="next"' },
  });
  const { fetch, asked } = answers({
    "GET /api/v1/flows": first,
    "GET /api/v1/flows?limit=100&cursor=c1": [old],
    "PUT /api/v1/flows/clinic/metadata": FLOWS[0],
    "PUT /api/v1/flows/old/metadata": old,
  });
  vi.stubGlobal("fetch", fetch);
  open();
  expect(await screen.findByRole("link", { name: "Clínica" })).toBeVisible();
  expect(screen.queryByRole("link", { name: "Antigo" })).toBeNull();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Quais fluxos" }), "Vendas");
  expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual(["Loja"]);
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Quais fluxos" }), "Arquivados");
  await userEvent.click(screen.getByRole("button", { name: "Ações de Antigo" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Tirar do arquivo" }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "Quais fluxos" }), "Todos os fluxos");
  await userEvent.click(screen.getByRole("button", { name: "Ações de Clínica" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Pasta e etiquetas" }));
  await userEvent.type(await screen.findByRole("combobox", { name: "Pasta" }), "Saúde");
  await userEvent.type(screen.getByRole("combobox", { name: "Etiquetas" }), "novo{Enter}");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  const put = () => asked.filter(({ key }) => key.startsWith("PUT")).map(({ body }) => body);
  await waitFor(() =>
    expect(put()).toEqual([
      { folder: null, tags: [], archived: false },
      { folder: "Saúde", tags: ["novo"], archived: false },
    ]),
  );
});

test("a flow that the API refuses says why and is tried again", async () => {
  const problem = Response.json({ code: "temporarily_unavailable", detail: "x" }, { status: 503 });
  vi.stubGlobal("fetch", answers({ "GET /api/v1/flows": problem }).fetch);
  open();
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("O servidor não responde agora.");
  vi.stubGlobal("fetch", answers({ "GET /api/v1/flows": FLOWS }).fetch);
  await userEvent.click(within(alert).getByRole("button", { name: "Tentar de novo" }));
  expect(await screen.findByRole("link", { name: "Loja" })).toBeVisible();
});

test("a new flow gets an id from its name that is not taken, and is created only if there is none", async () => {
  const { fetch, asked } = answers({
    "GET /api/v1/flows": FLOWS,
    "PUT /api/v1/flows/clinica": { flow_id: "clinica" },
  });
  vi.stubGlobal("fetch", fetch);
  const { router } = open();
  await userEvent.click(await screen.findByRole("button", { name: "Novo fluxo" }));
  await userEvent.type(await screen.findByLabelText("Nome do fluxo"), "Clínica");
  await userEvent.click(screen.getByRole("button", { name: "Criar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/build/clinica"));
  const put = asked.find(({ key }) => key.startsWith("PUT"))!;
  expect(put.headers.get("if-none-match")).toBe("*");
  expect(put.body).toMatchObject({
    id: "clinica",
    name: "Clínica",
    language: "pt_BR",
    start_node_id: "start",
  });
});

test("an example is named in the language of the console, with what it does and which languages it speaks", async () => {
  const { fetch, asked } = answers({
    "GET /api/v1/flows": FLOWS,
    "PUT /api/v1/flows/support_triage": { flow_id: "support_triage" },
  });
  vi.stubGlobal("fetch", fetch);
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Novo fluxo" }));
  const both = await screen.findByRole("button", { name: "Matrícula escolar" });
  expect(both).toHaveAccessibleDescription(/Um subfluxo pergunta .* Português \(Brasil\) · Inglês$/);
  const english = screen.getByRole("button", { name: "Triagem de suporte" });
  expect(english).toHaveAccessibleDescription(/passa o que é urgente a um atendente\. Inglês$/);
  await userEvent.click(english);
  await userEvent.type(screen.getByLabelText("Nome do fluxo"), "Support triage");
  await userEvent.click(screen.getByRole("button", { name: "Criar" }));
  await waitFor(() => expect(asked.some(({ key }) => key.startsWith("PUT"))).toBe(true));
});

test("an import shows what gets lost before anything is created", async () => {
  const converted = {
    format: "typebot",
    documents: [
      { format: 1, id: "imported", name: "Do Typebot", nodes: [{ id: "start", type: "start", data: {} }] },
    ],
    losses: [
      {
        code: "payment",
        severity: "blocker",
        source: "block b1",
        node_id: "pay",
        message: "PyTake takes no payments.",
      },
      {
        code: "block_qr_code",
        severity: "loss",
        source: "block b2",
        node_id: null,
        message: "PyTake has no block like `qr-code`.",
      },
      {
        code: "of_tomorrow",
        severity: "note",
        source: "block b3",
        node_id: null,
        message: "Something new.",
      },
    ],
  };
  const { fetch, asked } = answers({ "GET /api/v1/flows": FLOWS, "POST /api/v1/flows/import": converted });
  vi.stubGlobal("fetch", fetch);
  open();
  await userEvent.click(await screen.findByRole("button", { name: "Importar" }));
  const file = new File([JSON.stringify({ typebot: true })], "bot.json", { type: "application/json" });
  await userEvent.upload(globalThis.document.querySelector<HTMLInputElement>("input[type=file]")!, file);
  expect(await screen.findByText(/O PyTake não recebe pagamentos/)).toBeVisible();
  expect(screen.getByText("Não continua")).toBeVisible();
  expect(screen.getByText("pay")).toBeVisible();
  expect(screen.getByText(/O PyTake não tem o passo “qr code”/)).toBeVisible();
  expect(screen.getByText("qr-code")).toBeVisible();
  expect(screen.getByText("Something new.")).toBeVisible();
  expect(screen.getByText("Do Typebot")).toBeVisible();
  expect(asked.filter(({ key }) => key.startsWith("PUT"))).toEqual([]);
});

test("a text is shown as WhatsApp shows it, with the names of values standing out", () => {
  const text = "*Olá {{contact.name}}*, {{order_id}} e {{order_day}}";
  show([{ index: true, element: <Bubble from="bot" text={text} /> }]);
  expect(screen.getByText(/Olá/).tagName).toBe("STRONG");
  expect(screen.getByText("contact.name")).toHaveClass("build-value");
  expect(screen.getByText("order_day")).toHaveClass("build-value");
});

const NUMBER = {
  phone_number_id: "1",
  display_phone_number: "+55 11 4000-0001",
  country: "BR",
  default_flow_id: "clinic",
  keywords: { oi: "clinic", preço: "shop" },
  words: { sair: "stop" },
  apology: "Desculpe",
  fallback_template: null,
  messages_per_second: 20,
  stopped_at: null,
  stopped_reason: null,
  resuming: false,
  mark_read: true,
  typing: false,
} as unknown as PhoneNumber;

test("starting a flow by words keeps what the number does besides", () => {
  expect(startOf(NUMBER, "clinic")).toEqual({ byDefault: true, words: ["oi"] });
  const changed = withStart(NUMBER, "shop", { byDefault: false, words: ["loja"] });
  expect(changed.default_flow_id).toBe("clinic");
  expect(changed.keywords).toEqual({ oi: "clinic", loja: "shop" });
  expect(changed).toMatchObject({
    words: { sair: "stop" },
    apology: "Desculpe",
    messages_per_second: 20,
    mark_read: true,
  });
  expect(changed).not.toHaveProperty("phone_number_id");
  expect(withStart(NUMBER, "clinic", { byDefault: false, words: [] })).toMatchObject({
    default_flow_id: null,
    keywords: { preço: "shop" },
  });
});
