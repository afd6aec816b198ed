import type { FlowNode } from "../../../flow/document.ts";

const KEY = "pytake.nodes";

/** Keep nodes for pasting, in this flow or another one. */
export function copyNodes(nodes: readonly FlowNode[]): void {
  if (nodes.length) localStorage.setItem(KEY, JSON.stringify(nodes));
}

/** Return the nodes that were copied last. */
export function pasteNodes(): FlowNode[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]") as FlowNode[];
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}
