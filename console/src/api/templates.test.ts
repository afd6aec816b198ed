import { expect, test } from "vitest";
import {
  componentsOf,
  fieldsOf,
  filled,
  isFilled,
  parameterOf,
  valuesOf,
  type MessageTemplate,
  type TemplateValues,
} from "./templates.ts";

function template(components: MessageTemplate["components"], changed: Partial<MessageTemplate> = {}) {
  return {
    waba_id: "7",
    name: "order_ready",
    language: "pt_BR",
    parameter_format: "POSITIONAL",
    components,
    ...changed,
  } as MessageTemplate;
}

const READY = template([
  { type: "HEADER", format: "IMAGE" },
  { type: "BODY", text: "Olá {{1}}, o pedido {{2}} está pronto, {{1}}." },
  { type: "FOOTER", text: "Lojinha" },
  {
    type: "BUTTONS",
    buttons: [
      { type: "QUICK_REPLY", text: "Obrigado" },
      { type: "URL", text: "Ver", url: "https://example.com/{{1}}" },
    ],
  },
]);
const VALUES = {
  header: { link: "https://example.com/a.png" },
  "body.1": "Ana",
  "body.2": "42",
  "button.1": "42",
};

test("a message has what each part of its template needs", () => {
  expect(fieldsOf(READY)?.map(({ key }) => key)).toEqual([
    "header",
    "body.1",
    "body.2",
    "button.0",
    "button.1",
  ]);
  expect(componentsOf(READY, VALUES)).toEqual([
    { type: "header", parameters: [{ type: "image", image: { link: "https://example.com/a.png" } }] },
    {
      type: "body",
      parameters: [
        { type: "text", text: "Ana" },
        { type: "text", text: "42" },
      ],
    },
    { type: "button", sub_type: "url", index: "1", parameters: [{ type: "text", text: "42" }] },
  ]);
  expect(valuesOf(READY, componentsOf(READY, VALUES))).toEqual(VALUES);
  expect(valuesOf(READY, [])).toEqual({});
});

test("a header is a file of the organization", () => {
  const values = { ...VALUES, header: { id: "file-1" } };
  const sent = componentsOf(READY, values);
  expect(sent[0]).toEqual({ type: "header", parameters: [{ type: "image", image: { id: "file-1" } }] });
  expect(valuesOf(READY, sent)).toEqual(values);
});

test("named values keep their names, and a template without values sends none", () => {
  const named = template([{ type: "BODY", text: "Olá {{nome}}" }], { parameter_format: "NAMED" });
  expect(componentsOf(named, { "body.nome": "Ana" })).toEqual([
    { type: "body", parameters: [{ type: "text", text: "Ana", parameter_name: "nome" }] },
  ]);
  expect(componentsOf(template([{ type: "BODY", text: "Olá" }]), {})).toEqual([]);
});

