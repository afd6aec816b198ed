import "../campaigns.css";
import { Badge, Button, Skeleton, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { sequencesQuery } from "../../../api/sequences.ts";
import { count } from "../../../i18n/format.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { ChangesLink } from "../../../ui/ChangesLink.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";

/** Whether a sequence sends its follow-ups. */
export function EnabledBadge({ enabled }: { enabled: boolean }) {
  const { t } = useTranslation("campaigns");
  return (
    <Badge color={enabled ? "leaf" : "yellow"} variant="light">
      {t(enabled ? "status.running" : "status.paused")}
    </Badge>
  );
}

/** The organization's sequences. */
export function SequenceList() {
  const { t } = useTranslation("campaigns");
  const sequences = useQuery(sequencesQuery());
  return (
    <Page
      title={t("sequences.title")}
      actions={
        <Button component={Link} to="/campaigns/sequences/new" leftSection={<Icon name="plus" size={16} />}>
          {t("sequences.new")}
        </Button>
      }
    >
      {sequences.isError && <Problem error={sequences.error} again={() => void sequences.refetch()} />}
      {sequences.isPending && <Skeleton height={200} />}
      {sequences.data?.length === 0 && <p>{t("sequences.none")}</p>}
      {sequences.data && sequences.data.length > 0 && (
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("sequences.follows")}</Table.Th>
              <Table.Th>{t("sequences.steps")}</Table.Th>
              <Table.Th>{t("state")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sequences.data.map(({ id, name, on, steps, enabled }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <Link to={`/campaigns/sequences/${encodeURIComponent(id)}`} className="campaign-name">
                    {name}
                  </Link>
                </Table.Td>
                <Table.Td>{on.field ?? t("sequences.silence")}</Table.Td>
                <Table.Td>{count(steps.length)}</Table.Td>
                <Table.Td>
                  <EnabledBadge enabled={enabled} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <ChangesLink of="sequences" />
    </Page>
  );
}
