import { ActionIcon, Button, CloseButton, FileButton, Select, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { repliesQuery, replyFor } from "../../api/desk.ts";
import { Form } from "../../ui/Form.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { useNow } from "../../ui/now.ts";
import { Problem } from "../../ui/Problem.tsx";
import { reportTyping, type ConversationState, type Key } from "./queries.ts";
import { begin, keepDraft, keptDraft, type Draft } from "./sending.ts";
import { TemplateMessage } from "./TemplateMessage.tsx";
import { duration } from "./times.ts";

const LONGEST = 4_096;
const LONGEST_CAPTION = 1_024;
const TYPING_MILLISECONDS = 8_000; // the API remembers it for ten seconds
const SOON_MILLISECONDS = 3 * 3_600_000;

/** Why the agent cannot write now, if so: the person opted out, or WhatsApp's window is closed. */
export function obstacle(state: ConversationState, now: number): "optedOut" | "windowClosed" | undefined {
  if (state.opted_out) return "optedOut";
  if (!state.window_closes_at || Date.parse(state.window_closes_at) <= now) return "windowClosed";
  return undefined;
}

interface ComposerProps {
  conversationKey: Key;
  state: ConversationState;
  send: (draft: Draft) => void;
  /** Whether the text was taken back for a change. */
  focused?: boolean;
}

/** The agent's answer. It leaves the field when it is sent. */
export function Composer({ conversationKey, state, send, focused = false }: ComposerProps) {
  const { t } = useTranslation("inbox");
  const [draft, setDraft] = useState(() => keptDraft(conversationKey));
  const field = useRef<HTMLTextAreaElement>(null);
  const { contact, number } = conversationKey;
  useEffect(() => keepDraft({ contact, number }, draft), [contact, number, draft]);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  const { mutate: tell } = useMutation({ mutationFn: () => reportTyping(conversationKey) });
  const told = useRef(0);
  const typing = () => {
    if (Date.now() - told.current < TYPING_MILLISECONDS) return;
    told.current = Date.now();
    tell();
  };
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
  const ready = (draft.text.trim() !== "" || draft.file !== undefined) && over <= 0;
  const submit = () => {
    if (!ready) return;
    send(draft);
    setDraft(begin());
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <Form className="inbox-composer" onSubmit={submit}>
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
        <Button type="submit" disabled={!ready}>
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
