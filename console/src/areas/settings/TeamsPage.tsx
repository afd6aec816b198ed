import { Skeleton, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { putTeams, teamsQuery, type Teams } from "../../api/desk.ts";
import { Form } from "../../ui/Form.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Rows, rowsOf } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";

/** The teams to which flows hand conversations over. */
export function TeamsPage() {
  const { t } = useTranslation("settings");
  const teams = useQuery(teamsQuery());
  return (
    <Page title={t("teams.title")}>
      <p>{t("teams.about")}</p>
      {teams.isError && <Problem error={teams.error} again={() => void teams.refetch()} />}
      {teams.isPending && <Skeleton height={160} />}
      {teams.data && <TeamsForm known={teams.data.data.teams} tag={teams.data.tag} key={teams.data.tag} />}
    </Page>
  );
}

function TeamsForm({ known, tag }: { known: Teams; tag: string }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const [rows, setRows] = useState(() =>
    rowsOf(Object.entries(known).map(([id, { name, members = [] }]) => ({ department: id, name, members }))),
  );
  const ids = rows.map(({ department }) => department.trim());
  const twice = (id: string) => ids.filter((one) => one === id.trim()).length > 1;
  const saving = useMutation({
    mutationFn: () =>
      putTeams(
        Object.fromEntries(
          rows.map(({ department, name, members }) => [department.trim(), { name, members }]),
        ),
        tag,
      ),
    onSuccess: (saved) => queries.setQueryData(teamsQuery().queryKey, saved),
  });
  return (
    <Form
      onSubmit={() => {
        if (!ids.some(twice)) saving.mutate();
      }}
    >
      <Rows
        legend={t("teams.title")}
        isLegendUnseen
        rows={rows}
        empty={{ department: "", name: "", members: [] as string[] }}
        add={t("teams.add")}
        onChange={setRows}
      >
        {(row, change) => (
          <>
            <TextInput
              label={t("teams.id")}
              required
              maxLength={64}
              error={twice(row.department) ? t("twice") : undefined}
              value={row.department}
              onChange={(event) => change({ department: event.currentTarget.value })}
            />
            <TextInput
              label={t("teams.name")}
              required
              maxLength={100}
              value={row.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
            />
            <TagsInput
              label={t("teams.members")}
              value={row.members}
              acceptValueOnBlur
              onChange={(members) => change({ members })}
            />
          </>
        )}
      </Rows>
      <SaveBar saving={saving} />
    </Form>
  );
}
