import { Avatar, Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { useNow } from "../../ui/now.ts";
import { keyOf, pathOf, type Summary } from "./queries.ts";
import { isUnread, useSeen } from "./seen.ts";
import { duration, short } from "./times.ts";

/** The name of a person, or the number when no name is known. */
export function nameOf({ name, phone, contact_id }: Pick<Summary, "name" | "phone" | "contact_id">): string {
  return name || phone || contact_id;
}

/** One conversation in the list: who, since when they wait for an agent, and why. */
export function ConversationItem({ summary }: { summary: Summary }) {
  const { t } = useTranslation("inbox");
  const now = useNow();
  const unread = isUnread(summary, useSeen());
  const { handoff, last_activity_at: active } = summary;
  const priority = handoff?.priority;
  return (
    <li>
      <NavLink to={pathOf(keyOf(summary))} className="inbox-item" data-unread={unread}>
        <Avatar size={36} color="leaf" name={nameOf(summary)} alt="" />
        <span className="inbox-item-text">
          <span className="inbox-item-head">
            <span className="inbox-item-name">{nameOf(summary)}</span>
            {active && <time dateTime={active}>{short(active)}</time>}
          </span>
          <span className="inbox-item-about quiet">
            {handoff
              ? t("waitsFor", { time: duration(now - Date.parse(handoff.at)) })
              : t(`status.${summary.status}`)}
            {unread && (
              <span className="inbox-dot">
                <span className="unseen">{t("unread")}</span>
              </span>
            )}
          </span>
          {(handoff?.department || priority != null || summary.opted_out) && (
            <span className="inbox-item-badges">
              {handoff?.department && (
                <Badge size="xs" variant="light" color="leaf">
                  {handoff.department}
                </Badge>
              )}
              {priority != null && (
                <Badge size="xs" variant="light" color="orange">
                  {t("priority", { priority: String(priority) })}
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
    </li>
  );
}
