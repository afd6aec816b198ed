import type { components } from "../generated/flow.ts";

type Schemas = components["schemas"];

/** The types of nodes that there are, by the flow's schema. */
export type NodeType = Schemas["Flow"]["nodes"][number]["type"];

/** A node; its form and the prover judge what `data` contains. */
export interface FlowNode {
  id: string;
  type: NodeType;
  label?: string | null;
  position?: { x: number; y: number } | null;
  data: Data;
}

export type Data = Record<string, unknown>;

/** Words that lead to a node from wherever the flow waits; with `returns` the end of the path leads back. */
export interface FlowCommand {
  words: string[];
  next_node_id: string;
  returns?: boolean;
}

/** A note on the canvas, for the people who edit the flow. */
export interface FlowComment {
  id: string;
  text: string;
  position: { x: number; y: number };
}

/** A flow document of format 1 (docs/flow.schema.json); a draft may have errors. */
export interface FlowDocument {
  format: 1;
  id: string;
  name?: string | null;
  language?: string | null;
  languages?: string[] | null;
  start_node_id?: string | null;
  commands?: FlowCommand[] | null;
  comments?: FlowComment[] | null;
  texts?: Record<string, Record<string, string>> | null;
  nodes: FlowNode[];
  [more: string]: unknown;
}

/** A way out of a node. `field` is the field of its data that names the next node, such as `buttons[0].next_node_id`. */
export interface Exit {
  field: string;
  target: string | undefined;
  /** What leads here: a fixed name such as `next`, or the text of a button, branch or path. */
  kind:
    | "next"
    | "true"
    | "false"
    | "default"
    | "open"
    | "closed"
    | "timeout"
    | "attempts"
    | "error"
    | "empty"
    | "option"
    | "branch";
  text?: string;
  /** The branch of a condition that leads here. */
  branch?: Data;
}

