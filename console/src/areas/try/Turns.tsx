import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { moment } from "../../i18n/format.ts";
import { session } from "../../login/session.ts";
import { Problem } from "../../ui/Problem.tsx";
import { Values } from "../../ui/Values.tsx";
import { screenQuery, turnsQuery, type Turn } from "./queries.ts";

/** What the flow did with what a phone sent: its values, and the way of each turn. The records have texts, so administrators see them. */
export function Turns({ phone }: { phone: string }) {
  const { t } = useTranslation("try");
  const isAdmin = session().person.role === "admin";
  const messages = useQuery(screenQuery(phone)).data?.messages ?? [];
  const answered = messages.some(({ direction }) => direction === "out"); // until then there may be no conversation
  const seen = answered ? messages.at(-1)!.seq : 0;
  const found = useQuery({
    ...turnsQuery(phone, seen),
    enabled: isAdmin && seen > 0,
    placeholderData: keepPreviousData,
  });
  const { turns = [], variables = {} } = (seen > 0 && found.data) || {};
  return (
    <section className="try-turns" aria-label={t("turns.title")}>
      <h2>{t("turns.title")}</h2>
      {!isAdmin && <p className="quiet">{t("turns.adminOnly")}</p>}
      {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
      {isAdmin && !found.isError && turns.length === 0 && <p className="quiet">{t("turns.none")}</p>}
      <Values of={variables} />
      <ol className="try-turns-list">
        {turns.map((turn) => (
          <Taken key={turn.seq} turn={turn} />
        ))}
      </ol>
    </section>
  );
}

function Taken({ turn }: { turn: Turn }) {
  const { t } = useTranslation("try");
  const { input, message_type, path = [], events = [] } = turn;
  return (
    <li>
      <strong>{input.text || input.reply_id || message_type || input.type || ""}</strong>{" "}
      <span className="quiet">{moment(new Date(turn.at * 1000).toISOString())}</span>
      {path.length > 0 && (
        <p className="flush">
          {path.map(({ flow_id, node_id }, index) => (
            <span key={index}>
              {index > 0 && " → "}
              <Link to={`/build/${flow_id}?node=${node_id}`}>{node_id}</Link>
            </span>
          ))}
        </p>
      )}
      {events.length > 0 && (
        <details>
          <summary>{t("turns.events", { count: events.length })}</summary>
          <ul>
            {events.map(({ type, data }, index) => (
              <li key={index}>
                <code>{type}</code> <span className="quiet">{JSON.stringify(data ?? {})}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}
