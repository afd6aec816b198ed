import { expect, test } from "vitest";
import schema from "../../../../../docs/flow.schema.json";
import { exitsOf, type NodeType } from "../../../flow/document.ts";
import words from "../words/pt.json";
import { VALIDATORS } from "./compound.tsx";
import { ACTIONS, CARDS, CHOICES, FORMS, LISTS, OBJECTS } from "./fields.ts";

interface Properties {
  properties: Record<
    string,
    { enum?: string[]; const?: string; $ref?: string; anyOf?: { enum?: string[] }[] }
  >;
}

const definitions = schema.$defs as unknown as Record<string, Properties>;
const nodes = schema.properties.nodes.items.oneOf as unknown as Properties[];
const types = nodes.map(({ properties }) => ({
  type: (properties["type"]!.const ?? properties["type"]!.enum![0]) as NodeType,
  fields: Object.keys(definitions[properties["data"]!.$ref!.split("/").at(-1)!]!.properties),
}));

test.each(types)("the form of $type has every field of the schema", ({ type, fields }) => {
  const { main, more } = FORMS[type];
  const own = [...main, ...more].map(({ name }) => name).filter((name) => name !== "comparison");
  const exits = fields.filter((name) => name.endsWith("next_node_id"));
  const together = {
    condition: ["variable", "operator", "value", "keep_as"],
    template: ["name", "language"],
  };
  expect([...own, ...exits, ...(together[type as "template"] ?? [])].toSorted()).toEqual(fields.toSorted());
  expect(own.filter((name) => !(name in words.field))).toEqual([]);
});

test("every type of the schema has a form, a name and a hint", () => {
  expect(types.map(({ type }) => type).toSorted()).toEqual(Object.keys(FORMS).toSorted());
  expect(types.filter(({ type }) => !(type in words.type) || !(type in words.hint))).toEqual([]);
});

test("every validator of the schema can be chosen and has a name", () => {
  expect([...VALIDATORS].toSorted()).toEqual(definitions["Validation"]!.properties["type"]!.enum!.toSorted());
  expect(VALIDATORS.filter((type) => !(type in words.validator))).toEqual([]);
});

test("every exit of the schema can be drawn", () => {
  for (const { type, fields } of types) {
    const data = Object.fromEntries(
      fields.filter((name) => name.endsWith("next_node_id")).map((name) => [name, "x"]),
    );
    const drawn = exitsOf({ id: "n", type, data }).map(({ field }) => field);
    const expected = Object.keys(data).filter(
      (name) => !(type === "condition" && name === "default_next_node_id"),
    );
    expect(drawn.toSorted(), type).toEqual(expected.toSorted());
  }
});

test("every action of the schema has its fields", () => {
  const actions = Object.values(definitions).filter(
    ({ properties }) => properties?.["type"]?.enum?.length === 1,
  );
  const named = actions.filter(({ properties }) => (properties["type"]!.enum![0] ?? "") in words.action);
  const expected = Object.fromEntries(
    named.map(({ properties }) => [
      properties["type"]!.enum![0],
      Object.keys(properties)
        .filter((name) => name !== "type")
        .toSorted(),
    ]),
  );
  const own = Object.entries(ACTIONS).map(([type, fields]) => [
    type,
    fields.map(({ name }) => name).toSorted(),
  ]);
  expect(Object.fromEntries(own)).toEqual(expected);
  expect(Object.keys(definitions).filter((name) => name.endsWith("Action"))).toHaveLength(own.length);
});

test("what is one part of a node has the fields of the schema, and they have names", () => {
  const specs: Record<string, string> = {
    cta_url: "CtaSpec",
    location: "LocationSpec",
    product: "ProductSpec",
    products: "ProductsSpec",
    catalog: "CatalogSpec",
    reaction: "ReactionSpec",
    options_from: "OptionsFrom",
    multiple: "Multiple",
    memory: "Memory",
  };
  expect(Object.keys(OBJECTS).toSorted()).toEqual(Object.keys(specs).toSorted());
  for (const [name, spec] of Object.entries(specs)) {
    const own = OBJECTS[name]!.map((field) => field.name);
    const known = Object.keys(definitions[spec]!.properties).filter(
      (field) => !field.endsWith("next_node_id"),
    );
    expect(own.toSorted(), name).toEqual(known.toSorted());
    expect(own.filter((field) => !(field in words.field))).toEqual([]);
  }
});

const LISTED = { contacts: "ContactSpec", sections: "ProductSectionSpec", parameters: "Parameter" };

test.each(Object.entries(LISTED))(
  "an entry of %s has the fields of the schema, and they have names",
  (name, spec) => {
    const own = LISTS[name]!.fields.map((field) => field.name);
    expect(own.toSorted()).toEqual(Object.keys(definitions[spec]!.properties).toSorted());
    expect(own.filter((field) => !(field in words.field))).toEqual([]);
  },
);

test("the cards of a carousel have the fields of the schema, and each kind has a name", () => {
  const own = new Set(Object.values(CARDS).flatMap((card) => card.map(({ name }) => name)));
  expect([...own].toSorted()).toEqual(Object.keys(definitions["CardSpec"]!.properties).toSorted());
  expect(Object.keys(CARDS)).toEqual(Object.keys(words.card));
});

test("what can be chosen is what the schema allows, and has a name", () => {
  const specs = { category: "TemplateNode", purpose: "SetConsentAction", state: "SetConsentAction" };
  for (const [name, spec] of Object.entries(specs)) {
    const { enum: own, anyOf = [] } = definitions[spec]!.properties[name]!;
    const allowed = own ?? anyOf.flatMap((one) => one.enum ?? []);
    expect([...CHOICES[name]!.values].toSorted()).toEqual(allowed.toSorted());
    expect(Object.keys(words.choice[name as "state"])).toEqual(CHOICES[name]!.values);
  }
  expect(Object.keys(words.choice.priority)).toEqual(CHOICES["priority"]!.values);
});
