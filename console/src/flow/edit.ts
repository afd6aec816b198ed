import {
  exitsOf,
  withValue,
  type Data,
  type FlowCommand,
  type FlowDocument,
  type FlowNode,
  type NodeType,
} from "./document.ts";

/** What a new node of a type contains. */
const NEW: Partial<Record<NodeType, Data>> = {
  question: { question: "" },
  condition: { variable: "", operator: "==", value: "" },
  schedule: { hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], opens: "08:00", closes: "18:00" }] },
  jump: { target_flow_id: "" },
  action: { actions: [] },
  api_call: { method: "GET", url: "" },
  ai_prompt: { model: "", prompt: "", output_variable: "" },
  wait_event: { name: "", timeout_seconds: 3600 },
  delay: { seconds: 60 },
  set_variable: { variable: "", value: "" },
  random: { paths: [{ id: "a" }, { id: "b" }] },
  template: { name: "", language: "pt_BR" },
  whatsapp_flow: { flow_id: "", cta: "", variable: "" },
};

/** Return an id that no other has, such as `question_2`. */
export function freshId(others: readonly { id: string }[], stem: string): string {
  const taken = new Set(others.map(({ id }) => id));
  const base = stem.replace(/_\d+$/, "");
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}_${number}`;
    if (!taken.has(id)) return id;
  }
}

/** Return the document with a new node, and its id. */
export function added(
  document: FlowDocument,
  type: NodeType,
  position: { x: number; y: number },
): [FlowDocument, string] {
  const id = freshId(document.nodes, type);
  const data = structuredClone(NEW[type] ?? {});
  if (type === "question") data["variable"] = id; // a name that works, until a person gives a better one
  const node: FlowNode = { id, type, position: rounded(position), data };
  const start = type === "start" && !document.start_node_id ? { start_node_id: id } : {};
  return [{ ...document, ...start, nodes: [...document.nodes, node] }, id];
}

export function rounded({ x, y }: { x: number; y: number }): { x: number; y: number } {
  return { x: Math.round(x), y: Math.round(y) };
}

/** Return the document with one node changed. */
export function withNode(
  document: FlowDocument,
  id: string,
  change: (node: FlowNode) => FlowNode,
): FlowDocument {
  return { ...document, nodes: document.nodes.map((node) => (node.id === id ? change(node) : node)) };
}

/** Return the document with an exit that leads to another node, or to the end without a target. */
export function connected(
  document: FlowDocument,
  id: string,
  field: string,
  target: string | undefined,
): FlowDocument {
  return withNode(document, id, (node) => ({ ...node, data: withValue(node.data, field, target) }));
}

/** Return the document without nodes; exits that led to them lead nowhere. */
export function removed(document: FlowDocument, ids: ReadonlySet<string>): FlowDocument {
  const nodes = document.nodes
    .filter(({ id }) => !ids.has(id))
    .map((node) =>
      exitsOf(node)
        .filter(({ target }) => target && ids.has(target))
        .reduce(
          (changed, { field }) => ({ ...changed, data: withValue(changed.data, field, undefined) }),
          node,
        ),
    );
  const rest = withCommands({ ...document, nodes }, (one) => !ids.has(one.next_node_id));
  if (rest.start_node_id && ids.has(rest.start_node_id)) delete rest.start_node_id;
  return rest;
}

/** Return the document with another id of a node; what led to it still does. */
export function renamed(document: FlowDocument, from: string, to: string): FlowDocument {
  const nodes = document.nodes.map((node) => {
    const moved = exitsOf(node)
      .filter(({ target }) => target === from)
      .reduce((changed, { field }) => ({ ...changed, data: withValue(changed.data, field, to) }), node);
    return moved.id === from ? { ...moved, id: to } : moved;
  });
  const commands = document.commands?.map((one) =>
    one.next_node_id === from ? { ...one, next_node_id: to } : one,
  );
  const texts = Object.entries(document.texts ?? {}).map(([code, known]) => [
    code,
    Object.fromEntries(
      Object.entries(known).map(([key, text]) => [
        key.startsWith(`${from}.`) ? `${to}.${key.slice(from.length + 1)}` : key,
        text,
      ]),
    ),
  ]);
  return {
    ...document,
    nodes,
    ...(texts.length ? { texts: Object.fromEntries(texts) as Record<string, Record<string, string>> } : {}),
    ...(commands ? { commands } : {}),
    ...(document.start_node_id === from ? { start_node_id: to } : {}),
  };
}

/** Return the document in which a command leads to a node; without words none does. */
export function commanded(
  document: FlowDocument,
  id: string,
  { words, returns }: Pick<FlowCommand, "words" | "returns">,
): FlowDocument {
  const commands = document.commands ?? [];
  const at = commands.findIndex((one) => one.next_node_id === id);
  if (!words.length) return withCommands(document, (_, index) => index !== at);
  const command = { words, next_node_id: id, ...(returns ? { returns } : {}) };
  return {
    ...document,
    commands: at < 0 ? [...commands, command] : commands.map((one, index) => (index === at ? command : one)),
  };
}

/** Return the document with some of its commands, and without the field if none is left. */
function withCommands(
  { commands, ...rest }: FlowDocument,
  isKept: (command: FlowCommand, index: number) => boolean,
): FlowDocument {
  const kept = commands?.filter(isKept);
  return (kept?.length ? { ...rest, commands: kept } : rest) as FlowDocument;
}

/** Return the document with positions of nodes. */
export function placed(
  document: FlowDocument,
  positions: ReadonlyMap<string, { x: number; y: number }>,
): FlowDocument {
  return {
    ...document,
    nodes: document.nodes.map((node) => {
      const position = positions.get(node.id);
      return position ? { ...node, position: rounded(position) } : node;
    }),
  };
}

/** Return an identifier for a name: letters, digits and underscores. */
export function identifier(name: string): string {
  return name
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 64);
}

/** The languages that have built-in texts. */
export const FLOW_LANGUAGES = ["pt_BR", "es", "en"];

/** Return a new flow: it greets and ends. */
export function newFlow(id: string, name: string, language: string): FlowDocument {
  return {
    format: 1,
    id,
    name,
    language,
    start_node_id: "start",
    nodes: [
      { id: "start", type: "start", position: { x: 0, y: 0 }, data: { next_node_id: "message" } },
      { id: "message", type: "message", position: { x: 340, y: 0 }, data: { next_node_id: "end" } },
      { id: "end", type: "end", position: { x: 680, y: 0 }, data: {} },
    ],
  };
}
