import { Button, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/colleagues.ts";
import { useTeamName } from "../../api/desk.ts";
import { useOptimistic, useUnsettled } from "../../api/optimistic.ts";
import { Form } from "../../ui/Form.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { usePriorityName } from "./priority.ts";
import { addNote, notesQuery, type Key, type Note } from "./queries.ts";
import { clock, moment, short } from "./times.ts";

const LONGEST = 4_000;

/** Private notes of agents, the newest first, and who changed the assignment. The person sees none of it. */
export function Notes({ conversationKey }: { conversationKey: Key }) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const notes = useQuery(notesQuery(conversationKey));
  const nameOfPriority = usePriorityName();
  const { nameOf } = useColleagues();
  const nameOfTeam = useTeamName();
  const [text, setText] = useState("");
  const mutationKey = ["note", conversationKey];
  const unsettled = useUnsettled<string>(mutationKey);
  const { make, makeAgain, drop } = useOptimistic({
    mutationKey,
    mutationFn: (note: string) => addNote(conversationKey, note),
    onSuccess: async (note) => {
      const { queryKey } = notesQuery(conversationKey);
      await queries.cancelQueries({ queryKey }); // an answer that is under way may be older
      queries.setQueryData(queryKey, (known) => known && [...known, note]);
      void queries.invalidateQueries({ queryKey });
    },
  });
  return (
    <>
      <Form
        className="inbox-share"
        onSubmit={() => {
          if (!text.trim()) return;
          make(text.trim());
          setText("");
        }}
      >
        <Textarea
          size="xs"
          autosize
          minRows={2}
          maxLength={LONGEST}
          aria-label={t("notes.write")}
          placeholder={t("notes.write")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" variant="default" disabled={!text.trim()}>
          {t("notes.add")}
        </Button>
      </Form>
      {notes.error && <Problem error={notes.error} />}
      <ol className="inbox-notes">
        {unsettled.toReversed().map(({ id, change, error }) => (
          <li key={id} aria-busy={!error}>
            <span className="quiet">{t(error ? "unsent.failed" : "notes.adding")}</span>
            <p className="inbox-text">{change}</p>
            {error && (
              <>
                <Problem error={error} again={() => makeAgain(id, change)} />
                <Button
                  size="compact-xs"
                  variant="subtle"
                  onClick={() => {
                    setText((begun) => [begun, change].filter((one) => one.trim()).join("\n"));
                    drop(id);
                  }}
                >
                  {t("unsent.edit")}
                </Button>
              </>
            )}
          </li>
        ))}
        {(notes.data ?? []).toReversed().map((note) => (
          <li key={note.id}>
            <span className="quiet">
              {nameOf(note.by)} · {[...new Set([short(note.at), clock(note.at)])].join(" ")}
            </span>
            <p className="inbox-text">
              {note.text ??
                changesOf(note, t, {
                  priority: nameOfPriority,
                  assignee: nameOf,
                  team: nameOfTeam,
                  snoozed_until: timeOf,
                })}
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}

/** A time that a change has in seconds. */
function timeOf(seconds: string): string {
  return moment(new Date(Number(seconds) * 1000).toISOString(), Date.now());
}

function changesOf(
  { changes }: Note,
  t: ReturnType<typeof useTranslation<"inbox">>["t"],
  said: Record<string, (value: string) => string>,
): string {
  const names = {
    assignee: t("share.assignee"),
    team: t("share.team"),
    priority: t("details.priority"),
    tags: t("share.tags"),
    snoozed_until: t("share.snoozed"),
  };
  return Object.entries(changes)
    .map(([field, [, after]]) => {
      const value = Array.isArray(after) ? after.join(", ") : after;
      const shown = said[field]?.(String(value)) ?? String(value);
      return `${names[field as keyof typeof names] ?? field}: ${value == null || value === "" ? "–" : shown}`;
    })
    .join("; ");
}
