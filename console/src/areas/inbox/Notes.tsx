import { Button, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../ui/Form.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { usePriorityName } from "./priority.ts";
import { addNote, notesQuery, type Key, type Note } from "./queries.ts";
import { clock, short } from "./times.ts";

const LONGEST = 4_000;

/** Private notes of agents, the newest first, and who changed the assignment. The person sees none of it. */
export function Notes({ conversationKey }: { conversationKey: Key }) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const notes = useQuery(notesQuery(conversationKey));
  const nameOfPriority = usePriorityName();
  const [text, setText] = useState("");
  const adding = useMutation({
    mutationFn: () => addNote(conversationKey, text.trim()),
    onSuccess: () => {
      setText("");
      void queries.invalidateQueries({ queryKey: ["notes", conversationKey] });
    },
  });
  return (
    <>
      <Form
        className="inbox-share"
        onSubmit={() => {
          if (text.trim()) adding.mutate();
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
        <Button type="submit" size="xs" variant="default" disabled={!text.trim()} loading={adding.isPending}>
          {t("notes.add")}
        </Button>
      </Form>
      {(adding.error ?? notes.error) && <Problem error={adding.error ?? notes.error} />}
      <ol className="inbox-notes">
        {(notes.data ?? []).toReversed().map((note) => (
          <li key={note.id}>
            <span className="quiet">
              {note.by} · {short(note.at)} {clock(note.at)}
            </span>
            <p className="inbox-text">{note.text ?? changesOf(note, t, nameOfPriority)}</p>
          </li>
        ))}
      </ol>
    </>
  );
}

function changesOf(
  { changes }: Note,
  t: ReturnType<typeof useTranslation<"inbox">>["t"],
  nameOfPriority: (priority: unknown) => string,
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
      const shown = field === "priority" ? nameOfPriority(value) : String(value);
      return `${names[field as keyof typeof names] ?? field}: ${value == null || value === "" ? "–" : shown}`;
    })
    .join("; ");
}
