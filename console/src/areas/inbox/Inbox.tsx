import { Button, NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, useMatch } from "react-router";
import { Icon } from "../../ui/Icon.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { found } from "../../ui/search.ts";
import { notifications, useHandoffAlerts } from "./alerts.ts";
import { ConversationItem } from "./ConversationItem.tsx";
import { keyOf, listQuery, pathOf, personQuery, VIEWS, type Summary, type View } from "./queries.ts";
import { isUnread, useSeen } from "./seen.ts";
import "./inbox.css";

const PHONE = /^\+?[\d\s().-]{7,}$/;

/** The list of conversations beside the one that is open. */
export function Inbox() {
  const { t } = useTranslation("inbox");
  const open = useMatch("/inbox/:number/:contact");
  const [view, setView] = useState<View>("human");
  const waiting = useInfiniteQuery(listQuery("human"));
  const handed = useMemo(() => waiting.data?.pages.flatMap((page) => page.conversations), [waiting.data]);
  const seen = useSeen();
  const unread = (handed ?? []).filter((one) => isUnread(one, seen)).length;
  useHandoffAlerts(
    handed,
    useCallback((name: string) => t("alert", { name }), [t]),
  );
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${t("title")} · PyTake`;
  }, [unread, t]);
  return (
    <div className="inbox" data-open={open !== null}>
      <section className="inbox-list" aria-label={t("list")}>
        <h1 className="inbox-title">{t("title")}</h1>
        <NativeSelect
          aria-label={t("view.name")}
          value={view}
          onChange={(event) => setView(event.currentTarget.value as View)}
          data={VIEWS.map((value) => ({
            value,
            label: value === "human" && unread > 0 ? `${t("view.human")} (${unread})` : t(`view.${value}`),
          }))}
        />
        <List view={view} />
        <NotificationRequest />
      </section>
      <Outlet />
    </div>
  );
}

function List({ view }: { view: View }) {
  const { t } = useTranslation("inbox");
  const [search, setSearch] = useState("");
  const list = useInfiniteQuery(listQuery(view));
  const phone = PHONE.test(search.trim()) ? search.replaceAll(/\D/g, "") : "";
  const person = useQuery(personQuery(phone));
  const loaded = list.data?.pages.flatMap((page) => page.conversations) ?? [];
  const shown = found(loaded, search, (one) => `${one.name} ${one.phone ?? ""} ${one.tags.join(" ")}`);
  const others =
    phone && person.data && !shown.some((one) => samePerson(one, person.data)) ? [person.data] : [];
  return (
    <>
      <TextInput
        type="search"
        size="sm"
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <Skeleton height={180} />}
      <ul className="inbox-items">
        {[...shown, ...others].map((one) => (
          <ConversationItem key={pathOf(keyOf(one))} summary={one} />
        ))}
      </ul>
      {list.isSuccess && shown.length + others.length === 0 && (
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
  return (
    <div className="inbox-empty">
      <Icon name="inbox" size={40} />
      <p>{t("choose")}</p>
    </div>
  );
}
