import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/errors.ts";
import { kindOf, storeFile } from "../../api/files.ts";
import { useOptimistic, useUnsettled, type Unsettled } from "../../api/optimistic.ts";
import { session } from "../../login/session.ts";
import { announce } from "../../ui/announce.ts";
import { serverNow } from "../../ui/now.ts";
import { pathOf, readAgain, send, transcriptQuery, type Key, type Message } from "./queries.ts";

const LONGEST_KEPT = 100_000; // of what was pasted by mistake; the storage of a tab has five million

/** A message that is being written. The same `requestId` sends it once, however often it is tried. */
export interface Draft {
  text: string;
  requestId: string;
  file?: File | undefined;
  /** The id of the file once it is stored: a message that is tried again has the same. */
  stored?: string;
}

/** A message on its way; `seen` is the last turn that the agent saw when they sent it. */
interface Sent extends Draft {
  seen: number;
}
export type Unsent = Unsettled<Sent>;

/** Files that are chosen and not sent, by the ID of their request: unlike texts, they do not survive a reload. */
const files = new Map<string, Draft>();

function placeOf(kind: "draft" | "unsent", key: Key): string {
  return `pytake.${kind} ${session().person.subject} ${pathOf(key)}`;
}

/** What was begun and not sent. The text survives a reload and a new sign-in in the tab. */
export function keptDraft(key: Key): Draft {
  const kept = sessionStorage.getItem(placeOf("draft", key));
  if (!kept) return begin();
  const draft = JSON.parse(kept) as Draft;
  return { ...draft, ...files.get(draft.requestId) };
}

export function keepDraft(key: Key, draft: Draft): void {
  const { text, requestId, file } = draft;
  const place = placeOf("draft", key);
  if ((text === "" && !file) || text.length > LONGEST_KEPT) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, JSON.stringify({ text, requestId }));
  if (file) files.set(requestId, draft);
}

export function begin(text = "", file?: File): Draft {
  return { text, file, requestId: crypto.randomUUID() };
}

/** What is known of a message that has just been sent. */
const QUEUED = {
  speaker: "agent",
  delivery: "queued",
  author: null,
  delivery_at: null,
  error_code: null,
  fallback: false,
  flow_id: null,
  labels: [],
  merged_from: null,
  message_id: null,
  node_id: null,
  options: [],
  reaction_to: null,
  reason: null,
  revoked: false,
  session_id: null,
} satisfies Partial<Message>;

/** The message as the transcript has it, until that is read again. */
function messageOf({ text, file, stored }: Sent, turn: number): Message {
  const type = file ? kindOf(file.type) : "text";
  const media = stored
    ? { type, id: null, mime_type: file?.type || null, filename: file?.name ?? null }
    : null;
  return { ...QUEUED, text, turn, type, media, timestamp: new Date(serverNow()).toISOString() };
}

/**
 * Messages that are shown while they are sent. They are kept in the tab until they are: those of a page that was reloaded are
 * there as failed, and sending one again sends the same message. Nothing is sent over messages that the agent has not seen,
 * except for their own.
 */
export function useSending(key: Key, seen: number) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const mutationKey = ["send", key];
  const own = ["own-turn", key]; // of the agent's last message
  const place = placeOf("unsent", key);
  const keep = ({ text, requestId, stored }: Sent) =>
    sessionStorage.setItem(
      `${place} ${requestId}`,
      JSON.stringify({ text, requestId, stored, at: Date.now() }),
    );
  const forget = ({ requestId }: Sent) => sessionStorage.removeItem(`${place} ${requestId}`);
  const unsent = useUnsettled<Sent>(mutationKey);
  const { make, makeAgain, drop, restore } = useOptimistic({
    mutationKey,
    mutationFn: async (sent: Sent) => {
      keep(sent);
      if (sent.file) sent.stored ??= await storeFile(sent.file);
      keep(sent);
      const caption = sent.text.trim() || null;
      const content = sent.stored ? { media: { id: sent.stored, caption } } : { text: sent.text };
      return send(key, content, sent.requestId, Math.max(sent.seen, queries.getQueryData<number>(own) ?? 0));
    },
    onSuccess: async ({ turn }, sent) => {
      queries.setQueryData(own, turn);
      forget(sent);
      files.delete(sent.requestId);
      announce(t("done.sent"));
      const { queryKey } = transcriptQuery(key);
      await queries.cancelQueries({ queryKey }); // an answer that is under way may be older
      queries.setQueryData(queryKey, (known) =>
        known && known.messages.every((one) => one.turn !== turn || one.speaker !== "agent")
          ? { ...known, messages: [...known.messages, messageOf(sent, turn)] }
          : known,
      );
      readAgain(queries, key, turn);
    },
    // A colleague or the person may have written: the agent sees it before trying again.
    onError: () => readAgain(queries, key),
  });
  const restored = useRef(restore);
  restored.current = restore;
  useEffect(() => {
    const known = new Set(
      queries
        .getMutationCache()
        .findAll({ mutationKey: ["send", key] })
        .map(({ state }) => (state.variables as Sent).requestId),
    );
    for (const [name, kept] of Object.entries(sessionStorage as Record<string, string>)) {
      if (!name.startsWith(`${place} `)) continue;
      const { at, ...sent } = JSON.parse(kept) as Sent & { at: number };
      if (!known.has(sent.requestId))
        restored.current({ ...sent, seen: 0 }, at, new ApiError(0, "interrupted", ""));
    }
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the place stands for the key
  }, [place, queries]);
  return {
    unsent,
    send: (draft: Draft) => make({ ...draft, seen }),
    sendAgain: ({ id, change }: Unsent) => makeAgain(id, { ...change, seen }),
    /** Take a message back into the draft. */
    edit: ({ id, change }: Unsent) => {
      const { text, file } = keptDraft(key);
      keepDraft(key, begin([text, change.text].filter((one) => one.trim()).join("\n"), file ?? change.file));
      forget(change);
      drop(id);
    },
  };
}
