const KEY = "pytake.reloaded";
const AGAIN_AFTER = 60_000; // in ms

/**
 * Reload the page when a file of it is missing: a tab that was left open over a deployment asks for files that are gone.
 *
 * Once a minute at most. When the new page misses a file, too, the error goes on to `RouteProblem`, which says so.
 */
export function reloadIfOutdated(storage: Storage, now: number, reload: () => void): void {
  const before = Number(storage.getItem(KEY) ?? 0);
  if (now - before < AGAIN_AFTER) return;
  storage.setItem(KEY, String(now));
  reload();
}
