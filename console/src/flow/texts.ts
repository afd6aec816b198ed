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
