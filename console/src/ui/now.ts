import { useSyncExternalStore } from "react";

const STEP = 15_000; // milliseconds

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, STEP);
  return () => clearInterval(timer);
}

/** The time in milliseconds since 1970, in steps of a quarter of a minute: what shows it is drawn again as it passes. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / STEP) * STEP);
}
