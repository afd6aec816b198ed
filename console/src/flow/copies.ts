import { drawnId } from "./comments.ts";
import { exitsOf, withValue, type FlowComment, type FlowDocument, type FlowNode } from "./document.ts";
import { freshId } from "./edit.ts";
import { translatedInto } from "./texts.ts";

/** Copies of nodes and comments for the same flow or another one. `texts`: the translations of the nodes by language. */
export interface Copies {
  nodes: FlowNode[];
  comments: FlowComment[];
  texts: Record<string, Record<string, string>>;
}

/** Return copies of what is selected on the canvas. */
export function copied({ nodes, comments, texts }: FlowDocument, selected: readonly string[]): Copies {
  const ids = new Set(selected);
  const chosen = nodes.filter(({ id }) => ids.has(id));
  const own = Object.entries(texts ?? {}).map(([code, known]) => [
    code,
    Object.fromEntries(Object.entries(known).filter(([key]) => ids.has(key.slice(0, key.indexOf("."))))),
  ]);
  return {
    nodes: chosen,
    comments: (comments ?? []).filter((comment) => ids.has(drawnId(comment))),
    texts: Object.fromEntries(own) as Copies["texts"],
  };
}

/**
 * Return the document with copies beside the originals, and the copies' ids on the canvas. Exits among the copies stay, and
 * translations come along into the languages that the flow is translated into.
 */
export function pasted(document: FlowDocument, copies: Copies, offset = 40): [FlowDocument, string[]] {
  const beside = ({ x, y }: { x: number; y: number }) => ({ x: x + offset, y: y + offset });
  const nodes = [...document.nodes];
  const names = new Map<string, string>();
  for (const { id, type } of copies.nodes) {
    const fresh = freshId(nodes, id || type);
    names.set(id, fresh);
    nodes.push({ id: fresh, type, data: {} });
  }
  const known = new Set(document.nodes.map(({ id }) => id));
  const made = copies.nodes.map((copy): FlowNode => {
    const start: FlowNode = { ...structuredClone(copy), id: names.get(copy.id)! };
    if (copy.position) start.position = beside(copy.position);
    return exitsOf(copy).reduce((node, { field, target }) => {
      const led = target && (names.get(target) ?? (known.has(target) ? target : undefined));
      return { ...node, data: withValue(node.data, field, led) };
    }, start);
  });
  const comments = [...(document.comments ?? [])];
  const notes = copies.comments.map((comment) => {
    const note = { ...comment, id: freshId(comments, comment.id), position: beside(comment.position) };
    comments.push(note);
    return note;
  });
  const texts = withTranslations(document, copies.texts, names);
  return [
    {
      ...document,
      nodes: [...document.nodes, ...made],
      ...(comments.length ? { comments } : {}),
      ...(texts ? { texts } : {}),
    },
    [...made.map(({ id }) => id), ...notes.map(drawnId)],
  ];
}

function withTranslations(
  document: FlowDocument,
  copies: Copies["texts"],
  names: ReadonlyMap<string, string>,
): FlowDocument["texts"] {
  const texts = { ...document.texts };
  for (const code of translatedInto(document)) {
    const renamed = Object.entries(copies[code] ?? {}).flatMap(([key, text]) => {
      const dot = key.indexOf(".");
      const name = names.get(key.slice(0, dot));
      return name ? [[name + key.slice(dot), text] as const] : [];
    });
    if (renamed.length) texts[code] = { ...texts[code], ...Object.fromEntries(renamed) };
  }
  return Object.keys(texts).length ? texts : undefined;
}
