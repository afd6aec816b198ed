import { expect, test } from "vitest";
import type { FlowDocument } from "./document.ts";
import { copied, pasted } from "./copies.ts";
import { removed, renamed, withNode } from "./edit.ts";
import { begun, changed, undone } from "./history.ts";
import { textsOf, translatedInto, withTextsFollowed, withTranslation } from "./texts.ts";

test("texts are named as the engine names them: options by their value, other items by their index", () => {
  const buttons = [{ label: "Sim", value: "yes" }, { label: "Não" }];
  const message = {
    id: "m",
    type: "message" as const,
    data: { text: "Oi", buttons, carousel: [{ text: "A", buttons }] },
  };
  expect(textsOf(message).map(({ key, field }) => [key, field])).toEqual(
    expect.arrayContaining([
      ["text", "text"],
      ["buttons.yes.label", "buttons[0].label"],
      ["buttons.Não.label", "buttons[1].label"],
      ["carousel.0.text", "carousel[0].text"],
      ["carousel.0.buttons.yes.label", "carousel[0].buttons[0].label"],
    ]),
  );
  const choices = { choices: ["Azul", { value: "red", label: "Vermelho" }] };
  const question = { id: "q", type: "question" as const, data: { question: "Cor?", validation: choices } };
  const found = new Map(textsOf(question).map(({ key, optional }) => [key, optional]));
  expect(found.get("question")).toBe(false);
  expect(found.get("validation.choices.Azul.label")).toBe(true);
  expect(found.has("validation.choices.red.label")).toBe(true);
});

const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  language: "pt_BR",
  languages: ["pt_BR", "en"],
  texts: { en: { "m.text": "Hi", "mm.text": "Ho" } },
  nodes: [{ id: "m", type: "message", data: { text: "Oi" } }],
};

test("a translation is written, and removed with what it leaves empty", () => {
  expect(translatedInto(FLOW)).toEqual(["en"]);
  expect(withTranslation(FLOW, "es", "m.text", "Hola").texts).toEqual({
    ...FLOW.texts,
    es: { "m.text": "Hola" },
  });
  expect(withTranslation(FLOW, "en", "m.text", "").texts).toEqual({ en: { "mm.text": "Ho" } });
  expect(withTranslation({ ...FLOW, texts: { en: { a: "b" } } }, "en", "a", "")).not.toHaveProperty("texts");
});

test("a node with another id keeps its translations", () => {
  expect(renamed(FLOW, "m", "n").texts).toEqual({ en: { "n.text": "Hi", "mm.text": "Ho" } });
});

const SIM = { label: "Sim" };
const NAO = { label: "Não", value: "no" };
const MENU: FlowDocument = {
  ...FLOW,
  texts: {
    en: { "m.buttons.Sim.label": "Yes", "m.buttons.no.label": "No" },
    es: { "m.buttons.Sim.label": "Sí" },
  },
  nodes: [
    { id: "m", type: "message", data: { text: "Oi", buttons: [SIM, NAO] } },
    { id: "x", type: "message", data: { carousel: [{ text: "A" }, { text: "B" }, { text: "C" }] } },
  ],
};

function buttoned(document: FlowDocument, ...buttons: object[]): FlowDocument {
  const next = withNode(document, "m", (node) => ({ ...node, data: { ...node.data, buttons } }));
  return withTextsFollowed(document, next);
}

/** Return the English texts of the buttons, in order. */
function english(document: FlowDocument): (string | undefined)[] {
  return textsOf(document.nodes[0]!)
    .filter(({ field }) => field.endsWith("label"))
    .map(({ key }) => document.texts?.["en"]?.[`m.${key}`]);
}

test("translations follow a button whose label or value changes, and one step brings the names back", () => {
  const history = changed(begun(MENU), buttoned(MENU, { label: "Claro" }, NAO), "m.buttons");
  expect(history.document.texts).toEqual({
    en: { "m.buttons.Claro.label": "Yes", "m.buttons.no.label": "No" },
    es: { "m.buttons.Claro.label": "Sí" },
  });
  const valued = buttoned(history.document, { label: "Claro", value: "yes" }, { ...NAO, value: "never" });
  expect(valued.texts?.["en"]).toEqual({ "m.buttons.yes.label": "Yes", "m.buttons.never.label": "No" });
  expect(undone(changed(history, valued, "m.buttons")).document).toBe(MENU);
});

test("translations survive a name that is empty, or another's, while it is written", () => {
  const written = ["Si", "S", "", "n", "no", "non", "none"].reduce(
    (document, label) =>
      buttoned(document, label ? { label } : {}, (document.nodes[0]!.data["buttons"] as object[])[1]!),
    MENU,
  );
  expect(english(written)).toEqual(["Yes", "No"]);
  expect(Object.keys(written.texts!["en"]!)).toHaveLength(2);
});

test("translations stay with their items when these are moved, added and removed", () => {
  expect(english(buttoned(MENU, NAO, SIM))).toEqual(["No", "Yes"]);
  expect(english(buttoned(MENU, { label: "Novo" }, SIM, NAO))).toEqual([undefined, "Yes", "No"]);
  const less = buttoned(MENU, NAO);
  expect(less.texts).toEqual({ en: { "m.buttons.no.label": "No" }, es: {} });
  const cards = { ...MENU, texts: { en: { "x.carousel.0.text": "a", "x.carousel.2.text": "c" } } };
  const turned = withNode(cards, "x", (node) => ({
    ...node,
    data: { carousel: (node.data["carousel"] as object[]).toReversed().slice(0, 2) },
  }));
  expect(withTextsFollowed(cards, turned).texts).toEqual({ en: { "x.carousel.0.text": "c" } });
});

test("translations go with a removed node, and a copy of a node has them", () => {
  const document = { ...MENU, texts: { en: { ...MENU.texts!["en"], "m.text": "Hi", "mm.text": "Ho" } } };
  const less = removed(document, new Set(["m"]));
  expect(withTextsFollowed(document, less).texts).toEqual({ en: { "mm.text": "Ho" } });
  const [both, [id]] = pasted(document, copied(document, ["m"]));
  expect(both.texts!["en"]).toMatchObject({
    "m.text": "Hi",
    [`${id}.text`]: "Hi",
    [`${id}.buttons.Sim.label`]: "Yes",
  });
  expect(both.texts!["en"]).not.toHaveProperty("mm_2.text");
});

test("copies bring their translations into another flow, in the languages that it speaks", () => {
  const texts = { en: { "m.text": "Hi" }, es: { "m.text": "Hola" } };
  const copies = copied({ ...MENU, texts }, ["m"]);
  const other: FlowDocument = {
    format: 1,
    id: "g",
    languages: ["es"],
    nodes: [{ ...MENU.nodes[0]!, data: {} }],
  };
  const [after, [id]] = pasted(other, copies);
  expect(id).toBe("m_2");
  expect(after.texts).toEqual({ es: { "m_2.text": "Hola" } });
});
