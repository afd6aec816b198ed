import { ActionIcon, Autocomplete, Button, Menu, Skeleton } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useReducer, useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/colleagues.ts";
import { Link, useParams, useSearchParams } from "react-router";
import { session } from "../../login/session.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { useAssigning } from "./AssignmentPart.tsx";
import { useChange, useChanged } from "./changes.ts";
import { Composer } from "./Composer.tsx";
import { Details } from "./Details.tsx";
import { Messages } from "./Messages.tsx";
import {
  close,
  markRead,
  conversationQuery,
  nameOf,
  resume,
  transcriptQuery,
  type ConversationState,
  type Key,
} from "./queries.ts";
import { useSending } from "./sending.ts";

export function Conversation() {
  const { number = "", contact = "" } = useParams();
  return <OpenConversation key={`${number}/${contact}`} number={number} contact={contact} />;
}

/** One conversation: its messages, the answer, and what is known of the person. */
function OpenConversation(key: Key) {
  const { number, contact } = key;
  const [asked] = useSearchParams();
  const state = useQuery(conversationQuery(key));
  const shown = useChanged(key, state.data);
  const transcript = useQuery(transcriptQuery(key));
  const [details, { toggle }] = useDisclosure(false);
  const inbound = state.data?.last_inbound_at ?? null;
  const unread = state.data?.assignment.unread ?? false;
  const mode = useChange(key, "mode");
  const reading = useChange(key, "read");
  const unchanged = mode.failed ?? reading.failed;
  const read = useEffectEvent(() =>
    reading.change({
      seen: { assignment: { unread: false } },
      store: async () => {
        await markRead(key);
        return {};
      },
    }),
  );
  useEffect(() => {
    if (unread && !document.hidden) read();
  }, [number, contact, inbound, unread]);
  const sending = useSending(key, state.data?.turn ?? 0);
  const [edits, edited] = useReducer((count: number) => count + 1, 0);
  const failed = state.error ?? transcript.error;
  return (
    <>
      <section className="inbox-chat" data-details={details}>
        {shown ? (
          <Head conversationKey={key} state={shown} change={mode.change} details={details} toggle={toggle} />
        ) : (
          <Skeleton height={56} />
        )}
        {unchanged && <Problem error={unchanged.error} again={unchanged.again} />}
        {failed && (
          <Problem error={failed} again={() => void Promise.all([state.refetch(), transcript.refetch()])} />
        )}
        <Messages
          transcript={transcript.data}
          find={asked.get("find") ?? ""}
          unsent={sending.unsent}
          sendAgain={sending.sendAgain}
          edit={(message) => {
            sending.edit(message);
            edited();
          }}
        />
        {shown && (
          <Composer key={edits} conversationKey={key} state={shown} send={sending.send} focused={edits > 0} />
        )}
      </section>
      {shown && <Details conversationKey={key} state={shown} />}
    </>
  );
}

/** The API refuses other reasons: the lake keeps them, so they must not name a person's number. */
const REASON = /^(\p{L}+([ _-]\p{L}+)*)?$/u;

/** Where the details are shown only when the agent wants them; the style sheet has the same width. */
const NARROW = "(max-width: 80rem)";

interface HeadProps {
  conversationKey: Key;
  state: ConversationState;
  change: ReturnType<typeof useChange>["change"];
  /** Whether the details are shown where the screen has no place for them beside the messages. */
  details: boolean;
  toggle: () => void;
}

function Head({ conversationKey, state, change, details, toggle }: HeadProps) {
  const { t } = useTranslation("inbox");
  const { assignee, typing_by: writer } = state.assignment;
  const { failed, mine, takeOrRelease } = useAssigning(conversationKey, state.assignment);
  const hidden = useMediaQuery(NARROW, false, { getInitialValueInEffect: false }) && !details;
  const { nameOf: nameOfColleague } = useColleagues();
  const [asking, { open: ask, close: leave }] = useDisclosure(false);
  const [reason, setReason] = useState("");
  const worded = REASON.test(reason.trim());
  const ended = { mode: "bot", handoff: null, wait: null } as const;
  const end = () => {
    leave();
    change({
      seen: { ...ended, status: "idle", session: null },
      store: () => close(conversationKey, reason),
      done: t("done.closed"),
    });
  };
  const giveBack = () =>
    change({
      seen: { ...ended, status: "waiting" },
      store: () => resume(conversationKey),
      done: t("done.resumed"),
    });
  return (
    <header className="inbox-head">
      <ActionIcon
        component={Link}
        to="/inbox"
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("back")}
        className="inbox-back"
      >
        <Icon name="back" />
      </ActionIcon>
      <div className="inbox-head-text">
        <h2>{nameOf(state)}</h2>
        <span className="quiet">
          {state.phone && state.name ? `${state.phone} · ` : ""}
          {t(`status.${state.status}`)}
          {writer &&
            writer !== session().person.subject &&
            ` · ${t("writing", { who: nameOfColleague(writer) })}`}
        </span>
      </div>
      {hidden && state.mode === "human" && (mine || !assignee) && (
        <Button size="xs" variant={mine ? "default" : "light"} className="inbox-do" onClick={takeOrRelease}>
          {t(mine ? "share.release" : "share.take")}
        </Button>
      )}
      {state.mode === "human" && (
        <Button size="xs" variant="default" className="inbox-do" onClick={giveBack}>
          {t("resume")}
        </Button>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t("details.name")}
        aria-expanded={details}
        className="inbox-more"
        onClick={toggle}
      >
        <Icon name="info" />
      </ActionIcon>
      {state.session && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("actions")}>
              <Icon name="more" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={ask}>{t("close")}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <Confirm
        opened={asking}
        onClose={leave}
        title={t("closing.title")}
        text={t("closing.text")}
        action={t("close")}
        disabled={!worded}
        doing={{ mutate: end }}
      >
        <Autocomplete
          data-autofocus
          label={t("closing.reason")}
          maxLength={40}
          error={worded ? undefined : t("closing.letters")}
          data={[t("closing.solved"), t("closing.unanswered"), t("closing.foreign")]}
          value={reason}
          onChange={setReason}
        />
      </Confirm>
      {hidden && failed && <Problem error={failed.error} again={failed.again} />}
    </header>
  );
}
