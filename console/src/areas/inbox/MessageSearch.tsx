import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { count } from "../../i18n/format.ts";
import { Problem } from "../../ui/Problem.tsx";
import { folded } from "../../ui/search.ts";

import { foundQuery, nameOf, pathOf, type Found } from "./queries.ts";
import { short } from "./times.ts";

const SHORTEST = 3; // characters; the API refuses less
const BEFORE = 30; // characters

/** Whether a text can be searched in messages. */
export function isSearchable(text: string): boolean {
  return text.length >= SHORTEST && /[\p{L}\p{N}]/u.test(text);
}

/** The part of a message around what was searched. A text whose letters do not match one by one is shown from its beginning. */
export function excerptOf(text: string, wanted: string): string {
  const place = folded(text).indexOf(folded(wanted));
  const from = place - BEFORE;
  return from > 0 ? `…${text.slice(from)}` : text;
}

/** Searches in the messages of the latest conversations, when the agent wants it, and further back each time. */
export function MessageSearch({ text }: { text: string }) {
  const { t } = useTranslation("inbox");
  const [asked, ask] = useState(false);
  const search = useInfiniteQuery({ ...foundQuery(text), enabled: asked });
  const pages = search.data?.pages ?? [];
  const matches = pages.flatMap(({ found }) => found);
  const searched = pages.reduce((sum, page) => sum + page.searched, 0);
  return (
    <section className="inbox-found" aria-label={t("messageSearch.title")}>
      {!asked && (
        <Button variant="default" size="xs" onClick={() => ask(true)}>
          {t("messageSearch.ask", { text })}
        </Button>
      )}
      {search.isError && <Problem error={search.error} again={() => void search.refetch()} />}
      <output className="quiet">
        {asked && search.isFetching && t("messageSearch.searching")}
        {search.data &&
          !search.isFetching &&
          t("messageSearch.done", { count: searched, number: count(searched) })}
      </output>
      {matches.length > 0 && (
        <ul className="inbox-items">
          {matches.map((match) => (
            <Match key={`${match.phone_number_id}/${match.contact_id}`} match={match} text={text} />
          ))}
        </ul>
      )}
      {search.hasNextPage && (
        <Button
          variant="default"
          size="xs"
          loading={search.isFetchingNextPage}
          onClick={() => void search.fetchNextPage()}
        >
          {t("messageSearch.more")}
        </Button>
      )}
    </section>
  );
}

function Match({ match, text }: { match: Found; text: string }) {
  const { t } = useTranslation("inbox");
  const { message } = match;
  const path = pathOf({ number: match.phone_number_id, contact: match.contact_id });
  return (
    <li>
      <Link to={`${path}?find=${encodeURIComponent(text)}`} className="inbox-item">
        <span className="inbox-item-text">
          <span className="inbox-item-head">
            <span className="inbox-item-name">{nameOf(match)}</span>
            <time dateTime={message.timestamp}>{short(message.timestamp)}</time>
          </span>
          <span className="inbox-item-about quiet">
            {t(`speaker.${message.speaker}`)}: {excerptOf(message.text, text)}
          </span>
        </span>
      </Link>
    </li>
  );
}
