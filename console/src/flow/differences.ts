import type { Data, FlowDocument, FlowNode } from "./document.ts";
import { isEqual } from "./patch.ts";

/** An entry of a list: its place, and what it is now, or was before it was removed. */
export interface Entry {
  at: number;
  of: unknown;
}

/** A field with another value than before. A side without the field is undefined. */
export interface Change {
  /** What leads to the field, such as `["buttons", { at: 0, of: { label: "Yes" } }, "label"]`. */
  path: readonly (string | Entry)[];
  before: unknown;
  after: unknown;
}

/** What another document has that the first has not. */
export interface Differences {
  added: readonly string[];
  removed: readonly FlowNode[];
  changed: ReadonlyMap<string, readonly Change[]>;
  /** Changes of the flow itself, such as its languages. */
  flow: readonly Change[];
}

/** How a node differs from a version: it is new, or it has other fields. */
export type Mark = "added" | "changed";

/** Return how a document differs from an earlier one. Where nodes are drawn does not count. */
export function differences(before: FlowDocument, after: FlowDocument): Differences {
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  const ids = new Set(after.nodes.map(({ id }) => id));
  const known = after.nodes.filter(({ id }) => old.has(id));
  return {
    added: after.nodes.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    removed: before.nodes.filter(({ id }) => !ids.has(id)),
    changed: new Map(
      known
        .map((node) => [node.id, changesOf(old.get(node.id)!, node)] as const)
        .filter(([, changes]) => changes.length > 0),
    ),
    flow: leaves(withoutNodes(before), withoutNodes(after)),
  };
}

/** Return the mark of each node that differs. */
export function marksOf({ added, changed }: Differences): Map<string, Mark> {
  const marks = new Map<string, Mark>(added.map((id) => [id, "added"]));
  for (const id of changed.keys()) marks.set(id, "changed");
  return marks;
}

function changesOf(before: FlowNode, after: FlowNode): Change[] {
  if (before === after) return [];
  const shown = ({ type, label, data }: FlowNode) => ({ ...(label ? { label } : {}), type, ...data });
  return leaves(shown(before), shown(after));
}

function withoutNodes({ nodes: _, ...rest }: FlowDocument): Record<string, unknown> {
  const { comments: _comments, ...flow } = rest;
  return flow;
}

/** Return the single fields that differ: a list or an object that is new is named by its parts. */
function leaves(before: unknown, after: unknown, path: Change["path"] = []): Change[] {
  if (isEqual(before, after) || (isEmpty(before) && isEmpty(after))) return [];
  const [entries, others] = [entriesOf(before), entriesOf(after)];
  if ((entries ?? others) && (entries || isEmpty(before)) && (others || isEmpty(after)))
    return entryChanges(entries ?? [], others ?? [], path);
  const [one, other] = [fieldsOf(before), fieldsOf(after)];
  if ((one ?? other) && (one || isEmpty(before)) && (other || isEmpty(after))) {
    const names = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})]);
    return [...names].flatMap((name) => leaves(one?.[name], other?.[name], [...path, name]));
  }
  return [{ path, before, after }];
}

/** Return what differs in the entries of a list, and the list itself if only its order differs. */
function entryChanges(before: readonly Data[], after: readonly Data[], path: Change["path"]): Change[] {
  const places = placesOf(before, after);
  const kept = [...places.values()];
  const known = new Map([...places].map(([old, at]) => [at, before[old]]));
  const moved = kept.some((at, index) => index > 0 && at < kept[index - 1]!);
  return [
    ...(moved ? [{ path, before, after }] : []),
    ...after.flatMap((of, at) => leaves(known.get(at), of, [...path, { at, of }])),
    ...before.flatMap((of, at) => (places.has(at) ? [] : leaves(of, undefined, [...path, { at, of }]))),
  ];
}

/** Return where each entry is now: an equal one, else the one of its name, else one in the same order if none came or went. */
function placesOf(before: readonly Data[], after: readonly Data[]): Map<number, number> {
  const found = new Map<number, number>();
  const free = new Set(after.keys());
  function pair(isSame: (one: Data, other: Data) => boolean) {
    for (const [old, entry] of before.entries()) {
      if (found.has(old)) continue;
      const at = [...free].find((index) => isSame(entry, after[index]!));
      if (at !== undefined && free.delete(at)) found.set(old, at);
    }
  }
  pair(isEqual);
  pair((one, other) => nameOf(one) !== undefined && nameOf(one) === nameOf(other));
  if (before.length === after.length) pair(() => true);
  return new Map([...found].toSorted(([one], [other]) => one - other));
}

/** What people call an entry of a list: the text of a button, the title of a section, a name. */
export function nameOf(entry: Data): string | undefined {
  const named = ["label", "title", "id", "name"].map((field) => entry[field]);
  return named.find((name): name is string => typeof name === "string" && name !== "");
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
}

/** The entries of a list of objects. A list of texts is a value of its own. */
function entriesOf(value: unknown): Data[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every(fieldsOf) ? (value as Data[]) : undefined;
}

function fieldsOf(value: unknown): Data | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Data) : undefined;
}
