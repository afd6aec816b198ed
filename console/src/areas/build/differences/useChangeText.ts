import { useTranslation } from "react-i18next";
import type { Change } from "../../../flow/differences.ts";
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

/** Return what says the name of a field, with its place in lists. */
export function useFieldText() {
  const { t, i18n } = useTranslation("build");

  function step(name: string | number): string {
    if (typeof name === "number") return String(name + 1);
    if (name in EXITS) return `${t("form.exits")}: ${t(`exit.${EXITS[name] as "next"}`)}`;
    for (const group of ["field", "flowField"])
      if (i18n.exists(`${group}.${name}`, { ns: "build" })) return t(`${group}.${name}` as "field.text");
    return name;
  }

  return (path: Change["path"]) => path.map(step).join(" › ");
}

/** Return what says a change in words: the field as forms call it, and both values. */
export function useChangeText() {
  const { t, i18n } = useTranslation("build");
  const { document } = useEditor();
  const field = useFieldText();

  function value(path: Change["path"], of: unknown): string | undefined {
    if (of === undefined || of === null || of === "") return undefined;
    const name = String(path.at(-1));
    if (name.endsWith("next_node_id") || name === "start_node_id") {
      const node = document.nodes.find(({ id }) => id === of);
      return node ? `${node.label || t(`type.${node.type}`)} · ${node.id}` : String(of);
    }
    if (typeof of === "boolean") return t(of ? "differences.yes" : "differences.no");
    for (const group of { operator: ["operator"], type: ["type", "validator", "action", "media"] }[name] ??
      [])
      if (i18n.exists(`${group}.${String(of)}`, { ns: "build" }))
        return t(`${group}.${String(of)}` as "type.start");
    return typeof of === "object" ? JSON.stringify(of) : String(of);
  }

  return ({ path, before, after }: Change) => ({
    field: field(path),
    before: value(path, before),
    after: value(path, after),
  });
}
