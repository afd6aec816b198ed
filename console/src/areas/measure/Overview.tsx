import { Skeleton, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { DailyChart } from "./DailyChart.tsx";
import { count, percent, seconds } from "../../i18n/format.ts";
import { AsOf, Bar, Figures, Part } from "./parts.tsx";
import {
  activityQuery,
  heatmapQuery,
  reportQuery,
  segmentsQuery,
  type Asked,
  type Heatmap,
  type Report,
  type Segments,
} from "./queries.ts";
import { useSteps } from "./useSteps.ts";

const CHART_HEIGHT = 181; // measure.css

/** How a flow did: in numbers, by day, by node, and by how much people write. */
export function Overview({ asked }: { asked: Asked }) {
  const { t } = useTranslation("measure");
  const report = useQuery(reportQuery(asked));
  const activity = useQuery(activityQuery(asked));
  const heatmap = useQuery(heatmapQuery(asked));
  const segments = useQuery(segmentsQuery(asked));
  return (
    <div className="measure-parts">
      <Part result={report} waiting={<Numbers />}>
        {(found) => <Numbers report={found} />}
      </Part>
      <Part title={t("daily")} result={activity} waiting={<Skeleton height={CHART_HEIGHT} />}>
        {(found) => <DailyChart days={found.days} />}
      </Part>
      <Part title={t("nodes.title")} about={t("nodes.about")} result={heatmap}>
        {(found) => <Nodes heatmap={found} flow={asked.flow} />}
      </Part>
      <Part title={t("segments.title")} result={segments}>
        {(found) => <People segments={found} />}
      </Part>
    </div>
  );
}

/** The numbers of a report; each has its place before they are there. */
function Numbers({ report }: { report?: Report }) {
  const { t } = useTranslation("measure");
  const { conversations, messages, duration } = report ?? {};
  const completed =
    conversations && `${count(conversations.completed)} (${percent(conversations.completion_rate)})`;
  const median = duration && (duration.median_seconds === null ? "–" : seconds(duration.median_seconds));
  const shown = [
    ["conversations", counted(conversations?.total)],
    ["completed", completed],
    ["handedOff", counted(conversations?.handed_off)],
    ["expired", counted(conversations?.expired)],
    ["active", counted(conversations?.active)],
    ["people", counted(conversations?.unique_users)],
    ["messages", counted(messages?.total)],
    ["billable", counted(messages?.billable)],
    ["median", median],
  ] as const;
  return (
    <>
      <Figures
        shown={shown.map(([name, value]) => [
          t(`number.${name}`),
          value ?? <Skeleton height="1lh" width="3rem" />,
        ])}
      />
      {report ? <AsOf time={report.as_of} /> : <p>&nbsp;</p>}
    </>
  );
}

function counted(value: number | undefined): string | undefined {
  return value === undefined ? undefined : count(value);
}

function Nodes({ heatmap, flow }: { heatmap: Heatmap; flow: string }) {
  const { t } = useTranslation("measure");
  const { nameOf, placeOf } = useSteps(flow);
  const place = (node: Heatmap["nodes"][number]) =>
    node.flow_id === flow ? placeOf(node.node_id) : Infinity;
  const nodes = heatmap.nodes.toSorted((a, b) => b.visits - a.visits || place(a) - place(b) || 0);
  if (nodes.length === 0) return <p>{t("nodes.none")}</p>;
  return (
    <Table className="measure-table" verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("nodes.node")}</Table.Th>
          <Table.Th>{t("nodes.visits")}</Table.Th>
          <Table.Th>{t("nodes.share")}</Table.Th>
          <Table.Th>{t("nodes.dropOff")}</Table.Th>
          <Table.Th>{t("nodes.stillHere")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {nodes.map((node) => (
          <Table.Tr key={`${node.flow_id}/${node.node_id}`}>
            <Table.Td>
              <span className="measure-step" title={node.node_id}>
                {node.flow_id === flow ? nameOf(node.node_id) : node.node_id}
              </span>
              {node.flow_id !== flow && <span className="quiet"> · {node.flow_id}</span>}
            </Table.Td>
            <Table.Td>{count(node.visits)}</Table.Td>
            <Table.Td>
              <Bar share={node.share} />
            </Table.Td>
            <Table.Td>
              {count(node.drop_off)} ({percent(node.drop_off_rate)})
            </Table.Td>
            <Table.Td>{count(node.still_here)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function People({ segments }: { segments: Segments }) {
  const { t } = useTranslation("measure");
  return (
    <Table className="measure-table" verticalSpacing="xs">
      <Table.Tbody>
        {(["power", "active", "inactive"] as const).map((name) => (
          <Table.Tr key={name}>
            <Table.Th>{t(`segments.${name}`)}</Table.Th>
            <Table.Td>{count(segments.segments[name].count)}</Table.Td>
            <Table.Td>
              <Bar share={segments.segments[name].share} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
