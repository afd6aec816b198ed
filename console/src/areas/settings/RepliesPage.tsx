import { Skeleton, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { putReplies, repliesQuery, type CannedReplies } from "../../api/desk.ts";
import { Form } from "../../ui/Form.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Rows, rowsOf } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";

const LONGEST = 4_096;

/** Texts that agents send again and again. */
export function RepliesPage() {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const replies = useQuery(repliesQuery());
  const saving = useMutation({
    mutationFn: (changed: CannedReplies) => putReplies(changed, replies.data?.tag ?? ""),
    onSuccess: (saved) => queries.setQueryData(repliesQuery().queryKey, saved),
  });
  return (
    <Page title={t("replies.title")}>
      <p>{t("replies.about", { example: "{{contact.name}}" })}</p>
      {replies.isError && <Problem error={replies.error} again={() => void replies.refetch()} />}
      {replies.isPending && <Skeleton height={160} />}
      {replies.data && (
        <RepliesForm known={replies.data.data.replies} saving={saving} key={replies.data.tag} />
      )}
      <ChangesLink of="canned_replies" />
    </Page>
  );
}

interface RepliesFormProps {
  known: CannedReplies;
  saving: UseMutationResult<unknown, Error, CannedReplies>;
}

function RepliesForm({ known, saving }: RepliesFormProps) {
  const { t } = useTranslation("settings");
  // A reply keeps its id when its title changes: only new ones get one.
  const [rows, setRows] = useState(() =>
    rowsOf(Object.entries(known).map(([key, { title, text }]) => ({ key, title, text }))),
  );
  const changed = () => {
    const stored = rows.map(({ key, title, text }) => [key || crypto.randomUUID(), { title, text }]);
    return Object.fromEntries(stored) as CannedReplies;
  };
  return (
    <Form onSubmit={() => saving.mutate(changed())}>
      <Rows
        legend={t("replies.title")}
        isLegendUnseen
        rows={rows}
        empty={{ key: "", title: "", text: "" }}
        add={t("replies.add")}
        onChange={setRows}
      >
        {(row, change) => (
          <>
            <TextInput
              label={t("replies.name")}
              required
              maxLength={100}
              value={row.title}
              onChange={(event) => change({ title: event.currentTarget.value })}
            />
            <Textarea
              label={t("replies.text")}
              required
              autosize
              minRows={2}
              maxRows={8}
              maxLength={LONGEST}
              value={row.text}
              onChange={(event) => change({ text: event.currentTarget.value })}
            />
          </>
        )}
      </Rows>
      <SaveBar saving={saving} />
    </Form>
  );
}
