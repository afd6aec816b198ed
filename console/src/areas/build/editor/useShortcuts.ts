import { useEffect, useRef } from "react";

export interface Shortcuts {
  undo: (() => void) | undefined;
  redo: (() => void) | undefined;
  save: () => void;
  search: () => void;
  copy: () => void;
  cut: () => void;
  paste: () => void;
  duplicate: () => void;
  selectAll: () => void;
}

const KEYS: Record<string, keyof Shortcuts> = {
  z: "undo",
  y: "redo",
  s: "save",
  k: "search",
  c: "copy",
  x: "cut",
  v: "paste",
  d: "duplicate",
  a: "selectAll",
};
const EVERYWHERE: ReadonlySet<keyof Shortcuts> = new Set(["save", "search"]);

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** Ctrl or Cmd with a letter. In a text, the browser's own undo and copy count. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  useEffect(() => void (current.current = shortcuts));
  useEffect(() => {
    function pressed(event: KeyboardEvent) {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const name = key === "z" && event.shiftKey ? "redo" : KEYS[key];
      if (!name || (isWriting(event.target) && !EVERYWHERE.has(name))) return;
      if (name === "copy" && getSelection()?.toString()) return;
      event.preventDefault();
      current.current[name]?.();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
