import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Data, FlowDocument, NodeType } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { templateOf } from "../../../testing/samples.ts";
import type { Finding } from "../queries.ts";
import { NodeForm } from "./NodeForm.tsx";

const READY = {
  ...templateOf("pedido", "Olá {{1}}, o pedido {{2}} está pronto."),
  components: [
    { type: "HEADER", format: "IMAGE" },
    { type: "BODY", text: "Olá {{1}}, o pedido {{2}} está pronto." },
    { type: "BUTTONS", buttons: [{ type: "URL", text: "Ver", url: "https://loja.example/{{1}}" }] },
  ],
};
const PICTURE = { type: "image", link: "https://loja.example/a.png" };
const CARDS = [
  { media: PICTURE, text: "Um", buttons: [{ label: "Quero", value: "1", next_node_id: "n" }] },
  { media: PICTURE, text: "Dois", buttons: [{ label: "Quero", value: "2" }] },
];

beforeEach(() => {
  signInAs("builder");
  const paths = { "GET /api/v1/templates": [READY], "GET /api/v1/media": [] };
  vi.stubGlobal("fetch", answers(paths).fetch);
  return words("pt", "build", "findings", "files");
});

/** Open the form of a node, with all of its fields. */
async function open(type: NodeType, data: Data, found: Partial<Finding>[] = []) {
  const flow: FlowDocument = { format: 1, id: "f", nodes: [{ id: "n", type, data }] };
  const findings = found.map((finding) => ({ node_id: "n", ...finding }));
  const { document, undo } = showInEditor(flow, ({ document: now }) => <NodeForm node={now.nodes[0]!} />, {
    found: inspection(findings),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Mais opções" }));
  return { data: () => document().nodes[0]!.data, undo };
}

const group = (name: string) => screen.findByRole("group", { name });
const fill = async (name: string, text: string, among: HTMLElement) =>
  userEvent.type(within(among).getByRole("textbox", { name }), text);
const preview = () => screen.getByRole("figure", { name: "Como fica no WhatsApp" });

test("a contact card is filled in, shown, and undone in steps", async () => {
  const { data, undo } = await open("message", { text: "Fale conosco" });
  const contacts = await group("Contatos");
  await userEvent.click(within(contacts).getByRole("button", { name: "Acrescentar contato" }));
  await fill("Nome", "Rui", contacts);
  await userEvent.type(
    within(contacts).getByRole("combobox", { name: "Telefones" }),
    "+5511987654321{Enter}",
  );
  const card = { name: "Rui", phones: ["+5511987654321"] };
  expect(data()["contacts"]).toEqual([card]);
  expect(preview()).toHaveTextContent("Fale conoscoRui+5511987654321");
  await expectAccessible();
  undo();
  expect(data()["contacts"]).toEqual([{ name: "Rui" }]);
  undo();
  expect(data()["contacts"]).toEqual([{}]);
  undo();
  expect(data()["contacts"]).toBeUndefined();
});

test("products have sections with titles and codes, and a finding is at its section", async () => {
  const products = { catalog_id: "C", sections: [{ product_retailer_ids: ["p1"] }, { title: "Bolos" }] };
  const { data } = await open("message", { text: "Veja", header: "Novidades", products }, [
    { code: "missing_field", field: "products.sections[0].title" },
    { code: "too_many", field: "products.sections" },
  ]);
  const sections = await group("Seções");
  const [first, second] = within(sections).getAllByRole("textbox", { name: "Título" });
  expect(first).toHaveAccessibleDescription("Falta preencher este campo.");
  expect(second).not.toHaveAccessibleDescription();
  expect(within(sections).getByText(/opções ou saídas demais/)).toBeVisible();
  await userEvent.type(first!, "Pães");
  await userEvent.type(
    within(sections).getAllByRole("combobox", { name: "Códigos dos produtos" })[1]!,
    "p2,",
  );
  expect(data()["products"]).toEqual({
    catalog_id: "C",
    sections: [
      { title: "Pães", product_retailer_ids: ["p1"] },
      { title: "Bolos", product_retailer_ids: ["p2"] },
    ],
  });
  expect(preview()).toHaveTextContent("NovidadesVejaPãesp1Bolosp2Ver itens");
  await expectAccessible();
});

test("a carousel has cards of one kind, and keeps where its buttons lead", async () => {
  const { data } = await open("message", { text: "Escolha", carousel: CARDS }, [
    { code: "too_long", field: "carousel[1].buttons[0].label" },
  ]);
  const cards = await group("Carrossel");
  const labels = () => within(cards).getAllByRole("textbox", { name: "Texto do botão" });
  expect(labels()[1]).toHaveAccessibleDescription();
  expect(labels()[0]).not.toHaveAccessibleDescription();
  await userEvent.type(labels()[0]!, "!");
  const first = () => (data()["carousel"] as Data[])[0]!;
  expect(first()["buttons"]).toEqual([{ label: "Quero!", value: "1", next_node_id: "n" }]);
  expect(within(preview()).getByRole("group", { name: "Cartões" })).toHaveTextContent("UmQuero!DoisQuero");
  await userEvent.click(screen.getByRole("combobox", { name: "O que cada cartão tem" }));
  await userEvent.click(screen.getByRole("option", { name: "Um arquivo e um link" }));
  expect(first()).toEqual({ media: PICTURE, text: "Um", cta_url: {} });
  await expectAccessible();
  await userEvent.click(within(cards).getByRole("button", { name: "Acrescentar cartão" }));
  expect(data()["carousel"]).toHaveLength(3);
});

test("the data of a form has texts, numbers and lists", async () => {
  const { data, undo } = await open("whatsapp_flow", { flow_id: "1", cta: "Abrir", variable: "v" });
  const part = await group("Dados");
  await userEvent.click(within(part).getByRole("button", { name: "Acrescentar" }));
  await fill("Nome 1", "dias", part);
  await fill("Valor 1", "3", part);
  expect(data()["data"]).toEqual({ dias: "3" });
  const shape = () => within(part).getAllByRole("combobox", { name: "Tipo de Valor 1" })[0]!;
  await userEvent.click(shape());
  await userEvent.click(screen.getByRole("option", { name: "Número" }));
  expect(data()["data"]).toEqual({ dias: 3 });
  await userEvent.click(shape());
  await userEvent.click(screen.getByRole("option", { name: "Lista" }));
  await fill("Item 1", "0", part);
  expect(data()["data"]).toEqual({ dias: [30] });
  await expectAccessible();
  undo();
  undo();
  undo();
  expect(data()["data"]).toEqual({ dias: "3" });
  expect(within(part).getByRole("textbox", { name: "Valor 1" })).toHaveValue("3");
});

test("the fields of a model's answer have names and types", async () => {
  const { data } = await open(
    "ai_prompt",
    { model: "m", prompt: "p", output_variable: "o", fields: { "a b": "text" } },
    [{ code: "invalid_variable", field: "fields.a b" }],
  );
  const part = await group("Campos da resposta");
  const name = within(part).getByRole("textbox", { name: "Nome 1" });
  expect(name).toHaveAccessibleDescription();
  await userEvent.clear(name);
  await userEvent.type(name, "idade");
  await userEvent.click(within(part).getByRole("combobox", { name: "Tipo de 1" }));
  await userEvent.click(screen.getByRole("option", { name: "Número" }));
  expect(data()["fields"]).toEqual({ idade: "number" });
});

test("the template that a person chooses has a field for each value, and its components are hidden", async () => {
  const { data, undo } = await open("template", { name: "", language: "pt_BR" });
  await userEvent.click(await screen.findByRole("combobox", { name: "Modelo" }));
  await userEvent.click(await screen.findByRole("option", { name: "pedido · pt_BR" }));
  expect(data()).toMatchObject({ name: "pedido", language: "pt_BR" });
  await userEvent.type(await screen.findByRole("textbox", { name: /^Valor 1/ }), "Ana");
  await userEvent.type(screen.getByRole("textbox", { name: /Fim do endereço de “Ver”/ }), "42");
  await userEvent.type(screen.getByRole("textbox", { name: "Link do arquivo" }), PICTURE.link);
  expect(screen.queryByRole("textbox", { name: "Legenda" })).toBeNull();
  const components = [
    { type: "header", parameters: [{ type: "image", image: { link: PICTURE.link } }] },
    {
      type: "body",
      parameters: [
        { type: "text", text: "Ana" },
        { type: "text", text: "" },
      ],
    },
    { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "42" }] },
  ];
  expect(data()["components"]).toEqual(components);
  expect(preview()).toHaveTextContent("Olá Ana, o pedido 2 está pronto.Ver");
  await expectAccessible();
  undo();
  undo();
  undo();
  undo();
  expect(data()).toEqual({ name: "", language: "pt_BR" });
});

