import { NumberInput, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../../api/flows.ts";
import type { Kind } from "./fields.ts";
import { ExpressionInput } from "./Completed.tsx";
import { ActionsPart, ObjectPart, ValidationPart } from "./compound.tsx";
import { JsonPart, MediaPart, PairsPart, SecondsPart, shown, StringsPart, VariablePart } from "./parts.tsx";
import { OptionsPart } from "./options.tsx";
import { TextPart, type FieldProps, type PartProps } from "./TextPart.tsx";
import { BranchesPart, HoursPart, ParametersPart, PathsPart } from "./ways.tsx";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const PRIORITIES = ["low", "normal", "high", "urgent"] as const;

function LinePart({ label, value, onChange, error }: PartProps) {
  return <ExpressionInput label={label} value={shown(value)} onChange={onChange} error={error} />;
}

function NumberPart({ label, value, onChange, error }: PartProps) {
  return (
    <NumberInput
      label={label}
      value={typeof value === "number" ? value : ""}
      onChange={(next) => onChange(typeof next === "number" ? next : undefined)}
      error={error}
    />
  );
}

function SwitchPart({ label, value, onChange }: PartProps) {
  return (
    <Switch
      label={label}
      checked={value === true}
      onChange={(event) => onChange(event.currentTarget.checked || undefined)}
    />
  );
}

/** A switch that is on unless the document says otherwise. */
function OnPart({ label, value, onChange }: PartProps) {
  return (
    <Switch
      label={label}
      checked={value !== false}
      onChange={(event) => onChange(event.currentTarget.checked ? undefined : false)}
    />
  );
}

function FlowPart({ label, value, onChange, error }: PartProps) {
  const flows = useQuery(flowsQuery());
  return (
    <Select
      searchable
      label={label}
      data={(flows.data ?? []).map(({ flow_id, name }) => ({ value: flow_id, label: name }))}
      value={shown(value) || null}
      onChange={(next) => onChange(next ?? "")}
      error={error}
    />
  );
}

function MethodPart({ label, value, onChange }: PartProps) {
  return (
    <Select
      label={label}
      allowDeselect={false}
      data={METHODS}
      value={shown(value) || "GET"}
      onChange={onChange}
    />
  );
}

function PriorityPart({ label, value, onChange }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <Select
      clearable
      label={label}
      data={PRIORITIES.map((one) => ({ value: one, label: t(`priority.${one}`) }))}
      value={shown(value) || null}
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
}

const PARTS: Record<Exclude<Kind, "comparison">, ComponentType<PartProps>> = {
  line: LinePart,
  text: TextPart,
  variable: VariablePart,
  number: NumberPart,
  seconds: SecondsPart,
  switch: SwitchPart,
  on: OnPart,
  value: LinePart,
  flow: FlowPart,
  hours: HoursPart,
  media: MediaPart,
  options: OptionsPart,
  validation: ValidationPart,
  branches: BranchesPart,
  pairs: PairsPart,
  actions: ActionsPart,
  paths: PathsPart,
  parameters: ParametersPart,
  method: MethodPart,
  priority: PriorityPart,
  strings: StringsPart,
  object: ObjectPart,
  json: JsonPart,
};

/** One field of a node, by its kind. */
export function FieldPart({ field, ...rest }: FieldProps) {
  const { t } = useTranslation("build");
  const Part = PARTS[field.kind as Exclude<Kind, "comparison">];
  return <Part field={field} label={t(`field.${field.name as "text"}`)} nested={FieldPart} {...rest} />;
}
