import "./list.css";
import { ActionIcon, Badge, Button, Menu, NativeSelect, Skeleton, Table, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useColleagues } from "../../../api/colleagues.ts";
import { Link, useNavigate } from "react-router";
import { moment } from "../../../i18n/format.ts";
import { locale } from "../../../i18n/words.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { found } from "../../../ui/search.ts";
import { flowsQuery, type FlowSummary } from "../../../api/flows.ts";
import { duplicateFlow, fileFlow } from "../queries.ts";
import { freeId } from "./create.ts";
import { FilingDialog } from "./FilingDialog.tsx";
import { ImportDialog } from "./ImportDialog.tsx";
import { NewFlow } from "./NewFlow.tsx";

/** What the list shows: all flows in use, those of a folder, or the archived ones. */
const ALL = "all";
const ARCHIVED = "archived";
const FOLDER = "folder:";

function isIn({ archived, folder }: FlowSummary, place: string): boolean {
  if (place === ARCHIVED) return archived;
  return !archived && (place === ALL || folder === place.slice(FOLDER.length));
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted((one, other) => one.localeCompare(other, locale()));
}

/** The organization's flows: search, file, create, duplicate, import. */
export function FlowList() {
  const { t } = useTranslation("build");
  const flows = useQuery(flowsQuery());
  const [search, setSearch] = useState("");
  const [dialog, setDialog] = useState<"new" | "import">();
  const [place, setPlace] = useState(ALL);
  const all = flows.data ?? [];
  const folders = distinct(all.flatMap(({ archived, folder }) => (folder && !archived ? [folder] : [])));
  const shown = found(
    all.filter((flow) => isIn(flow, place)),
    search,
    (flow) => [flow.name, flow.flow_id, flow.folder ?? "", ...flow.tags].join(" "),
  );
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
      <div className="build-filters">
        <TextInput
          type="search"
          aria-label={t("flows.search")}
          placeholder={t("flows.search")}
          leftSection={<Icon name="search" size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <NativeSelect
          aria-label={t("flows.place")}
          value={place}
          data={[
            { value: ALL, label: t("flows.all") },
            ...folders.map((folder) => ({ value: FOLDER + folder, label: folder })),
            { value: ARCHIVED, label: t("flows.archived") },
          ]}
          onChange={(event) => setPlace(event.currentTarget.value)}
        />
      </div>
      {flows.isError && <Problem error={flows.error} again={() => void flows.refetch()} />}
      {flows.isPending && <Skeleton height={220} />}
      {flows.isSuccess && shown.length === 0 && (
        <p>{t(search || place !== ALL ? "flows.noneFound" : "flows.none")}</p>
      )}
      {shown.length > 0 && <FlowTable flows={shown} all={all} folders={folders} />}
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

interface FlowTableProps {
  flows: FlowSummary[];
  all: FlowSummary[];
  folders: string[];
}

function FlowTable({ flows, all, folders }: FlowTableProps) {
  const { t } = useTranslation("build");
  const { nameOf } = useColleagues();
  const client = useQueryClient();
  const navigate = useNavigate();
  const duplicate = useMutation({
    mutationFn: async (flow: FlowSummary) => {
      const id = freeId(
        flow.flow_id,
        all.map(({ flow_id }) => flow_id),
      );
      await duplicateFlow(flow.flow_id, { flow_id: id, name: t("flows.copyOf", { name: flow.name }) });
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      await navigate(`/build/${id}`);
    },
  });
  const [filed, setFiled] = useState<FlowSummary>();
  const archive = useMutation({
    mutationFn: (flow: FlowSummary) => fileFlow(flow, { archived: !flow.archived }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["flows"] }),
  });
  return (
    <>
      {duplicate.isError && <Problem error={duplicate.error} />}
      {archive.isError && <Problem error={archive.error} />}
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
                <div className="quiet">{[flow.flow_id, flow.folder].filter(Boolean).join(" · ")}</div>
                {flow.tags.map((tag) => (
                  <Badge key={tag} color="gray" variant="light" mr={4} className="build-badge">
                    {tag}
                  </Badge>
                ))}
              </Table.Td>
              <Table.Td>
                {flow.published_version ? (
                  <Badge color="leaf" variant="light" className="build-badge build-state">
                    {t("flows.published", { version: flow.published_version })}
                  </Badge>
                ) : (
                  <Badge color="gray" className="build-badge build-state">
                    {t("flows.draft")}
                  </Badge>
                )}
              </Table.Td>
              <Table.Td className="build-wide">
                {moment(flow.updated_at)}
                {flow.updated_by && <div className="quiet">{nameOf(flow.updated_by)}</div>}
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
                    <Menu.Item onClick={() => setFiled(flow)}>{t("flows.file")}</Menu.Item>
                    <Menu.Item onClick={() => archive.mutate(flow)}>
                      {t(flow.archived ? "flows.unarchive" : "flows.archive")}
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {filed && (
        <FilingDialog
          flow={filed}
          folders={folders}
          tags={distinct(all.flatMap(({ tags }) => tags))}
          onClose={() => setFiled(undefined)}
        />
      )}
    </>
  );
}
