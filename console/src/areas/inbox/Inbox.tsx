import { Button, NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, useMatch } from "react-router";
import type { components } from "../../generated/api.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { notifications } from "./alerts.ts";
import { ConversationList } from "./ConversationList.tsx";
import { Figures } from "./Figures.tsx";
import { isSearchable, MessageSearch } from "./MessageSearch.tsx";
import {
  countsQuery,
  keyOf,
  listQuery,
  pathOf,
  personQuery,
  VIEWS,
  type Summary,
  type View,
} from "./queries.ts";
import { StoppedNumbers } from "./StoppedNumbers.tsx";
import "./inbox.css";

type Schemas = components["schemas"];

const PAUSE = 300; // milliseconds without a key, before the server is asked
const PHONE = /^\+?[\d\s().-]{7,}$/;

/** The list of conversations beside the one that is open. */
export function Inbox() {
  const { t } = useTranslation("inbox");
  const open = useMatch("/inbox/:number/:contact");
  const [view, setView] = useState<View>("human");
  const counts = useQuery(countsQuery()).data;
  const unread = counts?.unread ?? 0;
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${t("title")} · PyTake`;
  }, [unread, t]);
  return (
    <div className="inbox" data-open={open !== null}>
      <section className="inbox-list" aria-label={t("list")}>
        <h1 className="inbox-title">{t("title")}</h1>
        <Figures counts={counts} />
        <StoppedNumbers />
        <NativeSelect
          aria-label={t("view.name")}
          value={view}
          onChange={(event) => setView(event.currentTarget.value as View)}
          data={VIEWS.map((value) => ({ value, label: labelOf(t(`view.${value}`), counts, value) }))}
        />
        <List view={view} />
        <NotificationRequest />
      </section>
      <Outlet />
    </div>
  );
}

type Counts = Schemas["InboxCounts"];

/** The name of a view, with how many conversations it has where that is known. */
function labelOf(name: string, counts: Counts | undefined, view: View): string {
  const known = {
    human: counts?.agents,
    mine: counts?.mine,
    unassigned: counts?.unassigned,
    snoozed: counts?.snoozed,
  };
  const count = known[view as keyof typeof known];
  return count ? `${name} (${count})` : name;
}

function List({ view }: { view: View }) {
  const { t } = useTranslation("inbox");
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search.trim(), PAUSE);
  const list = useInfiniteQuery(listQuery(view, asked));
  const phone = PHONE.test(search.trim()) ? search.replaceAll(/\D/g, "") : "";
  const person = useQuery(personQuery(phone));
  const found = phone ? person.data : undefined;
  const shown = useMemo(() => {
    const listed = list.data?.pages.flatMap((page) => page.conversations) ?? [];
    return found && !listed.some((one) => samePerson(one, found)) ? [...listed, found] : listed;
  }, [list.data, found]);
  return (
    <>
      <TextInput
        type="search"
        size="sm"
        aria-label={t("search")}
        placeholder={t("searchHint")}
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <Skeleton height={180} />}
      <ConversationList key={`${view} ${asked}`} conversations={shown} />
      {list.isSuccess && shown.length === 0 && (
        <p className="quiet inbox-none">{t(search ? "noneFound" : `none.${view}`)}</p>
      )}
      {list.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t("older")}
        </Button>
      )}
      {isSearchable(asked) && <MessageSearch key={asked} text={asked} />}
    </>
  );
}

function samePerson(one: Summary, other: Summary): boolean {
  return pathOf(keyOf(one)) === pathOf(keyOf(other));
}

/** Offers notifications of the browser, once, where it has not been asked. */
function NotificationRequest() {
  const { t } = useTranslation("inbox");
  const [permission, setPermission] = useState(notifications);
  if (permission !== "default") return null;
  return (
    <Button
      variant="subtle"
      size="xs"
      className="inbox-notify"
      onClick={() => void Notification.requestPermission().then(setPermission)}
    >
      {t("notify")}
    </Button>
  );
}

/** What stands beside the list before a conversation is opened. */
export function NothingChosen() {
  const { t } = useTranslation("inbox");
  useEffect(() => void import("./Conversation.tsx"), []); // it is what the agent opens next
  return (
    <div className="inbox-empty">
      <Icon name="inbox" size={40} />
      <p>{t("choose")}</p>
    </div>
  );
}
