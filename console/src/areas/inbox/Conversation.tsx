import { ActionIcon, Autocomplete, Button, Menu, Skeleton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { session } from "../../login/session.ts";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Problem } from "../../ui/Problem.tsx";
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

/** One conversation: its messages, the answer, and what is known of the person. */
export function Conversation() {
  const { number = "", contact = "" } = useParams();
  const key = { number, contact };
  const [asked] = useSearchParams();
  const state = useQuery(conversationQuery(key));
  const transcript = useQuery(transcriptQuery(key));
  const [details, { toggle }] = useDisclosure(false);
  const inbound = state.data?.last_inbound_at ?? null;
  const unread = state.data?.assignment.unread ?? false;
  const { mutate: seen } = useMutation({ mutationFn: markRead });
  useEffect(() => {
    if (unread && !document.hidden) seen({ number, contact });
  }, [number, contact, inbound, unread, seen]);
  const failed = state.error ?? transcript.error;
  return (
    <>
      <section className="inbox-chat" key={`${number}/${contact}`} data-details={details}>
        {state.data ? (
          <Head conversationKey={key} state={state.data} details={details} toggle={toggle} />
        ) : (
          <Skeleton height={56} />
        )}
        {failed && (
          <Problem error={failed} again={() => void Promise.all([state.refetch(), transcript.refetch()])} />
        )}
        <Messages transcript={transcript.data} find={asked.get("find") ?? ""} />
        {state.data && <Composer conversationKey={key} state={state.data} />}
      </section>
      {state.data && <Details conversationKey={key} state={state.data} />}
    </>
  );
}

/** The API refuses other reasons: the lake keeps them, so they must not name a person's number. */
const REASON = /^(\p{L}+([ _-]\p{L}+)*)?$/u;

interface HeadProps {
  conversationKey: Key;
  state: ConversationState;
  /** Whether the details are shown where the screen has no place for them beside the messages. */
  details: boolean;
  toggle: () => void;
}

function Head({ conversationKey, state, details, toggle }: HeadProps) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const writer = state.assignment.typing_by;
  const [asking, { open: ask, close: leave }] = useDisclosure(false);
  const changed = () => {
    void queries.invalidateQueries({ queryKey: ["conversations"] });
    void queries.invalidateQueries({ queryKey: ["transcript", conversationKey] });
  };
  const act = (change: (key: Key) => Promise<ConversationState>, done: string) => ({
    mutationFn: () => change(conversationKey),
    onSuccess: (now: ConversationState) => {
      queries.setQueryData(conversationQuery(conversationKey).queryKey, now);
      announce(done);
      leave();
      changed();
    },
  });
  const resuming = useMutation(act(resume, t("done.resumed")));
  const [reason, setReason] = useState("");
  const worded = REASON.test(reason.trim());
  const closing = useMutation(act((key) => close(key, reason), t("done.closed")));
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
          {writer && writer !== session().person.subject && ` · ${t("writing", { who: writer })}`}
        </span>
      </div>
      {state.mode === "human" && (
        <Button
          size="xs"
          variant="default"
          className="inbox-resume"
          loading={resuming.isPending}
          onClick={() => resuming.mutate()}
        >
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
        doing={closing}
      >
        <Autocomplete
          label={t("closing.reason")}
          maxLength={40}
          error={worded ? undefined : t("closing.letters")}
          data={[t("closing.solved"), t("closing.unanswered"), t("closing.foreign")]}
          value={reason}
          onChange={setReason}
        />
      </Confirm>
      {resuming.isError && <Problem error={resuming.error} />}
    </header>
  );
}
