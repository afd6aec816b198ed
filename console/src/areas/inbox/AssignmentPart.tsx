import { Autocomplete, Button, NativeSelect, TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/colleagues.ts";
import { teamsQuery, useTeamName } from "../../api/desk.ts";
import { session } from "../../login/session.ts";
import { serverNow } from "../../ui/now.ts";
import { Problem } from "../../ui/Problem.tsx";
import { useChange } from "./changes.ts";
import { assign, type Assignment, type AssignmentChange, type Key } from "./queries.ts";
import { PRIORITIES } from "./priority.ts";
import { clock, day } from "./times.ts";

const HOUR = 3_600_000;

/** Return the assignment as the API accepts it. A handoff's priority in other words is left to the handoff. */
export function changeOf({ assignee, team, priority, tags, snoozed_until }: Assignment): AssignmentChange {
  return {
    assignee,
    team,
    priority: PRIORITIES.find((one) => one === priority) ?? null,
    tags,
    snoozed_until,
  };
}

/** What changes an assignment: each change builds on the last one that was read. */
export function useAssigning(conversationKey: Key, assignment: Assignment) {
  const { change: make, failed } = useChange(conversationKey, "assignment");
  const me = session().person.subject;
  const mine = assignment.assignee === me;
  const change = (one: Partial<AssignmentChange>) =>
    make({
      seen: { assignment: "snoozed_until" in one ? { ...one, snoozed: one.snoozed_until !== null } : one },
      store: async (last = assignment) => ({
        assignment: await assign(conversationKey, { ...changeOf(last), ...one }, last.revision),
      }),
    });
  return { change, failed, mine, takeOrRelease: () => change({ assignee: mine ? null : me }) };
}

interface PartProps {
  conversationKey: Key;
  assignment: Assignment;
}

/** Who has the conversation, in which team, how urgent it is, and whether it rests. Each choice is stored at once. */
export function AssignmentPart({ conversationKey, assignment }: PartProps) {
  const { t } = useTranslation("inbox");
  const known = Object.entries(useQuery(teamsQuery()).data?.data.teams ?? {});
  const nameOfTeam = useTeamName();
  const { nameOf, accountOf, agents } = useColleagues();
  const me = session().person.subject;
  const accounts = [...agents, ...known.flatMap(([, { members = [] }]) => members)].filter(
    (one) => one !== me,
  );
  const { change, failed, mine, takeOrRelease } = useAssigning(conversationKey, assignment);
  const { assignee, team, priority, tags } = changeOf(assignment);
  return (
    <div className="inbox-share">
      {failed && <Problem error={failed.error} again={failed.again} />}
      <p className="flush">
        {assignment.assignee
          ? t("share.has", { who: mine ? t("me") : nameOf(assignment.assignee) })
          : t("share.free")}
      </p>
      <Button size="xs" variant="default" onClick={takeOrRelease}>
        {t(mine ? "share.release" : "share.take")}
      </Button>
      <Named
        label={t("share.assignee")}
        names={[t("me"), ...accounts.map(nameOf)]}
        value={assignee === me ? t("me") : nameOf(assignee ?? "")}
        maxLength={256}
        choose={(name) => change({ assignee: (name === t("me") ? me : accountOf(name)) || null })}
      />
      <Named
        label={t("share.team")}
        names={known.map(([, { name }]) => name)}
        value={nameOfTeam(team ?? "")}
        maxLength={64}
        choose={(name) => change({ team: (known.find(([, one]) => one.name === name)?.[0] ?? name) || null })}
      />
      <NativeSelect
        size="xs"
        label={t("details.priority")}
        value={priority ?? ""}
        data={[
          { value: "", label: t("share.noPriority") },
          ...PRIORITIES.map((value) => ({ value, label: t(`share.priority.${value}`) })),
        ]}
        onChange={(event) =>
          change({ priority: PRIORITIES.find((one) => one === event.currentTarget.value) ?? null })
        }
      />
      <TagsInput
        size="xs"
        label={t("share.tags")}
        value={tags ?? []}
        maxTags={20}
        onChange={(next) => change({ tags: next })}
      />
      {assignment.snoozed && assignment.snoozed_until ? (
        <>
          <p className="flush">
            {t("share.restsUntil", {
              time: `${day(assignment.snoozed_until)}, ${clock(assignment.snoozed_until)}`,
            })}
          </p>
          <Button size="xs" variant="default" onClick={() => change({ snoozed_until: null })}>
            {t("share.wake")}
          </Button>
        </>
      ) : (
        <div className="inbox-snooze">
          {([1, 4, 24] as const).map((hours) => (
            <Button
              key={hours}
              size="compact-xs"
              variant="default"
              onClick={() => change({ snoozed_until: new Date(serverNow() + hours * HOUR).toISOString() })}
            >
              {t("share.rest", { count: hours })}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}

interface NamedProps {
  label: string;
  /** Known names; others can be written, too. */
  names: readonly string[];
  value: string;
  maxLength: number;
  choose: (name: string) => void;
}

/** A name, which is taken when the field is left. */
function Named({ label, names, value, maxLength, choose }: NamedProps) {
  const [typed, setTyped] = useState<string>();
  return (
    <Autocomplete
      size="xs"
      label={label}
      maxLength={maxLength}
      data={[...new Set(names)]}
      value={typed ?? value}
      onChange={setTyped}
      onBlur={() => {
        const name = typed?.trim();
        if (name !== undefined && name !== value) choose(name);
        setTyped(undefined);
      }}
    />
  );
}
