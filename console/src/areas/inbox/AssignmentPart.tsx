import { Autocomplete, Button, NativeSelect, TagsInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { teamsQuery } from "../../api/desk.ts";
import { session } from "../../login/session.ts";
import { Problem } from "../../ui/Problem.tsx";
import { assign, type Assignment, type AssignmentChange, type Key } from "./queries.ts";
import { clock, day } from "./times.ts";

const PRIORITIES = ["urgent", "high", "normal", "low"] as const;
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

interface PartProps {
  conversationKey: Key;
  assignment: Assignment;
}

/** Who has the conversation, in which team, how urgent it is, and whether it rests. Each choice is stored at once. */
export function AssignmentPart({ conversationKey, assignment }: PartProps) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const [team, setTeam] = useState(assignment.team ?? "");
  const teams = useQuery(teamsQuery());
  const me = session().person.subject;
  const saving = useMutation({
    mutationFn: (change: Partial<AssignmentChange>) =>
      assign(conversationKey, { ...changeOf(assignment), ...change }, assignment.revision),
    onSettled: () =>
      Promise.all(
        [
          ["conversation", conversationKey],
          ["notes", conversationKey],
          ["conversations"],
          ["conversation-counts"],
        ].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
  const mine = assignment.assignee === me;
  return (
    <div className="inbox-share">
      {saving.isError && <Problem error={saving.error} />}
      <p className="flush">
        {assignment.assignee
          ? t("share.has", { who: mine ? t("me") : assignment.assignee })
          : t("share.free")}
      </p>
      <Button
        size="xs"
        variant="default"
        loading={saving.isPending}
        onClick={() => saving.mutate({ assignee: mine ? null : me })}
      >
        {t(mine ? "share.release" : "share.take")}
      </Button>
      <Autocomplete
        size="xs"
        label={t("share.team")}
        maxLength={64}
        data={Object.keys(teams.data?.data.teams ?? {})}
        value={team}
        onChange={setTeam}
        onBlur={() => {
          if (team.trim() !== (assignment.team ?? "")) saving.mutate({ team: team.trim() || null });
        }}
      />
      <NativeSelect
        size="xs"
        label={t("details.priority")}
        value={changeOf(assignment).priority ?? ""}
        data={[
          { value: "", label: t("share.noPriority") },
          ...PRIORITIES.map((value) => ({ value, label: t(`share.priority.${value}`) })),
        ]}
        onChange={(event) =>
          saving.mutate({ priority: PRIORITIES.find((one) => one === event.currentTarget.value) ?? null })
        }
      />
      <TagsInput
        size="xs"
        label={t("share.tags")}
        value={assignment.tags}
        maxTags={20}
        onChange={(tags) => saving.mutate({ tags })}
      />
      {assignment.snoozed && assignment.snoozed_until ? (
        <>
          <p className="flush">
            {t("share.restsUntil", {
              time: `${day(assignment.snoozed_until)}, ${clock(assignment.snoozed_until)}`,
            })}
          </p>
          <Button size="xs" variant="default" onClick={() => saving.mutate({ snoozed_until: null })}>
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
              onClick={() =>
                saving.mutate({ snoozed_until: new Date(Date.now() + hours * HOUR).toISOString() })
              }
            >
              {t("share.rest", { count: hours })}
            </Button>
          ))}
        </div>
      )}
    </div>
  );
}
