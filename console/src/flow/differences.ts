import type { FlowDocument, FlowNode } from "./document.ts";
import { isEqual } from "./patch.ts";

/** A field with another value than before. A side without the field is undefined. */
export interface Change {
  /** The names and indexes that lead to the field, such as `["buttons", 0, "label"]`. */
  path: readonly (string | number)[];
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
  const [one, other] = [parts(before), parts(after)];
  if ((one ?? other) && (one || isEmpty(before)) && (other || isEmpty(after))) {
    const steps = [...new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])])];
    return steps.flatMap((step) => leaves(one?.get(step), other?.get(step), [...path, step]));
  }
  return [{ path, before, after }];
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);
}

function parts(value: unknown): Map<string | number, unknown> | undefined {
  if (Array.isArray(value)) return new Map(value.entries());
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : undefined;
}
