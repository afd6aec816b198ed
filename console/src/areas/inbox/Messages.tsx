import { Button, Skeleton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Fragment, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/colleagues.ts";
import { download } from "../../api/files.ts";
import type { components } from "../../generated/api.ts";
import { Icon } from "../../ui/Icon.tsx";
import { formatted } from "../../ui/marks.tsx";
import { plain } from "../../ui/names.ts";
import { Problem } from "../../ui/Problem.tsx";
import { folded } from "../../ui/search.ts";
import { useKind, useTextless } from "./kinds.ts";
import type { Message } from "./queries.ts";
import type { Unsent } from "./sending.ts";
import { clock, day } from "./times.ts";

const NONE: readonly Unsent[] = [];
const NEAR_THE_END = 80; // pixels

interface MessagesProps {
  transcript: components["schemas"]["Transcript"] | undefined;
  /** The text that the agent searched for: messages with it are marked, and the latest is shown first. */
  find?: string;
  unsent?: readonly Unsent[];
  sendAgain?: (message: Unsent) => void;
  edit?: (message: Unsent) => void;
}

/** The messages, oldest first. New ones scroll into view while the agent is at the end. */
export function Messages({ transcript, find = "", unsent = NONE, sendAgain, edit }: MessagesProps) {
  const { t } = useTranslation("inbox");
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  // What was deleted is said at the message itself.
  const messages = (transcript?.messages ?? []).filter(({ type }) => type !== "revoke");
  const wanted = folded(find.trim());
  const loaded = transcript !== undefined;
  useLayoutEffect(() => {
    const [found] = [...(list.current?.querySelectorAll("[data-found=true]") ?? [])].slice(-1);
    if (!loaded || !wanted || !found) return;
    atEnd.current = false;
    found.scrollIntoView({ block: "center" });
  }, [loaded, wanted]);
  const last = unsent.at(-1)?.id;
  useLayoutEffect(() => {
    if (last !== undefined) atEnd.current = true; // the agent sees what they send
  }, [last]);
  useLayoutEffect(() => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  });
  const scrolled = () => {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = list.current ?? {};
    atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
  };
  return (
    <div
      className="inbox-messages"
      role="log"
      aria-label={t("messages")}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- people scroll it by keyboard
      tabIndex={0}
      ref={list}
      onScroll={scrolled}
    >
      {!transcript && <Skeleton height={120} />}
      {transcript?.truncated && <p className="quiet inbox-day">{t("truncated")}</p>}
      {keyed(messages, (message) => String(message.turn)).map(({ key, item: message, before }) => (
        <Fragment key={key}>
          {isNewDay(message, before) && <p className="quiet inbox-day">{day(message.timestamp)}</p>}
          <Bubble
            message={message}
            reactedTo={messages.find(isReactedToBy(message))}
            found={wanted !== "" && folded(message.text).includes(wanted)}
          />
        </Fragment>
      ))}
      {unsent.map((message) => (
        <UnsentBubble key={message.id} message={message} sendAgain={sendAgain} edit={edit} />
      ))}
    </div>
  );
}

interface UnsentProps extends Pick<MessagesProps, "sendAgain" | "edit"> {
  message: Unsent;
}

/** A message on its way; one that failed says why, and is sent again or changed. */
function UnsentBubble({ message, sendAgain, edit }: UnsentProps) {
  const { t } = useTranslation("inbox");
  const { change, at, error } = message;
  return (
    <article className="inbox-bubble" data-speaker="agent" aria-label={t("speaker.agent")} aria-busy={!error}>
      {change.file && <p className="flush quiet">{plain(change.file.name)}</p>}
      {change.text && <p className="inbox-text">{...formatted(change.text)}</p>}
      {error && <Problem error={error} again={() => sendAgain?.(message)} />}
      <footer className="inbox-bubble-foot">
        {error && (
          <Button size="compact-xs" variant="subtle" onClick={() => edit?.(message)}>
            {t("unsent.edit")}
          </Button>
        )}
        <time dateTime={new Date(at).toISOString()}>{clock(new Date(at).toISOString())}</time>
        <span className="inbox-delivery" data-state={error ? "failed" : "waiting"}>
          {t(error ? "unsent.failed" : "delivery.waiting")}
        </span>
      </footer>
    </article>
  );
}

