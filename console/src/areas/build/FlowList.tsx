import { Badge, Skeleton, Table, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/Icon.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { found } from "../../ui/search.ts";
import { flowsQuery, type FlowSummary } from "./queries.ts";

/** The organization's flows. */
export function FlowList() {
  const { t } = useTranslation("build");
  const flows = useQuery(flowsQuery());
  const [search, setSearch] = useState("");
  const shown = found(flows.data ?? [], search, (flow) => `${flow.name} ${flow.flow_id}`);
  return (
    <Page title={t("flows.title")}>
      <TextInput
        type="search"
        mb="md"
        aria-label={t("flows.search")}
        placeholder={t("flows.search")}
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {flows.isError && <Problem error={flows.error} again={() => void flows.refetch()} />}
      {flows.isPending && <Skeleton height={220} />}
      {flows.isSuccess && shown.length === 0 && <p>{t(search ? "flows.noneFound" : "flows.none")}</p>}
      {shown.length > 0 && <FlowTable flows={shown} />}
    </Page>
  );
}

function FlowTable({ flows }: { flows: FlowSummary[] }) {
  const { t } = useTranslation("build");
  return (
    <Table highlightOnHover verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("flows.name")}</Table.Th>
          <Table.Th>{t("flows.state")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {flows.map((flow) => (
          <Table.Tr key={flow.flow_id}>
            <Table.Td>
              <strong>{flow.name}</strong>
              <div className="quiet">{flow.flow_id}</div>
            </Table.Td>
            <Table.Td>
              <FlowState flow={flow} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function FlowState({ flow }: { flow: FlowSummary }) {
  const { t } = useTranslation("build");
  if (!flow.published_version) return <Badge color="gray">{t("flows.draft")}</Badge>;
  return (
    <Badge color="leaf" variant="light">
      {t("flows.published", { version: flow.published_version })}
    </Badge>
  );
}