test("the end of an offer and what a form begins with have fields, with values of the conversation", async () => {
  const offer = {
    ...templateOf("oferta", ""),
    components: [
      { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Só hoje", has_expiration: true } },
      { type: "BUTTONS", buttons: [{ type: "FLOW", text: "Abrir" }] },
    ],
  };
  vi.stubGlobal("fetch", answers({ "GET /api/v1/templates": [offer], "GET /api/v1/media": [] }).fetch);
  const { data } = await open("template", { name: "oferta", language: "pt_BR" }, [
    { code: "template_mismatch", field: "components[1].parameters[0].action.flow_token" },
  ]);
  await userEvent.type(await screen.findByLabelText(/A oferta “Só hoje” termina em/), "2026-12-24T18:00");
  await userEvent.type(screen.getByRole("textbox", { name: /Token do formulário “Abrir”/ }), "t-{{{{nome}}");
  await userEvent.click(screen.getByRole("button", { name: "Acrescentar valor" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Nome no formulário" }), "cliente");
  await userEvent.type(screen.getByRole("textbox", { name: "Valor" }), "{{{{nome}}");
  const expiration_time_ms = new Date("2026-12-24T18:00").getTime();
  const action = { flow_token: "t-{{nome}}", flow_action_data: { cliente: "{{nome}}" } };
  expect(data()["components"]).toEqual([
    {
      type: "limited_time_offer",
      parameters: [{ type: "limited_time_offer", limited_time_offer: { expiration_time_ms } }],
    },
    { type: "button", sub_type: "flow", index: "0", parameters: [{ type: "action", action }] },
  ]);
  await expectAccessible();
});

test("a finding of a template is at its value", async () => {
  const parameters = [
    { type: "text", text: "{{nome}}" },
    { type: "text", text: "{{pedid}}" },
  ];
  const data = { name: "pedido", language: "pt_BR", components: [{ type: "body", parameters }] };
  await open("template", data, [
    { code: "variable_never_assigned", field: "components[0].parameters[1].text" },
  ]);
  expect(await screen.findByRole("textbox", { name: /^Valor 2/ })).toHaveAccessibleDescription();
  expect(screen.getByRole("textbox", { name: /^Valor 1/ })).not.toHaveAccessibleDescription();
});

test("a template that is in no copy of an account is filled in by its name", async () => {
  const { data } = await open("template", { name: "outro", language: "pt_BR" });
  const count = await screen.findByRole("textbox", { name: "Valores no texto" });
  await userEvent.type(count, "1");
  await userEvent.type(screen.getByRole("textbox", { name: /^Valor 1/ }), "Ana");
  expect(data()["components"]).toEqual([{ type: "body", parameters: [{ type: "text", text: "Ana" }] }]);
});