/** Give each item a key that stays when more follow: what it is called, and how many before it are called the same. */
function keyed<Item>(items: readonly Item[], nameOf: (item: Item) => string) {
  const counts = new Map<string, number>();
  return items.map((item, place) => {
    const name = nameOf(item);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return { key: `${name}.${count}`, item, before: items[place - 1] };
  });
}

function isNewDay(message: Message, before: Message | undefined): boolean {
  return !before || new Date(before.timestamp).toDateString() !== new Date(message.timestamp).toDateString();
}

function isReactedToBy({ reaction_to }: Message) {
  return ({ message_id }: Message) => reaction_to !== null && message_id === reaction_to;
}

const PHONE_APP = "phone_app";

const QUOTED = 60; // characters

/** A message. A reaction says to what: `reactedTo`, unless that is too old to be shown. */
function Bubble({
  message,
  reactedTo,
  found,
}: {
  message: Message;
  reactedTo: Message | undefined;
  found: boolean;
}) {
  const { t } = useTranslation("inbox");
  const { speaker, text, options, timestamp, type, author, media, revoked } = message;
  const textless = useTextless();
  const { nameOf } = useColleagues();
  const authorName = author === PHONE_APP ? t("phoneApp") : author && nameOf(author);
  const quoted = reactedTo?.text.slice(0, QUOTED);
  const about = quoted ? t("quoted", { text: quoted }) : t("earlierMessage");
  const said =
    type === "reaction" ? t(text ? "reacted" : "unreacted", { emoji: text, message: about }) : text;
  const shown = revoked ? t("revoked") : said || (media ? "" : textless(type));
  return (
    <article
      className="inbox-bubble"
      data-speaker={speaker}
      data-found={found}
      aria-label={t(`speaker.${speaker}`)}
    >
      {speaker !== "user" && (
        <span className="inbox-speaker quiet">{authorName ?? t(`speaker.${speaker}`)}</span>
      )}
      {media && !revoked && <FileLink media={media} received={speaker === "user"} />}
      {shown && <p className="inbox-text">{...formatted(shown)}</p>}
      {options.length > 0 && (
        <ul className="inbox-options" aria-label={t("options")}>
          {keyed(options, String).map(({ key, item }) => (
            <li key={key}>{item}</li>
          ))}
        </ul>
      )}
      <footer className="inbox-bubble-foot">
        {message.labels.map((label) => (
          <span key={label} className="inbox-label">
            {label}
          </span>
        ))}
        <time dateTime={timestamp}>{clock(timestamp)}</time>
        {message.delivery && <Delivery message={message} />}
      </footer>
    </article>
  );
}

/** A file of a message. Without an id, a received one was not kept; one that was sent is named only. */
function FileLink({ media, received }: { media: NonNullable<Message["media"]>; received: boolean }) {
  const { t } = useTranslation("inbox");
  const kind = useKind();
  const opening = useMutation({ mutationFn: download });
  const name = media.filename
    ? plain(media.filename)
    : t("file", { type: media.mime_type ?? kind(media.type) });
  const { id } = media;
  if (!id) return <p className="flush quiet">{received ? t("fileNotKept", { name }) : name}</p>;
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<Icon name="attach" size={14} />}
        loading={opening.isPending}
        onClick={() => opening.mutate(id)}
      >
        {name}
      </Button>
      {opening.isError && <Problem error={opening.error} />}
    </>
  );
}

const STATES = ["waiting", "sent", "delivered", "read", "failed"] as const;

/** What became of a message, in the words of a person: the API's states are finer. */
function stateOf(delivery: string): (typeof STATES)[number] {
  if (delivery === "accepted") return "sent";
  if (delivery === "dead") return "failed";
  return STATES.find((state) => state === delivery) ?? "waiting";
}

function Delivery({ message }: { message: Message }) {
  const { t } = useTranslation("inbox");
  const state = stateOf(message.delivery ?? "");
  const code = message.error_code ? ` (${message.error_code})` : "";
  return (
    <span className="inbox-delivery" data-state={state} title={message.reason ?? undefined}>
      {t(`delivery.${state}`)}
      {state === "failed" && code}
    </span>
  );
}
