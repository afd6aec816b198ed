import { Avatar, Badge } from "@mantine/core";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { useColleagues } from "../../api/colleagues.ts";
import { useTeamName } from "../../api/desk.ts";
import { session } from "../../login/session.ts";
import { initialsOf } from "../../ui/names.ts";
import { useNow } from "../../ui/now.ts";
import { useChanged } from "./changes.ts";
import { useTextless } from "./kinds.ts";
import { keyOf, nameOf, pathOf, type Summary } from "./queries.ts";
import { usePriorityName } from "./priority.ts";
import { duration, moment, short, waited } from "./times.ts";

/** How long a person waits. Only this is drawn again as time passes: a thousand whole items would stop the scrolling. */
function Waiting({ wait }: { wait: NonNullable<Summary["wait"]> }) {
  const { t } = useTranslation("inbox");
  const now = useNow();
  return (
    <span title={t("askedAt", { time: moment(wait.since, now) })}>
      {t("waitsFor", { time: duration(waited(wait, now)) })}
    </span>
  );
}

/** One conversation in the list: who, since when they wait for an agent, and why. */
export const ConversationItem = memo(function ConversationItem({ summary: read }: { summary: Summary }) {
  const summary = useChanged(keyOf(read), read);
  const { t } = useTranslation("inbox");
  const nameOfPriority = usePriorityName();
  const textless = useTextless();
  const nameOfTeam = useTeamName();
  const { nameOf: nameOfColleague } = useColleagues();
  const { assignment } = summary;
  const unread = summary.status === "human" && assignment.unread;
  const { handoff, wait, last_activity_at: active, last_message: last } = summary;
  const priority = assignment.priority ?? handoff?.priority;
  const team = assignment.team ?? handoff?.department;
  return (
    <NavLink to={pathOf(keyOf(summary))} className="inbox-item" data-unread={unread}>
      <Avatar size={36} color="leaf" alt="">
        {initialsOf(nameOf(summary))}
      </Avatar>
      <span className="inbox-item-text">
        <span className="inbox-item-head">
          <span className="inbox-item-name">{nameOf(summary)}</span>
          {active && <time dateTime={active}>{short(active)}</time>}
        </span>
        {last && (
          <span className="inbox-item-last quiet">
            {last.speaker !== "user" && `${t(`speaker.${last.speaker}`)}: `}
            <bdi>{last.text || textless(last.type)}</bdi>
          </span>
        )}
        <span className="inbox-item-about quiet">
          {wait ? <Waiting wait={wait} /> : t(`status.${summary.status}`)}
          {unread && (
            <span className="inbox-dot">
              <span className="unseen">{t("unread")}</span>
            </span>
          )}
        </span>
        {(team ||
          priority != null ||
          assignment.assignee ||
          assignment.tags.length > 0 ||
          summary.opted_out) && (
          <span className="inbox-item-badges">
            {assignment.assignee && (
              <Badge size="xs" variant="outline" color="leaf">
                {assignment.assignee === session().person.subject
                  ? t("me")
                  : nameOfColleague(assignment.assignee)}
              </Badge>
            )}
            {team && (
              <Badge size="xs" variant="light" color="leaf">
                {nameOfTeam(team)}
              </Badge>
            )}
            {assignment.tags.map((tag) => (
              <Badge key={tag} size="xs" variant="light" color="gray">
                {tag}
              </Badge>
            ))}
            {priority != null && (
              <Badge size="xs" variant="default">
                {t("priority", { priority: nameOfPriority(priority) })}
              </Badge>
            )}
            {summary.opted_out && (
              <Badge size="xs" variant="light" color="gray">
                {t("optedOut")}
              </Badge>
            )}
          </span>
        )}
      </span>
    </NavLink>
  );
});
