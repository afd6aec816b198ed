import { useTranslation } from "react-i18next";
import { locale } from "../../i18n/words.ts";
import type { Activity } from "./queries.ts";

const WIDTH = 900;
const HEIGHT = 160;
const GAP = 0.25;

/** Conversations and messages of each day, as bars and as a table for those who do not see them. */
export function DailyChart({ days }: { days: Activity["days"] }) {
  const { t } = useTranslation("measure");
  const most = Math.max(1, ...days.map(({ conversations }) => conversations));
  const step = WIDTH / Math.max(1, days.length);
  const date = new Intl.DateTimeFormat(locale(), { day: "2-digit", month: "2-digit", timeZone: "UTC" });
  const named = (day: string) => date.format(new Date(`${day}T00:00:00Z`));
  return (
    <figure className="measure-chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {days.map(({ date: day, conversations, messages }, place) => {
          const height = (conversations / most) * HEIGHT;
          return (
            <rect
              key={day}
              x={place * step + (step * GAP) / 2}
              y={HEIGHT - height}
              width={step * (1 - GAP)}
              height={height}
            >
              <title>{t("dayTitle", { day: named(day), conversations, messages })}</title>
            </rect>
          );
        })}
      </svg>
      <figcaption className="quiet">
        <span>{days[0] && named(days[0].date)}</span>
        <span>{t("most", { count: most })}</span>
        <span>{days.at(-1) && named(days.at(-1)!.date)}</span>
      </figcaption>
      <div className="unseen">
        <table>
          <caption>{t("daily")}</caption>
          <thead>
            <tr>
              <th>{t("day")}</th>
              <th>{t("number.conversations")}</th>
              <th>{t("number.messages")}</th>
              <th>{t("number.people")}</th>
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.date}>
                <th>{named(day.date)}</th>
                <td>{day.conversations}</td>
                <td>{day.messages}</td>
                <td>{day.unique_users}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
