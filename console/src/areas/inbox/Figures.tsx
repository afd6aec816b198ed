import { useTranslation } from "react-i18next";
import type { components } from "../../generated/api.ts";
import { useNow } from "../../ui/now.ts";
import { duration, moment, waited } from "./times.ts";

type Counts = components["schemas"]["InboxCounts"];

/** How many people wait for an agent, how long the first one does, and whether the office is open. */
export function Figures({ counts }: { counts: Counts | undefined }) {
  const { t } = useTranslation("inbox");
  const now = useNow();
  if (!counts) return <p className="quiet inbox-figures" />;
  const { unanswered, longest_wait: longest, office } = counts;
  const number = `${unanswered}${counts.truncated ? "+" : ""}`;
  return (
    <p className="quiet inbox-figures">
      <span>{unanswered === 0 ? t("figures.none") : t("figures.unanswered", { number })}</span>
      {longest && (
        <span title={t("askedAt", { time: moment(longest.since, now) })}>
          {t("figures.longest", { time: duration(waited(longest, now)) })}
        </span>
      )}
      {office && (
        <span className="inbox-office" title={office.timetable}>
          {t(office.is_open ? "figures.open" : "figures.closed")}
          {office.changes_at &&
            t(office.is_open ? "figures.until" : "figures.opens", { time: moment(office.changes_at, now) })}
        </span>
      )}
    </p>
  );
}
