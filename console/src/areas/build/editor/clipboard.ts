import type { Copies } from "../../../flow/copies.ts";

const KEY = "pytake.copies";

/** Keep copies for pasting, in this flow or another one. */
export function keepCopies(copies: Copies): void {
  if (copies.nodes.length || copies.comments.length) localStorage.setItem(KEY, JSON.stringify(copies));
}

/** Return what was copied last. */
export function keptCopies(): Copies | undefined {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
