import { Select, Switch } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { below } from "./errors.ts";
import { ACTIONS, LISTS, OBJECTS, type Field } from "./fields.ts";
import { ListPart } from "./ListPart.tsx";
import { items, shown } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";

/** In the order of the list that people choose from. */
export const VALIDATORS = [
  "text",
  "number",
  "email",
  "phone",
  "date",
  "choice",
  "regex",
  "location",
  "media",
  "contacts",
  "order",
  "any",
] as const;

const LIMITS: Record<string, Field[]> = {
  text: [
    { name: "min_length", kind: "number" },
    { name: "max_length", kind: "number" },
  ],
  number: [
    { name: "min", kind: "line" },
    { name: "max", kind: "line" },
    { name: "integer", kind: "switch" },
  ],
  date: [
    { name: "min", kind: "line" },
    { name: "max", kind: "line" },
  ],
  phone: [{ name: "country", kind: "line" }],
  regex: [{ name: "pattern", kind: "line" }],
  choice: [{ name: "choices", kind: "choices" }],
  media: [{ name: "choices", kind: "strings" }],
};

const ALL: Field[] = [
  { name: "error_message", kind: "line" },
  { name: "find", kind: "switch" },
];

interface FieldsProps extends Pick<PartProps, "errors" | "nested"> {
  fields: readonly Field[];
  value: Data;
  onChange: (value: Data) => void;
}

/** The fields of an object, each with what is wrong with it. */
export function Fields({ fields, value, onChange, errors, nested: FieldPart }: FieldsProps) {
  return fields.map((field) => (
    <FieldPart
      key={field.name}
      field={field}
      value={value[field.name]}
      onChange={(next) => onChange(withValue(value, field.name, next))}
      errors={below(errors, field.name)}
    />
  ));
}

/** Which answers a question accepts. */
export function ValidationPart({ label, value, onChange, errors, nested }: PartProps) {
  const { t } = useTranslation("build");
  const validation = (value ?? {}) as Data;
  const type = shown(validation["type"]);
  return (
    <fieldset className="build-list">
      <legend>{label}</legend>
      <Select
        clearable
        aria-label={label}
        placeholder={t("form.anyAnswer")}
        data={VALIDATORS.map((one) => ({ value: one, label: t(`validator.${one}`) }))}
        value={type || null}
        onChange={(next) => onChange(next ? { type: next } : undefined)}
        error={errors[""] ?? errors["type"]}
      />
      {type && (
        <Fields
          key={type}
          fields={[...(LIMITS[type] ?? []), ...ALL]}
          value={validation}
          onChange={onChange}
          errors={errors}
          nested={nested}
        />
      )}
    </fieldset>
  );
}

/** A part of a node with fields of its own; unless it is always there, it is while its switch is on. */
export function ObjectPart({ label, field, value, onChange, errors, nested }: PartProps) {
  const part = value as Data | undefined;
  const always = field.kind === "part";
  return (
    <fieldset className="build-list">
      {always ? (
        <legend>{label}</legend>
      ) : (
        <Switch
          label={label}
          checked={!!part}
          error={errors[""]}
          onChange={(event) => onChange(event.currentTarget.checked ? {} : undefined)}
        />
      )}
      {(part ?? always) && (
        <Fields
          fields={OBJECTS[field.name] ?? []}
          value={part ?? {}}
          onChange={onChange}
          errors={errors}
          nested={nested}
        />
      )}
    </fieldset>
  );
}

/** A list of entries with the same fields. */
export function FieldsPart({ label, field, value, onChange, errors, nested }: PartProps) {
  const { t, i18n } = useTranslation("build");
  const { fields, fresh } = LISTS[field.name]!;
  const add = `form.addTo.${field.name}`;
  return (
    <ListPart
      label={label}
      add={t(i18n.exists(add, { ns: "build" }) ? (add as "form.add") : "form.add")}
      items={items(value)}
      fresh={() => fresh}
      onChange={onChange}
      error={errors[""]}
    >
      {(item, change, index) => (
        <Fields
          fields={fields}
          value={item}
          onChange={change}
          errors={below(errors, `[${index}]`)}
          nested={nested}
        />
      )}
    </ListPart>
  );
}

/** What is done one after the other. */
export function ActionsPart({ label, value, onChange, errors, nested }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.addAction")}
      items={items(value)}
      fresh={() => ({ type: "set_variable" })}
      onChange={(next) => onChange(next ?? [])}
      error={errors[""]}
    >
      {(action, change, index) => {
        const type = shown(action["type"]) as keyof typeof ACTIONS;
        return (
          <>
            <Select
              label={t("form.actionType")}
              data={(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).map((one) => ({
                value: one,
                label: t(`action.${one}`),
              }))}
              value={type}
              onChange={(next) => change({ type: next })}
            />
            <Fields
              key={type}
              fields={ACTIONS[type] ?? []}
              value={action}
              onChange={change}
              errors={below(errors, `[${index}]`)}
              nested={nested}
            />
          </>
        );
      }}
    </ListPart>
  );
}
