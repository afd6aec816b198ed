import { useSyncExternalStore } from "react";

const STEP = 15_000; // milliseconds
const TOLERATED = 30_000; // milliseconds; the server's time has whole seconds, and its answer was on the way

let ahead = 0;

/** Take the time from an answer of the server where the clock of the person's machine is wrong. */
export function setClock(date: string | null): void {
  const difference = Date.parse(date ?? "") - Date.now();
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) > TOLERATED ? difference : 0;
}

/** The time of the server in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + ahead;
}

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, STEP);
  return () => clearInterval(timer);
}

/** The same in steps of a quarter of a minute: what shows it is drawn again as it passes. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(serverNow() / STEP) * STEP);
}
