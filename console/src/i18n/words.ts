import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { plain } from "../ui/names.ts";

export const LANGUAGES = { pt: "Português", es: "Español", en: "English" } as const;
export type Language = keyof typeof LANGUAGES;

/** Texts of one part of the console in one language; `pt` decides which keys there are. */
type Words = Record<string, unknown>;
type File = () => Promise<{ default: Words }>;

const COMMON = ["shell", "problems"];
const KEPT = "pytake.language";

// One file for each part and language: src/words/<language>/<part>.json and src/areas/<part>/words/<language>.json.
const files = import.meta.glob<{ default: Words }>([
  "../words/*/*.json",
  "../areas/*/words/*.json",
]) as Record<string, File>;

function fileOf(part: string, language: string): File | undefined {
  return files[`../areas/${part}/words/${language}.json`] ?? files[`../words/${language}/${part}.json`];
}

const wanted = new Set(COMMON);

/** Load the texts of a part of the console; its route calls it before it shows. */
export async function loadWords(...parts: string[]): Promise<void> {
  for (const part of parts) wanted.add(part);
  await load(parts, i18next.language);
}

async function load(parts: Iterable<string>, language: string): Promise<void> {
  const missing = [...parts].filter((part) => !i18next.hasResourceBundle(language, part));
  const loaded = await Promise.all(missing.map((part) => fileOf(part, language)?.()));
  missing.forEach((part, index) => i18next.addResourceBundle(language, part, loaded[index]?.default ?? {}));
}

/** The language that the person chose, else the first of the browser's that there is, else English. */
export function firstLanguage(kept: string | null, accepted: readonly string[]): Language {
  const candidates = [kept ?? "", ...accepted.map((tag) => tag.slice(0, 2).toLowerCase())];
  return candidates.find((tag): tag is Language => Object.hasOwn(LANGUAGES, tag)) ?? "en";
}

const DIRECTED = /[\u202A-\u202E\u2066-\u2069\p{Script=Arabic}\p{Script=Hebrew}]/u;

/** A value as part of a text: one that is written from the right, or says so, does not turn the rest of it round. */
export function isolated(value: string): string {
  return DIRECTED.test(value) ? `\u2068${plain(value)}\u2069` : value;
}

/** Begin with the person's language. */
export async function startWords(): Promise<void> {
  const lng = firstLanguage(localStorage.getItem(KEPT), navigator.languages);
  await i18next.use(initReactI18next).init({
    lng,
    ns: COMMON,
    defaultNS: "shell",
    resources: {},
    fallbackLng: false,
    returnNull: false,
    pluralSeparator: "#", // keys have underscores, as codes of problems do
    contextSeparator: "~",
    interpolation: { escape: isolated }, // React escapes markup
  });
  await load(COMMON, lng);
  document.documentElement.lang = lng;
}

/** Show everything in another language, and remember it. */
export async function switchLanguage(language: Language): Promise<void> {
  await load(wanted, language);
  localStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

/** The language for `Intl`, with the region of most of its readers. */
export function locale(): string {
  return { pt: "pt-BR", es: "es", en: "en" }[i18next.language as Language] ?? "en";
}
