import { useTranslation } from "react-i18next";
import { nameOf, type Change } from "../../../flow/differences.ts";
import { parts, type Data } from "../../../flow/document.ts";
import { textsOf } from "../../../flow/texts.ts";
import { languageName } from "../../../i18n/format.ts";
import { useEditor } from "../editor/state.tsx";

const EXITS: Record<string, string> = {
  next_node_id: "next",
  true_next_node_id: "true",
  false_next_node_id: "false",
  default_next_node_id: "default",
  open_next_node_id: "open",
  closed_next_node_id: "closed",
  timeout_next_node_id: "timeout",
  max_attempts_next_node_id: "attempts",
  error_next_node_id: "error",
  empty_next_node_id: "empty",
};

/** The words for the values of a field, in the order in which they are looked for. */
const GROUPS: Record<string, readonly string[]> = {
  operator: ["operator"],
  type: ["type", "validator", "action", "media"],
  days: ["day"],
};

/** The parts of hours and branches, which have words of their own. */
const PARTS: ReadonlySet<string> = new Set(["days", "opens", "closes", "all", "any"]);

type Step = Change["path"][number] | number;

/** Return what names an entry of a list by what it is: a button by its text, a branch by its condition. */
function useEntryText() {
  const { t, i18n } = useTranslation("build");
  const word = (groups: readonly string[], name: unknown) => {
    const known = groups.find((group) => i18n.exists(`${group}.${String(name)}`, { ns: "build" }));
    return known ? t(`${known}.${String(name)}` as "type.start") : undefined;
  };
  const joined = (of: Data, ...names: string[]) =>
    names
      .map((name) => (name === "operator" ? (word(["operator"], of[name]) ?? of[name]) : of[name]))
      .filter((value) => value !== undefined && value !== null)
      .map(String)
      .join(" ");

  return function text(entry: unknown): string {
    if (typeof entry !== "object") return String(entry);
    const of = entry as Data;
    const [all, any, days, words] = ["all", "any", "days", "words"].map((name) => of[name] as unknown[]);
    if (all ?? any) return (all ?? any)!.map(text).join(all ? " & " : " | ");
    if (days)
      return `${days.map((day) => word(["day"], day)).join(", ")} ${String(of["opens"])}–${String(of["closes"])}`;
    if (words) return words.join(", ");
    if (of["operator"]) return joined(of, "variable", "operator", "value");
    const named = nameOf(of) ?? joined(of, "variable", "field", "tag", "text", "language");
    return [word(["action", "media"], of["type"]), named].filter(Boolean).join(": ");
  };
}

/** Return what says the name of a field, with its place in lists. */
export function useFieldText() {
  const { t, i18n } = useTranslation("build");
  const entry = useEntryText();

  function step(name: Step): string {
    if (typeof name === "number") return String(name + 1);
    if (typeof name === "object") return entry(name.of) || String(name.at + 1);
    if (name in EXITS) return `${t("form.exits")}: ${t(`exit.${EXITS[name] as "next"}`)}`;
    for (const group of PARTS.has(name) ? ["form"] : ["field", "flowField"])
      if (i18n.exists(`${group}.${name}`, { ns: "build" })) return t(`${group}.${name}` as "field.text");
    return name;
  }

  return (path: readonly Step[]) => path.map(step).join(" › ");
}

/** Return what says a change in words: the field as forms call it, and both values. */
export function useChangeText() {
  const { t, i18n } = useTranslation("build");
  const { document } = useEditor();
  const field = useFieldText();
  const entry = useEntryText();

  function value(path: Change["path"], of: unknown): string | undefined {
    if (of === undefined || of === null || of === "") return undefined;
    if (Array.isArray(of)) return of.map((one) => value(path, one)).join(", ");
    const name = String(path.at(-1));
    if (name.endsWith("next_node_id") || name === "start_node_id") {
      const node = document.nodes.find(({ id }) => id === of);
      return node ? `${node.label || t(`type.${node.type}`)} · ${node.id}` : String(of);
    }
    if (typeof of === "boolean") return t(of ? "differences.yes" : "differences.no");
    if (typeof of === "object") return entry(of) || JSON.stringify(of);
    if (name === "languages" || name === "language") return languageName(String(of));
    for (const group of GROUPS[name] ?? [])
      if (i18n.exists(`${group}.${String(of)}`, { ns: "build" }))
        return t(`${group}.${String(of)}` as "type.start");
    return String(of);
  }

  /** A translation is named by its language, and by the node and the field whose text it is. */
  function named(path: Change["path"]): readonly Step[] {
    const [group, code, key] = path;
    if (group !== "texts" || typeof code !== "string" || typeof key !== "string") return path;
    const name = (label: string) => ({ at: 0, of: { label } });
    for (const { id, type, label, data } of document.nodes)
      for (const text of textsOf({ id, type, data }))
        if (`${id}.${text.key}` === key)
          return [
            group,
            name(languageName(code)),
            name(label || t(`type.${type}`)),
            ...entered(data, text.field),
          ];
    return [group, name(languageName(code)), name(key)];
  }

  return ({ path, before, after }: Change) => ({
    field: field(named(path)),
    before: value(path, before),
    after: value(path, after),
  });
}

/** The path of a field in some data, with the entries of lists. */
function entered(data: Data, path: string): Step[] {
  let value: unknown = data;
  return parts(path).map((step) => {
    value = (value as Record<string | number, unknown>)[step];
    return typeof step === "string" ? step : { at: step, of: value };
  });
}
