import { expect, test } from "vitest";
import { firstLanguage, isolated } from "./words.ts";

const FILES = import.meta.glob<Record<string, unknown>>(["../words/*/*.json", "../areas/*/words/*.json"], {
  eager: true,
  import: "default",
});

function flat(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    flat(inner, path ? `${path}.${key}` : key),
  );
}

function values(text: string): string[] {
  return (text.match(/\{\{\w+\}\}/g) ?? []).toSorted();
}

const portuguese = Object.keys(FILES).filter((path) => /\/pt(\/|\.json)/.test(path));

test.each(portuguese)("%s has the same keys and values in every language", (path) => {
  expect(portuguese.length).toBeGreaterThan(3);
  const original = new Map(flat(FILES[path]));
  for (const language of ["es", "en"]) {
    const other = new Map(flat(FILES[path.replace(/\/pt(?=\/|\.json)/, `/${language}`)]));
    expect([...other.keys()].toSorted()).toEqual([...original.keys()].toSorted());
    for (const [key, text] of original) {
      expect(values(other.get(key)!), key).toEqual(values(text));
      expect(other.get(key)!.trim(), key).not.toBe("");
    }
  }
});

test.each([
  ["pt", /calend[aá]rio|departamento/i],
  ["es", /calendario/i],
])("%s calls hours and departments by one word each", (language, other) => {
  const texts = Object.entries(FILES).filter(([path]) => new RegExp(`/${language}[/.]`).test(path));
  expect(texts.flatMap(([, file]) => flat(file)).filter(([, text]) => other.test(text))).toEqual([]);
});

test("the first language is the person's, else the browser's, else English", () => {
  expect(firstLanguage("es", ["pt-BR"])).toBe("es");
  expect(firstLanguage(null, ["fr-FR", "pt-BR", "en"])).toBe("pt");
  expect(firstLanguage("xx", ["fr"])).toBe("en");
});

test("a name that is written from the right, or says so, does not turn the text around it", () => {
  expect(isolated("Zélia")).toBe("Zélia");
  expect(isolated("ليلى")).toBe("\u2068ليلى\u2069");
  expect(isolated("\u202Egro.live\u2069\u202E")).toBe("\u2068gro.live\u2069");
});
