import { Button, PasswordInput, Skeleton, Table, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { announce } from "../../ui/announce.ts";
import { Icon } from "../../ui/Icon.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { deleteSecret, putSecret, secretsQuery } from "./queries.ts";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Form } from "../../ui/Form.tsx";

interface Draft {
  name: string;
  hosts: string[];
  isNew: boolean;
}

/** Tokens and passwords for API calls of flows. Their values are never shown. */
export function SecretsPage() {
  const { t } = useTranslation("settings");
  const secrets = useQuery(secretsQuery());
  const [draft, setDraft] = useState<Draft>();
  return (
    <Page
      title={t("secrets.title")}
      actions={
        <Button
          leftSection={<Icon name="plus" size={16} />}
          onClick={() => setDraft({ name: "", hosts: [], isNew: true })}
        >
          {t("secrets.add")}
        </Button>
      }
    >
      <p>{t("secrets.about")}</p>
      {secrets.isError && <Problem error={secrets.error} again={() => void secrets.refetch()} />}
      {secrets.isPending && <Skeleton height={160} />}
      {secrets.data?.length === 0 && <p>{t("secrets.none")}</p>}
      {secrets.data && secrets.data.length > 0 && (
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("secrets.name")}</Table.Th>
              <Table.Th>{t("secrets.hosts")}</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {secrets.data.map(({ name, hosts }) => (
              <Table.Tr key={name}>
                <Table.Td>
                  <code>{name}</code>
                </Table.Td>
                <Table.Td>{hosts.join(", ")}</Table.Td>
                <Table.Td className="settings-actions">
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={t("secrets.changeOne", { name })}
                    onClick={() => setDraft({ name, hosts, isNew: false })}
                  >
                    {t("change")}
                  </Button>
                  <Removal name={name} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Dialog
        opened={draft !== undefined}
        onClose={() => setDraft(undefined)}
        title={t(draft?.isNew ? "secrets.add" : "secrets.change")}
        centered
      >
        {draft && <SecretForm draft={draft} done={() => setDraft(undefined)} />}
      </Dialog>
      <ChangesLink of="secrets" />
    </Page>
  );
}

function SecretForm({ draft, done }: { draft: Draft; done: () => void }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const [form, setForm] = useState({ name: draft.name, hosts: draft.hosts, value: "" });
  const saving = useMutation({
    mutationFn: putSecret,
    onSuccess: async () => {
      announce(common("saved"));
      await queries.invalidateQueries({ queryKey: ["secrets"] });
      done();
    },
  });
  return (
    <Form onSubmit={() => saving.mutate(form)}>
      <TextInput
        label={t("secrets.name")}
        description={t("secrets.nameAbout")}
        required
        disabled={!draft.isNew}
        value={form.name}
        onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
      />
      <PasswordInput
        label={t("secrets.value")}
        required
        autoComplete="off"
        value={form.value}
        onChange={(event) => setForm({ ...form, value: event.currentTarget.value })}
      />
      <TagsInput
        label={t("secrets.hosts")}
        description={t("secrets.hostsAbout")}
        value={form.hosts}
        splitChars={[",", " "]}
        acceptValueOnBlur
        onChange={(hosts) => setForm({ ...form, hosts })}
      />
      <SaveBar saving={saving} />
    </Form>
  );
}

function Removal({ name }: { name: string }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const [sure, setSure] = useState(false);
  const deleting = useMutation({
    mutationFn: () => deleteSecret(name),
    onSettled: () => queries.invalidateQueries({ queryKey: ["secrets"] }),
  });
  return (
    <Button
      size="xs"
      variant={sure ? "filled" : "subtle"}
      color="red"
      loading={deleting.isPending}
      aria-label={t(sure ? "secrets.sureOne" : "secrets.removeOne", { name })}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? deleting.mutate() : setSure(true))}
    >
      {sure ? t("sure") : common("remove")}
    </Button>
  );
}
