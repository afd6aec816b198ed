import { ActionIcon, Button, CloseButton, FileButton, Select, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { session } from "../../login/session.ts";
import { repliesQuery, replyFor } from "../../api/desk.ts";
import { storeFile } from "../../api/files.ts";
import { Form } from "../../ui/Form.tsx";
import { announce } from "../../ui/announce.ts";
import { Icon } from "../../ui/Icon.tsx";
import { useNow } from "../../ui/now.ts";
import { Problem } from "../../ui/Problem.tsx";
import { pathOf, readAgain, reportTyping, send, type ConversationState, type Key } from "./queries.ts";
import { TemplateMessage } from "./TemplateMessage.tsx";
import { duration } from "./times.ts";

const LONGEST = 4_096;
const LONGEST_CAPTION = 1_024;
const LONGEST_KEPT = 100_000; // of what was pasted by mistake; the storage of a tab has five million
const TYPING_MILLISECONDS = 8_000; // the API remembers it for ten seconds
const SOON_MILLISECONDS = 3 * 3_600_000;

interface Draft {
  text: string;
  requestId: string;
  file?: File | undefined;
  /** The id of the file once it is stored: a message that is tried again has the same. */
  stored?: string;
}

/** Files that are chosen and not sent, by the ID of their request: unlike texts, they do not survive a reload. */
const files = new Map<string, Draft>();

function placeOf(key: Key): string {
  return `pytake.draft ${session().person.subject} ${pathOf(key)}`;
}

/** What was begun and not sent. The text survives a reload and a new sign-in in the tab, and is still the same message. */
function keptIn(place: string): Draft {
  const kept = sessionStorage.getItem(place);
  if (!kept) return begin();
  const draft = JSON.parse(kept) as Draft;
  return { ...draft, ...files.get(draft.requestId) };
}

function keep(place: string, draft: Draft): void {
  const { text, requestId, file } = draft;
  if ((text === "" && !file) || text.length > LONGEST_KEPT) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, JSON.stringify({ text, requestId }));
  if (file) files.set(requestId, draft);
}

function begin(text = "", file?: File): Draft {
  return { text, file, requestId: crypto.randomUUID() };
}

/** Why the agent cannot write now, if so: the person opted out, or WhatsApp's window is closed. */
export function obstacle(state: ConversationState, now: number): "optedOut" | "windowClosed" | undefined {
  if (state.opted_out) return "optedOut";
  if (!state.window_closes_at || Date.parse(state.window_closes_at) <= now) return "windowClosed";
  return undefined;
}

/** The agent's answer. A text that could not be sent comes back, and is sent once however often it is tried. */
export function Composer({ conversationKey, state }: { conversationKey: Key; state: ConversationState }) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const place = placeOf(conversationKey);
  const [draft, setDraft] = useState(() => keptIn(place));
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => keep(place, draft), [place, draft]);
  const sending = useMutation({
    mutationFn: async (sent: Draft) => {
      if (!sent.file) return send(conversationKey, { text: sent.text }, sent.requestId, state.turn);
      sent.stored ??= await storeFile(sent.file);
      const media = { id: sent.stored, caption: sent.text.trim() || null };
      return send(conversationKey, { media }, sent.requestId, state.turn);
    },
    onSuccess: ({ turn }) => {
      setDraft(begin());
      keep(place, begin()); // also if the agent looks at another conversation by now
      announce(t("done.sent"));
      readAgain(queries, conversationKey, turn);
      field.current?.focus();
    },
    // A colleague or the person may have written: the agent sees it before trying again.
    onError: () => readAgain(queries, conversationKey),
  });
  const { mutate: tell } = useMutation({ mutationFn: () => reportTyping(conversationKey) });
  const told = useRef(0);
  const typing = () => {
    if (Date.now() - told.current < TYPING_MILLISECONDS) return;
    told.current = Date.now();
    tell();
  };
  const { contact, number } = conversationKey;
  const filling = useMutation({
    mutationFn: (reply: string) => replyFor(number, contact, reply),
    onSuccess: (text) => {
      setDraft(({ text: begun, file }) => begin((begun.trim() ? `${begun}\n` : "") + text, file));
      field.current?.focus();
    },
  });
  const now = useNow();
  const blocked = obstacle(state, now);
  if (blocked)
    return (
      <div className="inbox-blocked">
        <p className="flush">{t(`blocked.${blocked}`)}</p>
        {blocked === "windowClosed" && (
          <TemplateMessage conversationKey={conversationKey} seen={state.turn} />
        )}
      </div>
    );
  const left = Date.parse(state.window_closes_at ?? "") - now;
  const longest = draft.file ? LONGEST_CAPTION : LONGEST;
  const over = [...draft.text].length - longest;
  const ready = (draft.text.trim() !== "" || draft.file !== undefined) && over <= 0 && !sending.isPending;
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (ready) sending.mutate(draft);
  };
  return (
    <Form
      className="inbox-composer"
      onSubmit={() => {
        if (ready) sending.mutate(draft);
      }}
    >
      {sending.isError && <Problem error={sending.error} />}
      {filling.isError && <Problem error={filling.error} />}
      {state.mode === "bot" && <p className="quiet flush">{t("takesOver")}</p>}
      <div className="inbox-composer-row">
        <Textarea
          ref={field}
          className="inbox-composer-text"
          autosize
          minRows={1}
          maxRows={8}
          error={over > 0 && t("tooLong", { count: over, longest })}
          dir="auto"
          aria-label={t("write")}
          placeholder={t("write")}
          value={draft.text}
          disabled={sending.isPending}
          // A changed text is another message.
          onChange={(event) => {
            setDraft(begin(event.currentTarget.value, draft.file));
            typing();
          }}
          onKeyDown={keys}
        />
        <FileButton onChange={(file) => setDraft(begin(draft.text, file ?? undefined))}>
          {(props) => (
            <ActionIcon {...props} variant="default" size="input-sm" aria-label={t("attach")}>
              <Icon name="attach" />
            </ActionIcon>
          )}
        </FileButton>
        <CannedReply choose={filling.mutate} />
        <Button type="submit" disabled={!ready} loading={sending.isPending}>
          {t("send")}
        </Button>
      </div>
      {draft.file && (
        <p className="flush inbox-file">
          {t("attached", { name: draft.file.name })}
          <CloseButton
            size="sm"
            aria-label={t("detach", { name: draft.file.name })}
            onClick={() => setDraft(begin(draft.text))}
          />
        </p>
      )}
      <p className="quiet flush inbox-hint">
        {t("keys")} {left < SOON_MILLISECONDS && t("closesIn", { time: duration(left) })}
      </p>
    </Form>
  );
}

/** A list of canned replies; the chosen one is added to the text with this person's values. Without any there is none. */
function CannedReply({ choose }: { choose: (reply: string) => void }) {
  const { t } = useTranslation("inbox");
  const replies = useQuery({ ...repliesQuery(), staleTime: 60_000 });
  const data = Object.entries(replies.data?.data.replies ?? {}).map(([value, { title }]) => ({
    value,
    label: title,
  }));
  if (data.length === 0) return null;
  return (
    <Select
      className="inbox-reply"
      searchable
      aria-label={t("reply")}
      placeholder={t("reply")}
      nothingFoundMessage={t("replyNone")}
      data={data}
      value={null}
      onChange={(reply) => {
        if (reply) choose(reply);
      }}
    />
  );
}
