import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { ApiError } from "../../../api/errors.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import { begun, changed, redone, undone, type History } from "../../../flow/history.ts";
import { inspect, saveDraft, type Inspection } from "../queries.ts";

const SAVE_MILLISECONDS = 900;
const INSPECT_MILLISECONDS = 200; // the API takes five questions a second

type Step =
  | { type: "edit"; change: (document: FlowDocument) => FlowDocument; group?: string | undefined }
  | { type: "undo" }
  | { type: "redo" };

function next(history: History, step: Step): History {
  if (step.type === "undo") return undone(history);
  if (step.type === "redo") return redone(history);
  return changed(history, step.change(history.document), step.group);
}

export type Saving = "saved" | "unsaved" | "saving" | "failed" | "conflict";

/** A draft in the editor: its history, and its copy on the server, which follows within a second. */
export function useDraft(opened: FlowDocument, openedTag: string) {
  const [history, dispatch] = useReducer(next, opened, begun);
  const { document } = history;
  const [saving, setSaving] = useState<Saving>("saved");
  const [error, setError] = useState<unknown>();
  const saved = useRef(opened);
  const tag = useRef(openedTag);
  const running = useRef<Promise<void> | undefined>(undefined);
  const latest = useRef(document);
  useEffect(() => void (latest.current = document), [document]);

  /** A conflict waits for the person's decision: until then the server would refuse each save. */
  const conflicting = useRef(false);
  /** Save what is newest, one request at a time; after a conflict only over the draft with the tag `over`. */
  const save = useCallback(async (over?: string): Promise<void> => {
    while (running.current) await running.current;
    if (over !== undefined) tag.current = over;
    const now = latest.current;
    if (now === saved.current || (conflicting.current && over === undefined)) return;
    setSaving("saving");
    running.current = saveDraft(now, tag.current)
      .then((newTag) => {
        tag.current = newTag;
        saved.current = now;
        conflicting.current = false;
        setError(undefined);
        setSaving(latest.current === now ? "saved" : "unsaved");
      })
      .catch((failure: unknown) => {
        conflicting.current = failure instanceof ApiError && failure.status === 412;
        setError(failure);
        setSaving(conflicting.current ? "conflict" : "failed");
      })
      .finally(() => (running.current = undefined));
    await running.current;
  }, []);

  useEffect(() => {
    if (document === saved.current) return undefined;
    setSaving((before) => (before === "conflict" ? before : "unsaved"));
    const timer = setTimeout(() => void save(), SAVE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [document, save]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => latest.current !== saved.current && event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => {
      removeEventListener("beforeunload", warn);
      void save();
    };
  }, [save]);

  const edit = useCallback(
    (change: (document: FlowDocument) => FlowDocument, group?: string) =>
      dispatch({ type: "edit", change, group }),
    [],
  );
  const undo = useCallback(() => dispatch({ type: "undo" }), []);
  const redo = useCallback(() => dispatch({ type: "redo" }), []);
  const [past, future] = [history.past.length > 0, history.future.length > 0];
  /** What does not change with each key. */
  const state = useMemo(
    () => ({ undo: past ? undo : undefined, redo: future ? redo : undefined, saving, error, save, tag }),
    [past, future, undo, redo, saving, error, save],
  );
  return { document, edit, state };
}

/** What the prover says of the document, soon after each change. */
export function useInspection(document: FlowDocument): {
  inspection: Inspection | undefined;
  error: unknown;
} {
  const [state, setState] = useState<{ inspection: Inspection | undefined; error: unknown }>({
    inspection: undefined,
    error: undefined,
  });
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      inspect(document, abort.signal).then(
        (inspection) => setState({ inspection, error: undefined }),
        (error: unknown) => abort.signal.aborted || setState((before) => ({ ...before, error })),
      );
    }, INSPECT_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [document]);
  return state;
}
