import { Alert, NativeSelect, Table, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { locale } from "../../i18n/words.ts";
import { count, percent } from "../../i18n/format.ts";
import { AsOf, Part } from "./parts.tsx";
import { experimentsQuery, type Asked, type Experiment, type Experiments as Found } from "./queries.ts";

const PAUSE = 300; // milliseconds without a key
const GOALS = ["completed", "handed_off", "event", "node"] as const;
const NAMED: ReadonlySet<string> = new Set(["event", "node"]);
const EFFECTS = [0.005, 0.01, 0.02, 0.05, 0.1] as const;
const POINTS = 100;

type Path = Experiment["paths"][number];

interface ExperimentsProps {
  asked: Asked;
  /** As the API takes it, such as `event:paid`. */
  goal: string;
  effect: string;
  set: (changed: Record<string, string>) => void;
}

/** The paths of the flow's random nodes, compared by what people reached. */
export function Experiments({ asked, goal, effect, set }: ExperimentsProps) {
  const { t } = useTranslation("measure");
  const kind = GOALS.find((one) => one === goal.split(":")[0]) ?? "completed";
  const isNamed = NAMED.has(kind);
  const name = isNamed ? goal.slice(kind.length + 1) : "";
  const smallest = EFFECTS.find((one) => String(one) === effect) ?? 0.02;
  const [settled] = useDebouncedValue(name.trim(), PAUSE);
  return (
    <div className="measure-parts">
      <div className="measure-line">
        <NativeSelect
          label={t("experiments.goal")}
          value={kind}
          data={GOALS.map((value) => ({ value, label: t(`experiments.goals.${value}`) }))}
          onChange={({ currentTarget: { value } }) => set({ goal: NAMED.has(value) ? `${value}:` : value })}
        />
        {isNamed && (
          <TextInput
            label={t(kind === "event" ? "experiments.event" : "experiments.node")}
            maxLength={200}
            value={name}
            onChange={(event) => set({ goal: `${kind}:${event.currentTarget.value}` })}
          />
        )}
        <NativeSelect
          label={t("experiments.smallest")}
          value={String(smallest)}
          data={EFFECTS.map((value) => ({ value: String(value), label: points(value) }))}
          onChange={(event) => set({ effect: event.currentTarget.value })}
        />
      </div>
      {isNamed && !(name.trim() && settled) ? (
        <p>{t("experiments.unnamed")}</p>
      ) : (
        <Compared asked={asked} goal={isNamed ? `${kind}:${settled}` : kind} smallest={smallest} />
      )}
    </div>
  );
}

/** A share as percentage points. */
function points(share: number, signed = false): string {
  const format = new Intl.NumberFormat(locale(), {
    maximumFractionDigits: 1,
    signDisplay: signed ? "exceptZero" : "auto",
  });
  return format.format(share * POINTS);
}

interface ComparedProps {
  asked: Asked;
  goal: string;
  smallest: number;
}

function Compared({ asked, goal, smallest }: ComparedProps) {
  const { t } = useTranslation("measure");
  const experiments = useQuery(experimentsQuery(asked, goal, smallest));
  return (
    <Part about={t("experiments.about")} result={experiments}>
      {(found) => (
        <>
          {found.nodes.length === 0 && <p>{t("experiments.none")}</p>}
          {found.nodes.map((node) => (
            <Node key={node.node_id} node={node} found={found} />
          ))}
          {found.nodes.length > 0 && (
            <p className="quiet">{t("experiments.error", { share: percent(found.alpha) })}</p>
          )}
          <AsOf time={found.as_of} />
        </>
      )}
    </Part>
  );
}

/** One random node: is a path better, and may the comparison be believed? */
function Node({ node, found }: { node: Experiment; found: Found }) {
  const { t } = useTranslation("measure");
  const { paths, people_needed: needed, people_in_several_paths: several } = node;
  return (
    <section aria-label={node.node_id}>
      <h2>{node.node_id}</h2>
      {node.sample_ratio_mismatch && (
        <Alert color="red" title={t("experiments.mismatch")} mb="sm">
          {t("experiments.mismatchText")}
        </Alert>
      )}
      <Table className="measure-table" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("experiments.path")}</Table.Th>
            <Table.Th>{t("number.people")}</Table.Th>
            <Table.Th>{t("experiments.reached")}</Table.Th>
            <Table.Th>{t("experiments.difference")}</Table.Th>
            <Table.Th>{t("experiments.result")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {paths.map((path, index) => (
            <Table.Tr key={path.path}>
              <Table.Td>{path.path}</Table.Td>
              <Table.Td>{count(path.people)}</Table.Td>
              <Table.Td>
                {count(path.reached)} ({percent(path.share)})
              </Table.Td>
              <Table.Td>
                <Difference path={path} />
              </Table.Td>
              <Table.Td>
                {index === 0
                  ? t("experiments.base")
                  : t(`experiments.verdict.${node.sample_ratio_mismatch ? "doubtful" : path.verdict}`)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {needed !== null && (
        <p className="quiet">
          {t("experiments.needed", { people: count(needed), points: points(found.smallest_effect) })}
        </p>
      )}
      {several > 0 && (
        <p className="quiet">{t("experiments.several", { count: several, number: count(several) })}</p>
      )}
    </section>
  );
}

function Difference({ path: { difference } }: { path: Path }) {
  const { t } = useTranslation("measure");
  if (difference === null) return "–";
  const { estimate, low, high } = difference;
  return t("experiments.interval", {
    estimate: points(estimate, true),
    low: points(low, true),
    high: points(high, true),
  });
}
