import type { FlowComment, FlowDocument } from "./document.ts";
import { rounded } from "./edit.ts";

const PREFIX = "comment:";

/** Return the id of a comment on the canvas, where nodes have ids, too. */
export function drawnId({ id }: FlowComment): string {
  return `${PREFIX}${id}`;
}

/** Return the document with a new, empty comment, and its id on the canvas. */
export function withNewComment(
  document: FlowDocument,
  position: { x: number; y: number },
): [FlowDocument, string] {
  const comments = document.comments ?? [];
  const taken = new Set(comments.map(({ id }) => id));
  let number = comments.length + 1;
  while (taken.has(`comment_${number}`)) number++;
  const comment = { id: `comment_${number}`, text: "", position: rounded(position) };
  return [{ ...document, comments: [...comments, comment] }, drawnId(comment)];
}

/** Return the document with one comment changed, by its id on the canvas; `undefined` removes it. */
export function withComment(
  document: FlowDocument,
  id: string,
  change: (comment: FlowComment) => FlowComment | undefined,
): FlowDocument {
  if (!id.startsWith(PREFIX) || !document.comments) return document;
  const { comments, ...rest } = document;
  const kept = comments.flatMap((one) => (drawnId(one) === id ? (change(one) ?? []) : one));
  return (kept.length ? { ...rest, comments: kept } : rest) as FlowDocument;
}
