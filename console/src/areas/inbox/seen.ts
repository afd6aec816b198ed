import { useSyncExternalStore } from "react";
import type { Key, Summary } from "./queries.ts";
import { keyOf } from "./queries.ts";

const KEPT = "pytake.inbox.seen";
const LARGEST = 1_000;

type Seen = Record<string, string>;

function read(): Seen {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Seen;
  } catch {
    return {};
  }
}

let seen = read();
const listeners = new Set<() => void>();

function idOf({ number, contact }: Key): string {
  return `${number} ${contact}`;
}

/** Remember that the agent has seen everything that the person wrote until `at`. */
export function markSeen(key: Key, at: string | null): void {
  const id = idOf(key);
  if (!at || (seen[id] ?? "") >= at) return;
  const others = Object.entries(seen).filter(([other]) => other !== id);
  seen = Object.fromEntries([...others.slice(-LARGEST + 1), [id, at]]);
  localStorage.setItem(KEPT, JSON.stringify(seen));
  listeners.forEach((listener) => listener());
}

/** Whether the person wrote something to the agents that this browser has not shown. */
export function isUnread(summary: Summary, known: Seen): boolean {
  return summary.status === "human" && (summary.last_inbound_at ?? "") > (known[idOf(keyOf(summary))] ?? "");
}

/** What has been seen, also in other parts of the page. */
export function useSeen(): Seen {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => seen,
  );
}
