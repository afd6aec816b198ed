import type { FlowDocument } from "../../../flow/document.ts";
import { isEqual } from "../../../flow/patch.ts";
import { session } from "../../../login/session.ts";

/** Changes of a draft that the server does not have. `sent`: what was sent without an answer, which the server may have. */
interface Kept {
  document: FlowDocument;
  tag: string;
  sent?: FlowDocument | undefined;
}

function keyOf(flowId: string): string {
  const { organization, subject } = session().person;
  return `pytake.draft.${organization}.${subject}.${flowId}`;
}

/** Keep unsaved changes in this browser, until they are saved or given up. */
export function keepDraft(kept: Kept): void {
  try {
    localStorage.setItem(keyOf(kept.document.id), JSON.stringify(kept));
  } catch {
    // The store is full or forbidden: the page asks before it is left.
  }
}

export function dropDraft(flowId: string): void {
  localStorage.removeItem(keyOf(flowId));
}

/** Return the changes that were kept of a draft, with the tag of what they change; `undefined` if the server has them. */
export function keptDraft(opened: FlowDocument, tag: string): Kept | undefined {
  const text = localStorage.getItem(keyOf(opened.id));
  if (!text) return undefined;
  try {
    const { document, sent, ...kept } = JSON.parse(text) as Kept;
    if (document.id !== opened.id || isEqual(document, opened)) return undefined;
    return { document, sent, tag: sent && isEqual(sent, opened) ? tag : kept.tag };
  } catch {
    return undefined;
  }
}
