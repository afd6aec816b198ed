import type { Data } from "../../../flow/document.ts";

/** Names in expressions that are not variables of the flow. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "answers",
  "constants",
  "contact",
  "input",
  "now",
  "secrets",
  "today",
  "true",
  "false",
]);

const EXPRESSION = /\{\{(.*?)\}\}/g;
const NOT_NAMES = /"[^"]*"|'[^']*'|\|\s*\w+/g; // quoted texts and filters
const NAME = /(?<![\w.])[\p{L}_][\p{L}\d_]*/gu;

/** Return the variables that an API call uses, in the order of their first use. */
export function variablesOf(data: Data): string[] {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    else if (value !== null && typeof value === "object") Object.values(value).forEach(collect);
  };
  collect([data["url"], data["headers"], data["query_params"], data["body"]]);
  const expressions = texts.flatMap((text) => [...text.matchAll(EXPRESSION)].map((found) => found[1]!));
  const names = expressions.flatMap((expression) => expression.replaceAll(NOT_NAMES, " ").match(NAME) ?? []);
  return [...new Set(names)].filter((name) => !BUILT_IN.has(name));
}

/** Return an example as the flow would have it: a number where the variable is always one, JSON as an object or a list. */
export function exampleOf(text: string, kinds: readonly string[] | undefined): unknown {
  const trimmed = text.trim();
  const isNumber = kinds?.includes("number") && !kinds.includes("text") && trimmed !== "";
  if (isNumber && Number.isFinite(Number(trimmed))) return Number(trimmed);
  if (!/^[[{]/.test(trimmed)) return text;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return text;
  }
}
