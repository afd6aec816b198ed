import { expect, test } from "vitest";
import { componentsOf, fieldsOf, filled, valuesOf, type MessageTemplate } from "./templates.ts";

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
  header: "https://example.com/a.png",
  "body.1": "Ana",
  "body.2": "42",
  "button.1": "42",
};

test("a message has what each part of its template needs", () => {
  expect(fieldsOf(READY)?.map(({ key }) => key)).toEqual(["header", "body.1", "body.2", "button.1"]);
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
  const values = { ...VALUES, header: "file-1" };
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

test.each([
  [
    "a carousel",
    [
      { type: "BODY", text: "a" },
      { type: "CAROUSEL", cards: [] },
    ],
  ],
  ["a code", [{ type: "BUTTONS", buttons: [{ type: "COPY_CODE", text: "Copiar" }] }]],
  ["a place", [{ type: "HEADER", format: "LOCATION" }]],
  ["unknown parts", null],
])("a form cannot fill %s", (_, components) =>
  expect(fieldsOf(template(components as MessageTemplate["components"]))).toBeUndefined(),
);

test("the preview shows what is known and keeps the rest", () => {
  expect(filled("Olá {{1}}, {{ 2 }}", "body", { "body.1": "Ana", "body.2": "" })).toBe("Olá Ana, {{ 2 }}");
});