const CARD = [
  { type: "HEADER", format: "IMAGE" },
  { type: "BODY", text: "{{1}}" },
  { type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Quero" }] },
];
const FILE = { link: "https://example.com/a.png" };
const PRODUCTS = {
  thumbnail_product_retailer_id: "sku1",
  sections: [{ title: "Novos", product_items: [{ product_retailer_id: "sku1" }] }],
};
const PLACE = { latitude: "-8.05", longitude: "-34.9", name: "Loja", address: "Rua A" };

test.each<[string, object[], TemplateValues, object[]]>([
  [
    "a carousel",
    [
      { type: "BODY", text: "Veja" },
      { type: "CAROUSEL", cards: [{ components: CARD }, { components: CARD }] },
    ],
    { "card.0.header": FILE, "card.0.body.1": "Um", "card.1.header": { id: "7" }, "card.1.body.1": "Dois" },
    [
      {
        type: "carousel",
        cards: [
          { file: FILE, text: "Um" },
          { file: { id: "7" }, text: "Dois" },
        ].map(({ file, text }, at) => ({
          card_index: at,
          components: [
            { type: "header", parameters: [{ type: "image", image: file }] },
            { type: "body", parameters: [{ type: "text", text }] },
          ],
        })),
      },
    ],
  ],
  [
    "a code that is copied",
    [{ type: "BUTTONS", buttons: [{ type: "COPY_CODE", text: "Copiar" }] }],
    { "button.0": "NATAL" },
    [
      {
        type: "button",
        sub_type: "copy_code",
        index: "0",
        parameters: [{ type: "coupon_code", coupon_code: "NATAL" }],
      },
    ],
  ],
  [
    "a place",
    [{ type: "HEADER", format: "LOCATION" }],
    { header: PLACE },
    [{ type: "header", parameters: [{ type: "location", location: PLACE }] }],
  ],
  [
    "when an offer ends",
    [{ type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Só hoje", has_expiration: true } }],
    { offer: { expiration_time_ms: 1_796_086_400_000 } },
    [
      {
        type: "limited_time_offer",
        parameters: [
          { type: "limited_time_offer", limited_time_offer: { expiration_time_ms: 1_796_086_400_000 } },
        ],
      },
    ],
  ],
  [
    "what a form begins with",
    [
      {
        type: "BUTTONS",
        buttons: [
          { type: "URL", text: "Ver", url: "https://a.example" },
          { type: "FLOW", text: "Abrir" },
        ],
      },
    ],
    { "button.1": { flow_token: "t1", flow_action_data: { nome: "Ana" } } },
    [
      {
        type: "button",
        sub_type: "flow",
        index: "1",
        parameters: [{ type: "action", action: { flow_token: "t1", flow_action_data: { nome: "Ana" } } }],
      },
    ],
  ],
  [
    "several products",
    [{ type: "BUTTONS", buttons: [{ type: "MPM", text: "Ver produtos" }] }],
    { "button.0": PRODUCTS },
    [{ type: "button", sub_type: "mpm", index: "0", parameters: [{ type: "action", action: PRODUCTS }] }],
  ],
  [
    "what a quick reply answers with",
    [{ type: "BUTTONS", buttons: [{ type: "QUICK_REPLY", text: "Sim" }] }],
    { "button.0": "yes" },
    [
      {
        type: "button",
        sub_type: "quick_reply",
        index: "0",
        parameters: [{ type: "payload", payload: "yes" }],
      },
    ],
  ],
])("a form fills %s", (_, components, values, sent) => {
  const filling = template(components as MessageTemplate["components"]);
  expect(componentsOf(filling, values)).toEqual(sent);
  expect(valuesOf(filling, sent as Record<string, unknown>[])).toEqual(values);
  expect(isFilled(filling, values)).toBe(true);
});

test("the code of a sign-in is the value of its text and of its button", () => {
  const buttons = [{ type: "OTP", text: "Copiar" }];
  const code = template([{ type: "BODY" }, { type: "BUTTONS", buttons }], { category: "AUTHENTICATION" });
  expect(componentsOf(code, { "body.1": "42", "button.0": "42" })).toEqual([
    { type: "body", parameters: [{ type: "text", text: "42" }] },
    { type: "button", sub_type: "url", index: "0", parameters: [{ type: "text", text: "42" }] },
  ]);
});

test("a template is filled when every value but an optional one is there", () => {
  expect(isFilled(READY, VALUES)).toBe(true);
  expect(isFilled(READY, { ...VALUES, "body.2": " " })).toBe(false);
  expect(isFilled(READY, { ...VALUES, header: {} })).toBe(false);
});

test("an offer without an end needs nothing, and a form can begin with nothing", () => {
  const parts = template([
    { type: "LIMITED_TIME_OFFER", limited_time_offer: { text: "Só hoje", has_expiration: false } },
    { type: "BUTTONS", buttons: [{ type: "FLOW", text: "Abrir" }] },
  ]);
  expect(isFilled(parts, {})).toBe(true);
  expect(componentsOf(parts, { "button.0": {} })).toEqual([]);
});

test("several products need a picture, and a title and products in each section", () => {
  const products = template([{ type: "BUTTONS", buttons: [{ type: "MPM", text: "Ver" }] }]);
  expect(isFilled(products, {})).toBe(false);
  expect(isFilled(products, { "button.0": { ...PRODUCTS, thumbnail_product_retailer_id: "" } })).toBe(false);
  const empty = { title: "Outros", product_items: [] };
  expect(isFilled(products, { "button.0": { ...PRODUCTS, sections: [...PRODUCTS.sections, empty] } })).toBe(
    false,
  );
});

test("a value has a place in the components of the message", () => {
  const sent = componentsOf(READY, VALUES);
  const paths = fieldsOf(READY)!.map((field) => parameterOf(READY, sent, field)?.path);
  expect(paths).toEqual([
    "[0].parameters[0]",
    "[1].parameters[0]",
    "[1].parameters[1]",
    undefined,
    "[2].parameters[0]",
  ]);
});

test.each([
  ["an order", [{ type: "BUTTONS", buttons: [{ type: "ORDER_DETAILS", text: "Pagar" }] }]],
  ["a request to call", [{ type: "CALL_PERMISSION_REQUEST" }]],
  ["unknown parts", null],
])("a form cannot fill %s", (_, components) =>
  expect(fieldsOf(template(components as MessageTemplate["components"]))).toBeUndefined(),
);

test("the preview shows what is known and keeps the rest", () => {
  expect(filled("Olá {{1}}, {{ 2 }}", "body", { "body.1": "Ana", "body.2": "" })).toBe("Olá Ana, {{ 2 }}");
});
