import { valueAt, type FlowDocument, type FlowNode } from "./document.ts";
import PATTERNS from "./texts.json";

/** A text that people may see: its name in `texts`, its field in the node's data, and whether a translation may be left out. */
export interface ShownText {
  key: string;
  field: string;
  text: string;
  optional: boolean;
}

/** Return the texts of a node that a flow can translate, as the engine names them. */
export function textsOf({ type, data }: FlowNode): ShownText[] {
  const patterns = (PATTERNS as Partial<Record<string, string[]>>)[type] ?? [];
  return patterns.flatMap((pattern) => {
    const optional = pattern.endsWith("?");
    const found = reached(data, pattern.replace("?", "").split("."), "", "");
    return found.map(({ isChoice, ...text }) => ({ ...text, optional: optional || isChoice }));
  });
}

type Found = Omit<ShownText, "optional"> & { isChoice: boolean };

function reached(value: unknown, [step, ...rest]: string[], key: string, field: string): Found[] {
  if (step === undefined)
    return typeof value === "string" && value ? [{ key, field, text: value, isChoice: false }] : [];
  const join = (path: string, name: string) => (path ? `${path}.${name}` : name);
  if (step !== "[]") return reached(valueAt(value, step), rest, join(key, step), join(field, step));
  if (!Array.isArray(value)) return [];
  const list = field.replace(/^.*\./, "");
  return value.flatMap((item: unknown, index): Found[] => {
    const [inner, at] = [join(key, nameOf(item, list, index)), `${field}[${index}]`];
    if (typeof item === "string" && rest.join(".") === "label")
      // a choice without a label of its own
      return [{ key: `${inner}.label`, field: at, text: item, isChoice: true }];
    return reached(item, rest, inner, at);
  });
}

/** What an item of a list is called: an option by its value, anything else by its index. */
function nameOf(item: unknown, list: string, index: number): string {
  if (typeof item === "string") return item;
  const { value, label } = (item ?? {}) as { value?: unknown; label?: unknown };
  return list === "buttons" || list === "choices" ? String(value || label || index) : String(index);
}

/** Return the names of a list's items. One that is called as an earlier one gets a name of its own, so that its texts wait there. */
function namesOf(items: readonly unknown[], list: string): string[] {
  const taken = new Set<string>();
  return items.map((item, index) => {
    const name = nameOf(item, list, index);
    const own = taken.has(name) ? `${name}#${index}` : name;
    taken.add(own);
    return own;
  });
}

/** Return where each item of a list is after a change: the same item, else the one of its name, else one in the same order. */
function placesOf(
  before: readonly unknown[],
  after: readonly unknown[],
  list: string,
): (number | undefined)[] {
  const [old, now] = [namesOf(before, list), namesOf(after, list)];
  const free = new Set(after.keys());
  const take = (index: number) => (free.delete(index) ? index : undefined);
  const same = before.map((item) => take(after.findIndex((one, index) => one === item && free.has(index))));
  const isNamed = list === "buttons" || list === "choices";
  const named = same.map((at, index) => at ?? (isNamed ? take(now.indexOf(old[index]!)) : undefined));
  if (before.length !== after.length) return named;
  const rest = [...free];
  return named.map((at) => at ?? rest.shift());
}

/** Return how the texts below a field are called before and after a change; `undefined` if their item is gone. */
function moves(
  before: unknown,
  after: unknown,
  [step, ...rest]: string[],
  from: string,
  to: string | undefined,
): [string, string | undefined][] {
  if (step === undefined) return from === to ? [] : [[from, to]];
  const join = (path: string, name: string) => (path ? `${path}.${name}` : name);
  if (step !== "[]") {
    const next = to === undefined ? undefined : join(to, step);
    return moves(valueAt(before, step), valueAt(after, step), rest, join(from, step), next);
  }
  const items: unknown[] = Array.isArray(before) ? before : [];
  const others: unknown[] = Array.isArray(after) ? after : [];
  const list = from.replace(/^.*\./, "");
  const [old, now, places] = [namesOf(items, list), namesOf(others, list), placesOf(items, others, list)];
  return items.flatMap((item, index) => {
    const at = places[index];
    const next = at === undefined || to === undefined ? undefined : join(to, now[at]!);
    return moves(item, at === undefined ? undefined : others[at], rest, join(from, old[index]!), next);
  });
}

/** Return the names that the texts of a node have had and have now; `undefined` if the text is gone. */
function renamesOf(before: FlowNode, after: FlowNode | undefined): [string, string | undefined][] {
  if (!after) return textsOf(before).map(({ key }) => [`${before.id}.${key}`, undefined]);
  const patterns = (PATTERNS as Partial<Record<string, string[]>>)[before.type] ?? [];
  return patterns
    .flatMap((pattern) => moves(before.data, after.data, pattern.replace("?", "").split("."), "", ""))
    .map(([from, to]) => [`${before.id}.${from}`, to === undefined ? to : `${before.id}.${to}`]);
}

/**
 * Return a changed document whose translations have followed their texts. A text of a button is named by the button's value
 * or label, and other texts of lists by their place: translations follow when these change, and go with what is removed.
 * A change that itself wrote translations stays as it is.
 */
export function withTextsFollowed(before: FlowDocument, after: FlowDocument): FlowDocument {
  const { texts } = before;
  if (!texts || after.texts !== texts || after.nodes === before.nodes) return after;
  const nodes = new Map(after.nodes.map((node) => [node.id, node]));
  const names = new Map(
    before.nodes
      .filter((node) => nodes.get(node.id)?.data !== node.data)
      .flatMap((node) => renamesOf(node, nodes.get(node.id))),
  );
  const isNamed = ([key]: [string, string]) => names.has(key);
  if (!Object.values(texts).some((known) => Object.entries(known).some(isNamed))) return after;
  const next = Object.entries(texts).map(([code, known]) => {
    const entries = Object.entries(known);
    const moved = entries.flatMap(([key, text]) => {
      const to = names.get(key);
      return to === undefined ? [] : [[to, text]];
    });
    return [code, Object.fromEntries([...entries.filter((one) => !isNamed(one)), ...moved])] as const;
  });
  return { ...after, texts: Object.fromEntries(next) };
}

/** Return the languages that a flow is translated into; its own is not one of them. */
export function translatedInto({ language, languages }: FlowDocument): string[] {
  return [...new Set(languages ?? [])].filter((code) => code !== (language ?? "pt_BR"));
}

/** Return the document with a translation; an empty one is removed. */
export function withTranslation(
  document: FlowDocument,
  code: string,
  key: string,
  text: string,
): FlowDocument {
  const { [code]: known = {}, ...others } = document.texts ?? {};
  const { [key]: _, ...rest } = known;
  const next = text ? { ...known, [key]: text } : rest;
  const texts = Object.keys(next).length ? { ...document.texts, [code]: next } : others;
  const { texts: _texts, ...bare } = document;
  return (Object.keys(texts).length ? { ...bare, texts } : bare) as FlowDocument;
}
