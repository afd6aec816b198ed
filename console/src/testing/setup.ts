import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// What Mantine asks of a browser and jsdom does not have.
vi.stubGlobal("matchMedia", (query: string) => ({
  matches: false,
  media: query,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  addListener: () => undefined,
  removeListener: () => undefined,
}));
vi.stubGlobal(
  "ResizeObserver",
  class {
    readonly report: (entries: unknown[]) => void;
    constructor(report: (entries: unknown[]) => void) {
      this.report = report;
    }
    /** Only the list of conversations has sizes: it draws the rows in view. */
    observe(target: Element) {
      if (!target.closest(".inbox-items")) return;
      const contentRect = { width: 300, height: target.matches("li") ? 80 : 800 };
      queueMicrotask(() => this.report([{ target, contentRect }]));
    }
    unobserve() {}
    disconnect() {}
  },
);
Object.defineProperty(HTMLElement.prototype, "offsetParent", {
  configurable: true,
  get(this: HTMLElement) {
    return this.parentElement;
  },
});
Object.defineProperty(document, "fonts", {
  configurable: true,
  value: { addEventListener: () => undefined, removeEventListener: () => undefined },
});
Object.defineProperty(navigator, "locks", {
  configurable: true,
  value: { request: (_: string, held: () => unknown) => Promise.resolve(held()) },
});
Element.prototype.scrollIntoView = () => undefined;

configure({ asyncUtilTimeout: 10_000 }); // a busy machine
afterEach(() => {
  cleanup();
  vi.restoreAllMocks(); // files share one browser
});
