import { FILTERS } from "../../../generated/filters.ts";
import { folded } from "../../../ui/search.ts";

/** Something that can be written between double braces. */
export interface Offer {
  name: string;
  /** What is inserted: the name, or a filter with its arguments. */
  insert: string;
  /** What it is for: a kind of value. */
  kinds: readonly string[];
  /** A value that it can have, or what a filter makes of one. */
  example: string;
}

/** Where a name is being written: after `{{` or an operator, or after a `|`. */
export interface Place {
  kind: "value" | "filter";
  from: number;
  word: string;
}

const MOST = 8;
const WORD = /(?:[\p{L}\d_][\p{L}\d_.-]*)?$/u;

/** Every filter, with what it makes of an example. */
export const FILTER_OFFERS: readonly Offer[] = FILTERS.map(({ name, kind, value, call, result }) => ({
  name,
  insert: call,
  kinds: [kind],
  example: `${value} → ${result}`,
}));

/** Return what is being written at the caret, if it is inside of double braces and not in a quoted text. */
export function placeAt(text: string, caret: number): Place | undefined {
  const before = text.slice(0, caret);
  const start = before.lastIndexOf("{{");
  if (start < 0) return undefined;
  const inside = before.slice(start + 2);
  if (inside.includes("}}") || inside.includes("\n")) return undefined;
  const unquoted = inside.replaceAll(/"[^"]*"|'[^']*'/g, "");
  if (/["']/.test(unquoted)) return undefined;
  const word = WORD.exec(inside)![0];
  const lead = unquoted.slice(0, unquoted.length - word.length).trimEnd();
  if (lead && !/[|+\-*/(,]$/.test(lead)) return undefined; // behind a whole name only an operator or a filter can follow
  return { kind: lead.endsWith("|") ? "filter" : "value", from: caret - word.length, word };
}

/** Return the offers whose name begins with the word, then those that contain it. */
export function matching(offers: readonly Offer[], word: string): Offer[] {
  const wanted = folded(word);
  const begins = offers.filter(({ name }) => folded(name).startsWith(wanted));
  const contains = offers.filter((offer) => !begins.includes(offer) && folded(offer.name).includes(wanted));
  return [...begins, ...contains].slice(0, MOST);
}

/** Return the text with an offer at its place, the braces closed, and where the caret goes. */
export function completed(
  text: string,
  caret: number,
  place: Place,
  { insert }: Offer,
): { text: string; caret: number } {
  const rest = text.slice(caret).replace(/^[\p{L}\d_.-]*/u, "");
  const next = /\{\{|\}\}|\n/.exec(rest);
  const isClosed = next?.[0] === "}}";
  const head = text.slice(0, place.from) + insert;
  if (!isClosed) return { text: `${head}}}${rest}`, caret: head.length + 2 };
  return { text: head + rest, caret: head.length };
}
