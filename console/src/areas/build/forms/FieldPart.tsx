import { NumberInput, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { flowsQuery } from "../../../api/flows.ts";
import { later } from "../../../ui/later.tsx";
import { ExpressionInput } from "./Completed.tsx";
import { ActionsPart, FieldsPart, ObjectPart, ValidationPart } from "./compound.tsx";
import { joined, NO_ERRORS } from "./errors.ts";
import { CHOICES, type Kind } from "./fields.ts";
import { MediaPart, PairsPart, SecondsPart, shown, StringsPart, VariablePart } from "./parts.tsx";
import { OptionsPart } from "./options.tsx";
import { TextPart, type FieldProps, type PartProps } from "./TextPart.tsx";
import { BranchesPart, HoursPart, PathsPart } from "./ways.tsx";

function LinePart({ label, about, value, onChange, error }: PartProps) {
  return (
    <ExpressionInput
      label={label}
      description={about}
      value={shown(value)}
      onChange={onChange}
      error={error}
    />
  );
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

/** One of a few values, by their names in the person's language. */
function ChoicePart({ field, label, value, onChange, error }: PartProps) {
  const { t, i18n } = useTranslation("build");
  const { values, usual } = CHOICES[field.name]!;
  const name = (one: string) => {
    const key = `choice.${field.name}.${one}`;
    return i18n.exists(key, { ns: "build" }) ? t(key as "choice.priority.low") : one;
  };
  return (
    <Select
      label={label}
      clearable={!usual}
      data={values.map((one) => ({ value: one, label: name(one) }))}
      value={shown(value) || (usual ?? null)}
      onChange={(next) => onChange(next ?? undefined)}
      error={error}
    />
  );
}

// Parts that few nodes have are loaded when the first one is shown.
const values = () => import("./values.tsx");

const PARTS: Record<Exclude<Kind, "comparison" | "template">, ComponentType<PartProps>> = {
  line: LinePart,
  text: TextPart,
  variable: VariablePart,
  number: NumberPart,
  seconds: SecondsPart,
  switch: SwitchPart,
  on: OnPart,
  any: later(async () => (await values()).AnyPart),
  group: later(async () => (await values()).GroupPart),
  types: later(async () => (await values()).TypesPart),
  flow: FlowPart,
  hours: HoursPart,
  media: MediaPart,
  options: OptionsPart,
  validation: ValidationPart,
  branches: BranchesPart,
  pairs: PairsPart,
  actions: ActionsPart,
  paths: PathsPart,
  strings: StringsPart,
  choices: later(async () => (await values()).ChoicesPart),
  choice: ChoicePart,
  object: ObjectPart,
  part: ObjectPart,
  list: FieldsPart,
  cards: later(async () => (await import("./cards.tsx")).CardsPart),
};

/** One field of a node, by its kind. */
export function FieldPart({ field, errors = NO_ERRORS, ...rest }: FieldProps) {
  const { t, i18n } = useTranslation("build");
  const Part = PARTS[field.kind as keyof typeof PARTS];
  const word = field.word ?? field.name;
  return (
    <Part
      field={field}
      label={t(`field.${word as "text"}`)}
      about={i18n.exists(`about.${word}`, { ns: "build" }) ? t(`about.${word as "data"}`) : undefined}
      nested={FieldPart}
      errors={errors}
      error={joined(errors)}
      {...rest}
    />
  );
}
