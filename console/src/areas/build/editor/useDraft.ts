import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { ApiError } from "../../../api/errors.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import { begun, changed, redone, undone, type History } from "../../../flow/history.ts";
import { isEqual } from "../../../flow/patch.ts";
import { inspect, readDraft, saveDraft, type Inspection } from "../queries.ts";
import { dropDraft, keepDraft, keptDraft } from "./keptDraft.ts";

const SAVE_MILLISECONDS = 900;
const AGAIN_MILLISECONDS = 5_000;
const INSPECT_MILLISECONDS = 100;
const BETWEEN_MILLISECONDS = 220; // the API takes five questions a second

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

function isTemporary(error: unknown): boolean {
  return error instanceof ApiError && error.temporary;
}

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

/** Save over the draft with this tag, also if the server has `unanswered` by now: a save that had no answer. */
async function saveOver(
  document: FlowDocument,
  tag: string,
  unanswered: FlowDocument | undefined,
): Promise<string> {
  try {
    return await saveDraft(document, tag);
  } catch (error) {
    const found = isRefused(error) && unanswered && (await readDraft(document.id));
    if (!found || !isEqual(found.document, unanswered)) throw error;
    return saveDraft(document, found.tag);
  }
}

/** The copy of a draft on the server, which follows the editor within a second. */
function useSaving(
  document: FlowDocument,
  opened: FlowDocument,
  openedTag: string,
  sent: FlowDocument | undefined,
) {
  const [saving, setSaving] = useState<Saving>(document === opened ? "saved" : "unsaved");
  const [error, setError] = useState<unknown>();
  const saved = useRef(opened);
  const tag = useRef(openedTag);
  const unanswered = useRef(sent);
  const running = useRef<Promise<void>>(undefined);
  /** A conflict waits for the person's decision: until then the server would refuse each save. */
  const conflicting = useRef(false);
  const failure = useRef<unknown>(undefined);
  const latest = useRef(document);
  useEffect(() => void (latest.current = document), [document]);

  const store = useCallback(async (now: FlowDocument): Promise<void> => {
    setSaving("saving");
    const earlier = unanswered.current;
    unanswered.current = now;
    try {
      tag.current = await saveOver(now, tag.current, earlier);
      saved.current = now;
      conflicting.current = false;
      unanswered.current = failure.current = undefined;
      dropDraft(now.id);
      setSaving(latest.current === now ? "saved" : "unsaved");
    } catch (reason) {
      conflicting.current = isRefused(reason);
      failure.current = reason;
      keepDraft({ document: latest.current, tag: tag.current, sent: now });
      setSaving(conflicting.current ? "conflict" : "failed");
    }
    setError(failure.current);
  }, []);
  /** Save what is newest, one request at a time; after a conflict only over the draft with the tag `over`. */
  const save = useCallback(
    async (over?: string): Promise<void> => {
      while (running.current) await running.current;
      if (over !== undefined) tag.current = over;
      const now = latest.current;
      if (now === saved.current || (conflicting.current && over === undefined)) return;
      running.current = store(now).finally(() => (running.current = undefined));
      await running.current;
    },
    [store],
  );
  /** Save, and return the tag of what the editor shows. Throws if the server does not have it. */
  const saveForTag = useCallback(async (): Promise<string> => {
    await save();
    if (latest.current !== saved.current) throw failure.current;
    return tag.current;
  }, [save]);

  useEffect(() => {
    if (document === saved.current) {
      setSaving((before) => (before === "conflict" ? before : "saved"));
      return undefined;
    }
    setSaving((before) => (before === "conflict" ? before : "unsaved"));
    const timer = setTimeout(() => void save(), SAVE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [document, save]);

  useEffect(() => {
    if (saving !== "failed" || !isTemporary(error)) return undefined;
    const timer = setTimeout(() => void save(), AGAIN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [saving, error, save]);

  useEffect(() => {
    const isSaved = () => latest.current === saved.current;
    const warn = (event: BeforeUnloadEvent) => isSaved() || event.preventDefault();
    const keep = () => {
      const now = latest.current;
      if (!isSaved()) keepDraft({ document: now, sent: unanswered.current ?? now, tag: tag.current });
    };
    addEventListener("beforeunload", warn);
    addEventListener("pagehide", keep);
    return () => {
      removeEventListener("beforeunload", warn);
      removeEventListener("pagehide", keep);
      keep();
      void save();
    };
  }, [save]);
  return { saving, error, save, saveForTag };
}

/**
 * A draft in the editor: its history, and its copy on the server. What the server does not have is kept in the browser when the
 * page is left, and is the first step of the history when the flow is opened again.
 */
export function useDraft(opened: FlowDocument, openedTag: string) {
  const [kept] = useState(() => keptDraft(opened, openedTag));
  const [history, dispatch] = useReducer(next, begun(opened), (fresh) =>
    kept ? changed(fresh, kept.document) : fresh,
  );
  const { document } = history;
  const { saving, error, save, saveForTag } = useSaving(document, opened, kept?.tag ?? openedTag, kept?.sent);
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
    () => ({
      undo: past ? undo : undefined,
      redo: future ? redo : undefined,
      saving,
      error,
      save,
      saveForTag,
    }),
    [past, future, undo, redo, saving, error, save, saveForTag],
  );
  return { document, edit, state };
}

/** What the prover says of the document, soon after each change; nothing without a document. */
export function useInspection(document: FlowDocument | undefined): {
  inspection: Inspection | undefined;
  error: unknown;
} {
  const [state, setState] = useState<{ inspection: Inspection | undefined; error: unknown }>({
    inspection: undefined,
    error: undefined,
  });
  const asked = useRef(0);
  useEffect(() => {
    if (!document) return undefined;
    const abort = new AbortController();
    const ask = () => {
      asked.current = Date.now();
      inspect(document, abort.signal).then(
        (inspection) => setState({ inspection, error: undefined }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          setState((before) => ({ ...before, error }));
          if (isTemporary(error)) timer = setTimeout(ask, AGAIN_MILLISECONDS);
        },
      );
    };
    const wait = Math.max(INSPECT_MILLISECONDS, asked.current + BETWEEN_MILLISECONDS - Date.now());
    let timer: ReturnType<typeof setTimeout> = setTimeout(ask, wait);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [document]);
  return state;
}
