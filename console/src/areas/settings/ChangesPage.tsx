import { Badge, Button, NativeSelect, Skeleton } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { changesQuery, type Change, type ChangedResource } from "../../api/changes.ts";
import { useColleagues } from "../../api/colleagues.ts";
import { count, moment } from "../../i18n/format.ts";
import { plain } from "../../ui/names.ts";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { dayName } from "./dayName.ts";
import { changeLines, hoursText, type ChangeLine } from "./changeLines.ts";

const MICROS = 1_000_000;
const NOTHING = "–";

/** The title of what was changed. */
const TITLES = {
  numbers: "numbers.title",
  organization: "organization.title",
  timetables: "timetables.title",
  teams: "teams.title",
  canned_replies: "replies.title",
  templates: "templates.title",
  files: "files.title",
  secrets: "secrets.title",
  segments: "changes.segments",
  sequences: "changes.sequences",
} as const satisfies Record<ChangedResource, string>;
const RESOURCES = Object.keys(TITLES) as ChangedResource[];

/** Who changed what the organization has set up. */
export function ChangesPage() {
  const { t } = useTranslation("settings");
  const { t: shell } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const resource = RESOURCES.find((one) => one === search.get("resource"));
  const changes = useInfiniteQuery(changesQuery(resource));
  const shown = changes.data?.pages.flatMap(({ data }) => data);
  return (
    <Page title={t("changes.title")}>
      <p>{t("changes.about")}</p>
      <NativeSelect
        className="settings-narrow"
        label={t("changes.resource")}
        value={resource ?? ""}
        data={[
          { value: "", label: t("changes.everything") },
          ...RESOURCES.map((value) => ({ value, label: t(TITLES[value]) })),
        ]}
        onChange={({ currentTarget: { value } }) =>
          setSearch(value ? { resource: value } : {}, { replace: true })
        }
      />
      {changes.isError && <Problem error={changes.error} again={() => void changes.refetch()} />}
      {changes.isPending && <Skeleton height={200} />}
      {shown?.length === 0 && <p>{t("changes.none")}</p>}
      <ol className="settings-changes">
        {shown?.map((change, place) => (
          // Two changes may be of the same time, and none is ever put between others.
          // oxlint-disable-next-line react/no-array-index-key
          <ChangeItem key={`${change.at} ${place}`} change={change} />
        ))}
      </ol>
      {changes.hasNextPage && (
        <Button
          variant="default"
          loading={changes.isFetchingNextPage}
          onClick={() => void changes.fetchNextPage()}
        >
          {shell("more")}
        </Button>
      )}
    </Page>
  );
}

function ChangeItem({ change }: { change: Change }) {
  const { t, i18n } = useTranslation("settings");
  const { nameOf } = useColleagues();
  const valueText = useValueText();
  const { at, by, resource, action, name } = change;
  const words = ({ entry, field, inside }: ChangeLine) => {
    const known = i18n.exists(`changes.field.${field}`, { ns: "settings" });
    const word = known ? t(`changes.field.${field}` as "changes.field.name") : field;
    return [entry, word, ...inside]
      .filter((one) => one !== undefined)
      .map(plain)
      .join(" · ");
  };
  return (
    <li>
      <p className="settings-change">
        <strong>{name === null ? t(TITLES[resource]) : `${t(TITLES[resource])}: ${name}`}</strong>
        <Badge component="span" variant="light" color={action === "removed" ? "red" : "leaf"}>
          {t(`changes.action.${action}`)}
        </Badge>
        <span className="quiet">
          {nameOf(by)} · {moment(at)}
        </span>
      </p>
      <ul>
        {changeLines(change).map((line) => (
          <li key={words(line)}>
            {words(line)}:{" "}
            {line.hidden ? (
              t("changes.hidden")
            ) : (
              <Values before={valueText(line.field, line.before)} after={valueText(line.field, line.after)} />
            )}
          </li>
        ))}
      </ul>
    </li>
  );
}

/** What a value was and is. Of what is new there is nothing to strike out. */
function Values({ before, after }: { before: string; after: string }) {
  const { t } = useTranslation("settings");
  if (before === NOTHING) return <ins>{after}</ins>;
  return (
    <>
      <span className="unseen">{t("changes.was")} </span>
      <del>{before}</del> → <span className="unseen">{t("changes.is")} </span>
      <ins>{after}</ins>
    </>
  );
}

/** A value in the person's language; lists of names are written out. */
function useValueText() {
  const { t } = useTranslation("settings");
  const { nameOf } = useColleagues();
  return (field: string | undefined, value: unknown): string => {
    if (value === undefined || value === null || value === "") return NOTHING;
    if (typeof value === "boolean") return t(value ? "changes.yes" : "changes.no");
    if (typeof value === "number") return count(field === "monthly_budget_micros" ? value / MICROS : value);
    if (typeof value === "string") return plain(value);
    if (!Array.isArray(value)) return JSON.stringify(value);
    const words = value.map((one: unknown) => {
      if (typeof one === "object") return hoursText(one, dayName) ?? JSON.stringify(one);
      return field === "members" ? nameOf(String(one)) : plain(String(one));
    });
    return words.length > 0 ? words.join(field === "hours" ? "; " : ", ") : NOTHING;
  };
}
