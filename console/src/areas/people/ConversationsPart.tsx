import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { numbersQuery } from "../../api/numbers.ts";
import { locale } from "../../i18n/words.ts";
import { session } from "../../login/session.ts";
import { Problem } from "../../ui/Problem.tsx";
import { conversationsQuery } from "./queries.ts";

/** The person's conversations, for those who may read them: at which number, when, and what becomes of each. */
export function ConversationsPart({ contact }: { contact: string }) {
  const { role } = session().person;
  return role === "admin" || role === "agent" ? <Conversations contact={contact} /> : null;
}

function Conversations({ contact }: { contact: string }) {
  const { t } = useTranslation("people");
  const numbers = useQuery(numbersQuery());
  const ids = numbers.data?.map(({ phone_number_id }) => phone_number_id);
  const found = useQuery(conversationsQuery(contact, ids));
  const failed = numbers.isError ? numbers : found;
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" });
  const nameOf = (id: string) =>
    numbers.data?.find(({ phone_number_id }) => phone_number_id === id)?.display_phone_number ?? id;
  return (
    <section aria-labelledby="conversations" className="people-conversations">
      <h2 id="conversations" className="people-heading">
        {t("conversations.title")}
      </h2>
      {failed.isError && <Problem error={failed.error} again={() => void failed.refetch()} />}
      {found.isPending && !failed.isError && <Skeleton height={48} />}
      {found.data?.length === 0 && <p className="quiet">{t("conversations.none")}</p>}
      {found.data && found.data.length > 0 && (
        <ul className="people-history">
          {found.data.map(({ phone_number_id: number, contact_id, status, last_activity_at: at }) => (
            <li key={number}>
              <Link to={`/inbox/${encodeURIComponent(number)}/${encodeURIComponent(contact_id)}`}>
                {t("conversations.at", { number: nameOf(number) })}
              </Link>
              <span className="quiet">
                {" "}
                · {t(`conversations.${status}`)}
                {at && ` · ${date.format(new Date(at))}`}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