/** Return the parts of a field's path: `buttons[0].label` is `["buttons", 0, "label"]`. */
export function parts(field: string): (string | number)[] {
  return [...field.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

/** Return what is at a path of some data. */
export function valueAt(data: unknown, field: string): unknown {
  return parts(field).reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    data,
  );
}

/** Return the data with another value at a path; `undefined`, and an empty text, remove the field. */
export function withValue(data: Data, field: string, value: unknown): Data {
  return changed(data, parts(field), value) as Data;
}

function changed(data: unknown, [part, ...rest]: (string | number)[], value: unknown): unknown {
  if (part === undefined) return value;
  if (typeof part === "number") {
    const items = Array.isArray(data) ? [...(data as unknown[])] : [];
    items[part] = changed(items[part], rest, value);
    return items;
  }
  const copy = { ...(data as Data) };
  const inner = changed(copy[part], rest, value);
  if (inner === undefined || inner === "" || inner === null) delete copy[part];
  else copy[part] = inner;
  return copy;
}

const FIXED: Partial<Record<NodeType, [Exit["kind"], string][]>> = {
  end: [],
  condition: [],
  random: [],
  question: [
    ["next", "next_node_id"],
    ["attempts", "max_attempts_next_node_id"],
    ["timeout", "timeout_next_node_id"],
  ],
  schedule: [
    ["open", "open_next_node_id"],
    ["closed", "closed_next_node_id"],
  ],
  jump: [
    ["next", "next_node_id"],
    ["timeout", "timeout_next_node_id"],
  ],
  api_call: [
    ["next", "next_node_id"],
    ["error", "error_next_node_id"],
  ],
  ai_prompt: [
    ["next", "next_node_id"],
    ["error", "error_next_node_id"],
  ],
  wait_event: [
    ["next", "next_node_id"],
    ["timeout", "timeout_next_node_id"],
  ],
};

function list(value: unknown): Data[] {
  return Array.isArray(value)
    ? value.filter((one): one is Data => typeof one === "object" && one !== null)
    : [];
}

const exits = new WeakMap<FlowNode, readonly Exit[]>(); // a node never changes: it is replaced

/** Return the ways out of a node, as they are shown: those that its data makes possible. */
export function exitsOf(node: FlowNode): readonly Exit[] {
  const known = exits.get(node);
  if (known) return known;
  const found = foundExits(node);
  exits.set(node, found);
  return found;
}

function foundExits(node: FlowNode): Exit[] {
  const { type, data } = node;
  const exit = (kind: Exit["kind"], field: string, text?: string): Exit => {
    const target = valueAt(data, field);
    return {
      kind,
      field,
      target: typeof target === "string" && target ? target : undefined,
      ...(text ? { text } : {}),
    };
  };
  const options = list(data["buttons"]).map((button, index) =>
    exit("option", `buttons[${index}].next_node_id`, String(button["label"] ?? "")),
  );
  const cards = list(data["carousel"]).flatMap((card, at) =>
    list(card["buttons"]).map((button, index) =>
      exit("option", `carousel[${at}].buttons[${index}].next_node_id`, String(button["label"] ?? "")),
    ),
  );
  if (type === "condition") {
    if (Array.isArray(data["branches"])) {
      const branches = list(data["branches"]).map((branch, index) => ({
        ...exit("branch", `branches[${index}].next_node_id`),
        branch,
      }));
      return [...branches, exit("default", "default_next_node_id")];
    }
    return [exit("true", "true_next_node_id"), exit("false", "false_next_node_id")];
  }
  if (type === "random") {
    return list(data["paths"]).map((path, index) =>
      exit("option", `paths[${index}].next_node_id`, String(path["id"] ?? "")),
    );
  }
  const fixed = (FIXED[type] ?? [["next", "next_node_id"]])
    .map(([kind, field]) => exit(kind, field))
    .filter(({ kind, target }) => target || isPossible(node, kind));
  const empty = valueAt(data, "options_from") ? [exit("empty", "options_from.empty_next_node_id")] : [];
  return [...options, ...cards, ...fixed, ...empty];
}

/** Whether a node can leave by an exit that is not connected. */
function isPossible({ type, data }: FlowNode, kind: Exit["kind"]): boolean {
  if (kind === "timeout") return type === "wait_event" || !!data["timeout_seconds"];
  if (kind === "attempts") return !!data["max_attempts"];
  if (type === "jump") return data["return_to_parent"] !== false;
  return true;
}

/** Return the word for the id of an operator, an action, a type of file or a day. */
export type Word = (kind: "operator" | "action" | "media" | "day", id: string) => string;

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** What leads to a branch of a condition. */
export function branchText(branch: Data, word: Word): string {
  const joined = Array.isArray(branch["any"]) ? " | " : " & ";
  return [...list(branch["all"]), ...list(branch["any"])]
    .map((one) => comparisonText(one, word))
    .join(joined);
}

function comparisonText({ variable, operator, value }: Data, word: Word): string {
  const sign =
    typeof operator === "string" && /^[a-z]/.test(operator) ? word("operator", operator) : operator;
  return [variable, sign, value]
    .filter((one) => one !== undefined)
    .map(String)
    .join(" ");
}

function hoursText({ days, opens, closes }: Data, word: Word): string {
  const open = DAYS.filter((day) => Array.isArray(days) && days.includes(day));
  const [first, last] = [DAYS.indexOf(open[0] ?? ""), DAYS.indexOf(open.at(-1) ?? "")];
  const named = open.map((day) => word("day", day));
  const joined =
    open.length > 2 && last - first === open.length - 1 ? `${named[0]} – ${named.at(-1)}` : named.join(", ");
  return `${joined} ${String(opens ?? "")}–${String(closes ?? "")}`;
}

/** What a node says or does, in one line, for its drawing and for searching. */
export function gist({ type, data }: FlowNode, word: Word): string {
  const text = (name: string) => (typeof data[name] === "string" ? (data[name] as string) : "");
  const file = valueAt(data, "media.type");
  switch (type) {
    case "start":
      return text("greeting");
    case "message":
      return text("text") || (typeof file === "string" ? word("media", file) : "");
    case "question":
      return text("question");
    case "condition":
      return Array.isArray(data["branches"])
        ? list(data["branches"])
            .map((branch) => branchText(branch, word))
            .join("; ")
        : comparisonText(data, word);
    case "api_call":
      return `${text("method") || "GET"} ${text("url")}`;
    case "jump":
      return text("target_flow_id");
    case "set_variable":
      return `${text("variable")} = ${String(data["value"] ?? "")}`;
    case "ai_prompt":
      return text("prompt");
    case "action":
      return list(data["actions"])
        .map((one) => word("action", String(one["type"])))
        .join(", ");
    case "schedule":
      return (
        text("hours") ||
        list(data["hours"])
          .map((one) => hoursText(one, word))
          .join("; ")
      );
    case "random":
      return list(data["paths"])
        .map((one) => String(one["id"] ?? ""))
        .join(" | ");
    case "delay":
      return data["seconds"] === undefined ? "" : `${String(data["seconds"])} s`;
    case "handoff":
      return text("message") || text("department");
    default:
      return text("message") || text("name") || text("text");
  }
}
