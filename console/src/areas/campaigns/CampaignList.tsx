import "./campaigns.css";
import { Badge, Button, Skeleton, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { campaignsQuery } from "../../api/campaigns.ts";
import { moment } from "../../i18n/format.ts";
import { session } from "../../login/session.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import type { Status } from "./queries.ts";

const COLORS: Partial<Record<Status, string>> = { running: "leaf", stopped: "red", paused: "yellow" };

/** Whether this person may define and start campaigns; others look at them. */
export function mayWrite(): boolean {
  return session().person.role !== "analyst";
}

/** What a campaign is doing. */
export function StatusBadge({ status }: { status: Status }) {
  const { t } = useTranslation("campaigns");
  return (
    <Badge color={COLORS[status] ?? "gray"} variant="light">
      {t(`status.${status}`)}
    </Badge>
  );
}

/** The organization's campaigns. */
export function CampaignList() {
  const { t } = useTranslation("campaigns");
  const campaigns = useQuery(campaignsQuery());
  return (
    <Page
      title={t("title")}
      actions={
        mayWrite() && (
          <Button component={Link} to="/campaigns/new" leftSection={<Icon name="plus" size={16} />}>
            {t("new")}
          </Button>
        )
      }
    >
      {campaigns.isError && <Problem error={campaigns.error} again={() => void campaigns.refetch()} />}
      {campaigns.isPending && <Skeleton height={200} />}
      {campaigns.data?.length === 0 && <p>{t("none")}</p>}
      {campaigns.data && campaigns.data.length > 0 && (
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("state")}</Table.Th>
              <Table.Th>{t("started")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {campaigns.data.map(({ campaign_id, name, status, started_at, start_at }) => (
              <Table.Tr key={campaign_id}>
                <Table.Td>
                  <Link to={`/campaigns/${campaign_id}`} className="campaign-name">
                    {name}
                  </Link>
                </Table.Td>
                <Table.Td>
                  <StatusBadge status={status} />
                </Table.Td>
                <Table.Td>{(started_at ?? start_at) && moment((started_at ?? start_at)!)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Page>
  );
}
