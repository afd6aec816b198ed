import { reloadIfOutdated } from "./missingFiles.ts";

test("a page that misses a file is loaded again, but not without end", () => {
  const reload = vi.fn<() => void>();
  sessionStorage.clear();
  reloadIfOutdated(sessionStorage, 1_000_000, reload);
  reloadIfOutdated(sessionStorage, 1_059_000, reload);
  expect(reload).toHaveBeenCalledTimes(1);
  reloadIfOutdated(sessionStorage, 1_061_000, reload);
  expect(reload).toHaveBeenCalledTimes(2);
});
