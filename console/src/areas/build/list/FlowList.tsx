import "./list.css";
import { ActionIcon, Badge, Button, Menu, Skeleton, Table, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { api, got } from "../../../api/client.ts";
import type { FlowDocument } from "../../../flow/document.ts";
import { locale } from "../../../i18n/words.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { found } from "../../../ui/search.ts";
import { flowsQuery, type FlowSummary } from "../../../api/flows.ts";
import { saveDraft } from "../queries.ts";
import { freeId } from "./create.ts";
import { ImportDialog } from "./ImportDialog.tsx";
import { NewFlow } from "./NewFlow.tsx";

/** The organization's flows: search, create, duplicate, import. */
export function FlowList() {
  const { t } = useTranslation("build");
  const flows = useQuery(flowsQuery());
  const [search, setSearch] = useState("");
  const [dialog, setDialog] = useState<"new" | "import">();
  const shown = found(flows.data ?? [], search, (flow) => `${flow.name} ${flow.flow_id}`);
  return (
    <Page
      title={t("flows.title")}
      actions={
        <span className="build-actions">
          <Button variant="default" onClick={() => setDialog("import")}>
            {t("flows.import")}
          </Button>
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setDialog("new")}>
            {t("flows.new")}
          </Button>
        </span>
      }
    >
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
      {shown.length > 0 && <FlowTable flows={shown} all={flows.data ?? []} />}
      {dialog === "new" && (
        <NewFlow
          taken={(flows.data ?? []).map(({ flow_id }) => flow_id)}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === "import" && <ImportDialog onClose={() => setDialog(undefined)} />}
    </Page>
  );
}

function FlowTable({ flows, all }: { flows: FlowSummary[]; all: FlowSummary[] }) {
  const { t } = useTranslation("build");
  const client = useQueryClient();
  const navigate = useNavigate();
  const duplicate = useMutation({
    mutationFn: async (flow: FlowSummary) => {
      const draft = await got(
        api.GET("/api/v1/flows/{flow_id}", { params: { path: { flow_id: flow.flow_id } } }),
      );
      const id = freeId(
        flow.flow_id,
        all.map(({ flow_id }) => flow_id),
      );
      await saveDraft(
        { ...(draft.document as unknown as FlowDocument), id, name: t("flows.copyOf", { name: flow.name }) },
        undefined,
      );
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      await navigate(`/build/${id}`);
    },
  });
  return (
    <>
      {duplicate.isError && <Problem error={duplicate.error} />}
      <Table highlightOnHover verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("flows.name")}</Table.Th>
            <Table.Th>{t("flows.state")}</Table.Th>
            <Table.Th className="build-wide">{t("flows.changed")}</Table.Th>
            <Table.Th>
              <span className="unseen">{t("flows.actions")}</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {flows.map((flow) => (
            <Table.Tr key={flow.flow_id}>
              <Table.Td>
                <Link to={`/build/${flow.flow_id}`} className="build-flow">
                  {flow.name}
                </Link>
                <div className="quiet">{flow.flow_id}</div>
              </Table.Td>
              <Table.Td>
                {flow.published_version ? (
                  <Badge color="leaf" variant="light">
                    {t("flows.published", { version: flow.published_version })}
                  </Badge>
                ) : (
                  <Badge color="gray">{t("flows.draft")}</Badge>
                )}
              </Table.Td>
              <Table.Td className="build-wide">
                {new Date(flow.updated_at).toLocaleString(locale(), {
                  dateStyle: "short",
                  timeStyle: "short",
                })}
              </Table.Td>
              <Table.Td>
                <Menu withinPortal position="bottom-end">
                  <Menu.Target>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t("flows.actionsOf", { name: flow.name })}
                    >
                      <Icon name="more" size={18} />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => duplicate.mutate(flow)}>{t("flows.duplicate")}</Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}
