import { NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { count } from "../../i18n/format.ts";
import { Comparison, effectOf, EffectSelect } from "../../ui/Comparison.tsx";
import { AsOf, Part } from "./parts.tsx";
import { experimentsQuery, type Asked, type Experiment, type Experiments as Found } from "./queries.ts";
import { useSteps } from "./useSteps.ts";

const PAUSE = 300; // milliseconds without a key
const GOALS = ["completed", "handed_off", "event", "node"] as const;
const NAMED: ReadonlySet<string> = new Set(["event", "node"]);

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
  const smallest = effectOf(effect);
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
        <EffectSelect value={smallest} set={(value) => set({ effect: value })} />
      </div>
      {isNamed && !(name.trim() && settled) ? (
        <p>{t("experiments.unnamed")}</p>
      ) : (
        <Compared asked={asked} goal={isNamed ? `${kind}:${settled}` : kind} smallest={smallest} />
      )}
    </div>
  );
}

interface ComparedProps {
  asked: Asked;
  goal: string;
  smallest: number;
}

function Compared({ asked, goal, smallest }: ComparedProps) {
  const { t } = useTranslation("measure");
  const experiments = useQuery(experimentsQuery(asked, goal, smallest));
  const { nameOf } = useSteps(asked.flow);
  return (
    <Part about={t("experiments.about")} result={experiments}>
      {(found) => (
        <>
          {found.nodes.length === 0 && <p>{t("experiments.none")}</p>}
          {found.nodes.map((node) => (
            <Node key={node.node_id} name={nameOf(node.node_id)} node={node} found={found} />
          ))}
          <AsOf time={found.as_of} />
        </>
      )}
    </Part>
  );
}

/** One random node: is a path better, and may the comparison be believed? */
function Node({ name, node, found }: { name: string; node: Experiment; found: Found }) {
  const { t } = useTranslation("measure");
  const { paths, people_in_several_paths: several } = node;
  return (
    <section aria-label={name}>
      <h2>{name}</h2>
      <Comparison
        what={t("experiments.path")}
        rows={paths.map((path) => ({ ...path, name: path.path }))}
        judged={node}
        smallest={found.smallest_effect}
        alpha={found.alpha}
      />
      {several > 0 && (
        <p className="quiet">{t("experiments.several", { count: several, number: count(several) })}</p>
      )}
    </section>
  );
}
