import type { FlowDocument } from "./document.ts";
import { isEqual } from "./patch.ts";
import { withTextsFollowed } from "./texts.ts";

/** A document with what it was before and what was undone. */
export interface History {
  document: FlowDocument;
  past: readonly FlowDocument[];
  future: readonly FlowDocument[];
  /** What the latest change concerned: further changes of the same thing are one step, so that undo takes back a word, not a letter. */
  group: string | undefined;
}

const STEPS = 200;

/** Begin with a document. */
export function begun(document: FlowDocument): History {
  return { document, past: [], future: [], group: undefined };
}

/** Return the history after a change, which the translations follow. */
export function changed(history: History, document: FlowDocument, group?: string): History {
  if (document === history.document) return history;
  const same = group !== undefined && group === history.group;
  const past = same ? history.past : [...history.past, history.document].slice(-STEPS);
  return { document: withTextsFollowed(history.document, document), past, future: [], group };
}

/** Return the history one step back. */
export function undone({ document, past, future }: History): History {
  const before = past.at(-1);
  if (!before) return { document, past, future, group: undefined };
  return { document: before, past: past.slice(0, -1), future: [document, ...future], group: undefined };
}

/** Return the history one step forward. */
export function redone({ document, past, future }: History): History {
  const [after, ...rest] = future;
  if (!after) return { document, past, future, group: undefined };
  return { document: after, past: [...past, document], future: rest, group: undefined };
}

/**
 * Return which text, number or choice of a value differs after a change, by its path, so that further changes of it are the same
 * step. Undefined: something was added, removed or moved, which is a step of its own.
 */
export function placeOf(before: unknown, after: unknown, path = ""): string | undefined {
  const isOther = before !== undefined && after !== undefined && typeof before !== typeof after;
  if (!isGroup(before) && !isGroup(after)) return isOther ? undefined : path;
  if (!isGroup(before) || !isGroup(after)) return undefined;
  if (Array.isArray(before) !== Array.isArray(after)) return undefined;
  if (Array.isArray(before) && before.length !== (after as unknown as unknown[]).length) return undefined;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const [name, other, ...more] = names.filter((one) => !isEqual(before[one], after[one]));
  if (name === undefined || more.length) return undefined;
  if (other === undefined) return placeOf(before[name], after[name], `${path}.${name}`);
  const isRenamed = name in before !== name in after && other in before !== other in after;
  return isRenamed && name in before === other in after ? `${path}.` : undefined;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
