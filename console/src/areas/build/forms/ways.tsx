import { MultiSelect, NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { ExpressionInput } from "./Completed.tsx";
import { below, NO_ERRORS, type Errors } from "./errors.ts";
import { KEEPING, OPERATORS, WITHOUT_VALUE } from "./fields.ts";
import { ListPart } from "./ListPart.tsx";
import { items, shown, VariablePart } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** When it is open: a named timetable of the organization, or days with hours. */
export function HoursPart({ label, value, onChange, errors, error }: PartProps) {
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
          error={errors[""]}
        >
          {(hours, change, index) => (
            <>
              <MultiSelect
                label={t("form.days")}
                data={DAYS.map((day) => ({ value: day, label: t(`day.${day}`) }))}
                value={(hours["days"] ?? []) as string[]}
                onChange={(days) => change({ ...hours, days })}
                error={errors[`[${index}].days`] ?? errors[`[${index}]`]}
              />
              <div className="build-row">
                <TextInput
                  type="time"
                  label={t("form.opens")}
                  value={shown(hours["opens"])}
                  onChange={(event) => change({ ...hours, opens: event.currentTarget.value })}
                  error={errors[`[${index}].opens`]}
                />
                <TextInput
                  type="time"
                  label={t("form.closes")}
                  value={shown(hours["closes"])}
                  onChange={(event) => change({ ...hours, closes: event.currentTarget.value })}
                  error={errors[`[${index}].closes`]}
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
export function PathsPart({ label, value, onChange, errors }: PartProps) {
  const { t } = useTranslation("build");
  const list = items(value);
  return (
    <ListPart
      label={label}
      add={t("form.addPath")}
      items={list}
      fresh={() => ({ id: String.fromCharCode(97 + list.length) })}
      onChange={(next) => onChange(next ?? [])}
      error={errors[""]}
    >
      {(path, change, index) => (
        <div className="build-row">
          <TextInput
            label={t("field.name")}
            value={shown(path["id"])}
            onChange={(event) => change({ ...path, id: event.currentTarget.value })}
            error={errors[`[${index}].id`] ?? errors[`[${index}]`]}
          />
          <NumberInput
            label={t("field.weight")}
            min={0}
            value={typeof path["weight"] === "number" ? path["weight"] : 1}
            onChange={(next) => change({ ...path, weight: Number(next) })}
            error={errors[`[${index}].weight`]}
          />
        </div>
      )}
    </ListPart>
  );
}

interface ComparisonProps {
  value: Data;
  onChange: (value: Data) => void;
  errors?: Errors;
  nested: PartProps["nested"];
}

/** A variable, an operator and a value. */
export function ComparisonPart({ value, onChange, errors = NO_ERRORS, nested: FieldPart }: ComparisonProps) {
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
        data={OPERATORS.map((one) => ({ value: one, label: t(`operator.${one}`) }))}
        value={operator || null}
        onChange={(next) => onChange({ ...value, operator: next })}
        error={errors["operator"]}
      />
      {!WITHOUT_VALUE.has(operator) &&
        (typeof value["value"] === "object" ? (
          <FieldPart
            field={{ name: "value", kind: "any" }}
            value={value["value"]}
            onChange={(next) => onChange({ ...value, value: next })}
            errors={below(errors, "value")}
          />
        ) : (
          <ExpressionInput
            label={t("form.comparedWith")}
            value={shown(value["value"])}
            onChange={(next) => onChange({ ...value, value: next })}
            error={errors["value"]}
          />
        ))}
      {KEEPING.has(operator) && (
        <VariablePart
          label={t("field.keep_as")}
          value={value["keep_as"]}
          onChange={(next) => onChange(withValue(value, "keep_as", next))}
          error={errors["keep_as"]}
        />
      )}
    </div>
  );
}

/** Several ways, each with its conditions. */
export function BranchesPart({ label, value, onChange, errors, nested }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.addBranch")}
      items={items(value)}
      fresh={() => ({ all: [{ variable: "", operator: "==", value: "" }] })}
      onChange={onChange}
      error={errors[""]}
    >
      {(branch, change, index) => {
        const join = Array.isArray(branch["any"]) ? "any" : "all";
        const list = items(branch[join]);
        const own = below(errors, `[${index}]`);
        return (
          <>
            {list.length > 1 && (
              <Select
                aria-label={t("form.join")}
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
              error={own[""] ?? own[join]}
            >
              {(comparison, changeOne, at) => (
                <ComparisonPart
                  value={comparison}
                  onChange={changeOne}
                  errors={below(own, `${join}[${at}]`)}
                  nested={nested}
                />
              )}
            </ListPart>
          </>
        );
      }}
    </ListPart>
  );
}
