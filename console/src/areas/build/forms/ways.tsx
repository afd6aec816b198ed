import { MultiSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { OPERATORS, WITHOUT_VALUE } from "./fields.ts";
import { ExpressionInput } from "./Completed.tsx";
import { ListPart } from "./ListPart.tsx";
import { items, shown, VariablePart } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** When it is open: a named timetable of the organization, or days with hours. */
export function HoursPart({ label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const named = typeof value === "string";
  return (
    <>
      <Switch
        label={t("form.namedHours")}
        checked={named}
        onChange={(event) => onChange(event.currentTarget.checked ? "default" : [])}
      />
      {named ? (
        <TextInput
          label={t("form.timetable")}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
          error={error}
        />
      ) : (
        <ListPart
          label={label}
          add={t("form.addHours")}
          items={items(value)}
          fresh={() =>
            ({ days: ["mon", "tue", "wed", "thu", "fri"], opens: "08:00", closes: "18:00" }) as Data
          }
          onChange={(next) => onChange(next ?? [])}
        >
          {(hours, change) => (
            <>
              <MultiSelect
                label={t("form.days")}
                data={DAYS.map((day) => ({ value: day, label: t(`day.${day}`) }))}
                value={(hours["days"] ?? []) as string[]}
                onChange={(days) => change({ ...hours, days })}
              />
              <div className="build-row">
                <TextInput
                  type="time"
                  label={t("form.opens")}
                  value={shown(hours["opens"])}
                  onChange={(event) => change({ ...hours, opens: event.currentTarget.value })}
                />
                <TextInput
                  type="time"
                  label={t("form.closes")}
                  value={shown(hours["closes"])}
                  onChange={(event) => change({ ...hours, closes: event.currentTarget.value })}
                />
              </div>
            </>
          )}
        </ListPart>
      )}
    </>
  );
}

/** The ways of a random choice and their weights. */
export function PathsPart({ label, value, onChange }: PartProps) {
  const { t } = useTranslation("build");
  const list = items(value);
  return (
    <ListPart
      label={label}
      add={t("form.addPath")}
      items={list}
      fresh={() => ({ id: String.fromCharCode(97 + list.length) })}
      onChange={(next) => onChange(next ?? [])}
    >
      {(path, change) => (
        <div className="build-row">
          <TextInput
            label={t("field.name")}
            value={shown(path["id"])}
            onChange={(event) => change({ ...path, id: event.currentTarget.value })}
          />
          <NumberInput
            label={t("field.weight")}
            min={0}
            value={typeof path["weight"] === "number" ? path["weight"] : 1}
            onChange={(next) => change({ ...path, weight: Number(next) })}
          />
        </div>
      )}
    </ListPart>
  );
}

/** The inputs of a flow that other flows start. */
export function ParametersPart({ label, value, onChange }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.add")}
      items={items(value)}
      fresh={() => ({ name: "" }) as Data}
      onChange={onChange}
    >
      {(parameter, change) => (
        <>
          <TextInput
            label={t("field.name")}
            value={shown(parameter["name"])}
            onChange={(event) => change({ ...parameter, name: event.currentTarget.value })}
          />
          <Switch
            label={t("field.required")}
            checked={parameter["required"] === true}
            onChange={(event) =>
              change(withValue(parameter, "required", event.currentTarget.checked || undefined))
            }
          />
        </>
      )}
    </ListPart>
  );
}

interface ComparisonProps {
  value: Data;
  onChange: (value: Data) => void;
  /** What is wrong with the variable and the value. */
  errors?: Readonly<Record<string, string>>;
}

const NO_ERRORS: Readonly<Record<string, string>> = {};

/** A variable, an operator and a value. */
export function ComparisonPart({ value, onChange, errors = NO_ERRORS }: ComparisonProps) {
  const { t } = useTranslation("build");
  const operator = shown(value["operator"]);
  return (
    <div className="build-comparison">
      <VariablePart
        label={t("form.compared")}
        value={value["variable"]}
        onChange={(next) => onChange({ ...value, variable: next })}
        error={errors["variable"]}
      />
      <Select
        label={t("field.operator")}
        allowDeselect={false}
        data={OPERATORS.map((one) => ({ value: one, label: t(`operator.${one}`) }))}
        value={operator || null}
        onChange={(next) => onChange({ ...value, operator: next })}
      />
      {!WITHOUT_VALUE.has(operator) && (
        <ExpressionInput
          label={t("form.comparedWith")}
          value={shown(value["value"])}
          onChange={(next) => onChange({ ...value, value: next })}
          error={errors["value"]}
        />
      )}
    </div>
  );
}

/** Several ways, each with its conditions. */
export function BranchesPart({ label, value, onChange }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.addBranch")}
      items={items(value)}
      fresh={() => ({ all: [{ variable: "", operator: "==", value: "" }] })}
      onChange={onChange}
    >
      {(branch, change) => {
        const join = Array.isArray(branch["any"]) ? "any" : "all";
        const list = items(branch[join]);
        return (
          <>
            {list.length > 1 && (
              <Select
                aria-label={t("form.join")}
                allowDeselect={false}
                data={[
                  { value: "all", label: t("form.all") },
                  { value: "any", label: t("form.any") },
                ]}
                value={join}
                onChange={(next) => {
                  const { all: _all, any: _any, ...rest } = branch;
                  change({ ...rest, [next ?? "all"]: list });
                }}
              />
            )}
            <ListPart
              label={t("form.conditions")}
              add={t("form.addCondition")}
              items={list}
              fresh={() => ({ variable: "", operator: "==", value: "" }) as Data}
              onChange={(next) => change({ ...branch, [join]: next ?? [] })}
            >
              {(comparison, changeOne) => <ComparisonPart value={comparison} onChange={changeOne} />}
            </ListPart>
          </>
        );
      }}
    </ListPart>
  );
}
