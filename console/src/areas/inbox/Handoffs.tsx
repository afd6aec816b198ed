import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useHandoffAlerts } from "./alerts.ts";
import { waitingQuery } from "./queries.ts";

const MOST = 99; // what its place has room for

/** How many people wait for an agent, in the navigation. New handoffs are told in every area. */
export function Handoffs({ id }: { id: string }) {
  const { t } = useTranslation();
  const pages = useInfiniteQuery(waitingQuery()).data?.pages;
  const handed = useMemo(() => pages?.flatMap((page) => page.conversations), [pages]);
  useHandoffAlerts(handed);
  const count = handed?.filter(({ wait }) => wait).length ?? 0;
  if (count === 0) return null;
  const isMore = count > MOST || pages?.at(-1)?.next_cursor;
  const number = `${Math.min(count, MOST)}${isMore ? "+" : ""}`;
  return (
    <b className="shell-count">
      <span aria-hidden="true">{number}</span>
      <span id={id} className="unseen">
        {t("handoffs.waiting", { count, number })}
      </span>
    </b>
  );
}
