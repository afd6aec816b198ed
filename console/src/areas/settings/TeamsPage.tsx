import { Skeleton, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../api/colleagues.ts";
import { putTeams, teamsQuery, type Teams } from "../../api/desk.ts";
import { Form } from "../../ui/Form.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Rows, rowsOf } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";

/** The teams to which flows hand conversations over. */
export function TeamsPage() {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const teams = useQuery(teamsQuery());
  const saving = useMutation({
    mutationFn: (changed: Teams) => putTeams(changed, teams.data?.tag ?? ""),
    onSuccess: (saved) => queries.setQueryData(teamsQuery().queryKey, saved),
  });
  return (
    <Page title={t("teams.title")}>
      <p>{t("teams.about")}</p>
      {teams.isError && <Problem error={teams.error} again={() => void teams.refetch()} />}
      {teams.isPending && <Skeleton height={160} />}
      {teams.data && <TeamsForm known={teams.data.data.teams} saving={saving} key={teams.data.tag} />}
      <ChangesLink of="teams" />
    </Page>
  );
}

interface TeamsFormProps {
  known: Teams;
  saving: UseMutationResult<unknown, Error, Teams>;
}

function TeamsForm({ known, saving }: TeamsFormProps) {
  const { t } = useTranslation("settings");
  const { nameOf, accountOf, agents } = useColleagues();
  const [rows, setRows] = useState(() =>
    rowsOf(Object.entries(known).map(([id, { name, members = [] }]) => ({ department: id, name, members }))),
  );
  const ids = rows.map(({ department }) => department.trim());
  const twice = (id: string) => ids.filter((one) => one === id.trim()).length > 1;
  const changed = () =>
    Object.fromEntries(rows.map(({ department, name, members }) => [department.trim(), { name, members }]));
  return (
    <Form
      onSubmit={() => {
        if (!ids.some(twice)) saving.mutate(changed());
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
              value={row.members.map(nameOf)}
              data={agents.map(nameOf)}
              acceptValueOnBlur
              onChange={(names) => change({ members: names.map(accountOf) })}
            />
          </>
        )}
      </Rows>
      <SaveBar saving={saving} />
    </Form>
  );
}
