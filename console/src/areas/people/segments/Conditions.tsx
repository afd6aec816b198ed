import { NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../../api/flows.ts";
import { Rows, type Row } from "../../../ui/Rows.tsx";
import {
  FIRST,
  isConsent,
  isFlow,
  isTime,
  KINDS,
  needsValue,
  operatorsOf,
  withKind,
  type Line,
} from "./conditions.ts";

const STATES = ["granted", "withdrawn", "unknown"] as const;

interface ConditionsProps {
  legend: string;
  rows: Row<Line>[];
  onChange: (rows: Row<Line>[]) => void;
}

/** Conditions of a segment, one on a line. */
export function Conditions({ legend, rows, onChange }: ConditionsProps) {
  const { t } = useTranslation("people");
  return (
    <Rows legend={legend} rows={rows} onChange={onChange} empty={FIRST} add={t("segments.addCondition")}>
      {(row, change) => <LineFields line={row} change={change} />}
    </Rows>
  );
}

interface LineProps {
  line: Line;
  change: (changed: Partial<Line>) => void;
}

function LineFields({ line, change }: LineProps) {
  const { t } = useTranslation("people");
  const { kind } = line;
  const group = isTime(kind) ? "time" : isFlow(kind) ? "flow" : "operator";
  return (
    <>
      <NativeSelect
        aria-label={t("segments.what")}
        value={kind}
        data={KINDS.map((value) => ({ value, label: t(`segments.kind.${kindKey(value)}`) }))}
        onChange={(event) =>
          change(withKind(line, KINDS.find((one) => one === event.currentTarget.value) ?? kind))
        }
      />
      {kind === "fields" && (
        <TextInput
          aria-label={t("field")}
          placeholder={t("field")}
          required
          value={line.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
      )}
      <NativeSelect
        aria-label={t("segments.comparison")}
        value={line.operator}
        data={operatorsOf(kind).map((value) => ({
          value,
          label: t(`segments.${group}.${value}` as "segments.operator.=="),
        }))}
        onChange={(event) => {
          const operator = operatorsOf(kind).find((one) => one === event.currentTarget.value);
          if (operator) change({ operator });
        }}
      />
      {needsValue(line) && <ValueField line={line} change={change} />}
      {isFlow(kind) && (
        <NumberInput
          aria-label={t("segments.days")}
          prefix={`${t("segments.within")} `}
          suffix={` ${t("segments.daysUnit")}`}
          min={1}
          max={365}
          required
          value={line.days}
          onChange={(days) => change({ days: days === "" ? "" : Number(days) })}
        />
      )}
    </>
  );
}

/** The key of a kind's name: i18next reads a dot as a level. */
function kindKey<Name extends string>(kind: Name) {
  return kind.replace(".", "_") as Name extends `${infer First}.${infer Second}`
    ? `${First}_${Second}`
    : Name;
}

function ValueField({ line, change }: LineProps) {
  const { t } = useTranslation("people");
  const flows = useQuery({ ...flowsQuery(), enabled: isFlow(line.kind) });
  const label = t("value");
  if (isFlow(line.kind))
    return (
      <NativeSelect
        aria-label={t("segments.flowName")}
        required
        value={line.value}
        data={[
          { value: "", label: "" },
          ...(flows.data ?? []).map(({ flow_id, name }) => ({ value: flow_id, label: name })),
        ]}
        onChange={(event) => change({ value: event.currentTarget.value })}
      />
    );
  if (isConsent(line.kind))
    return (
      <NativeSelect
        aria-label={label}
        value={line.value}
        data={STATES.map((value) => ({ value, label: t(`state.${value}`) }))}
        onChange={(event) => change({ value: event.currentTarget.value })}
      />
    );
  if (isTime(line.kind))
    return (
      <NumberInput
        aria-label={label}
        suffix={` ${t("segments.daysUnit")}`}
        min={0}
        required
        value={line.value}
        onChange={(days) => change({ value: String(days) })}
      />
    );
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      required
      value={line.value}
      onChange={(event) => change({ value: event.currentTarget.value })}
    />
  );
}
