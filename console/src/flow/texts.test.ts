import { expect, test } from "vitest";
import type { FlowDocument } from "./document.ts";
import { renamed } from "./edit.ts";
import { textsOf, translatedInto, withTranslation } from "./texts.ts";

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
