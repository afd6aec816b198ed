import { Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { ACTIONS, OBJECTS, type Field } from "./fields.ts";
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
    { name: "min", kind: "value" },
    { name: "max", kind: "value" },
    { name: "integer", kind: "switch" },
  ],
  date: [
    { name: "min", kind: "value" },
    { name: "max", kind: "value" },
  ],
  phone: [{ name: "country", kind: "line" }],
  regex: [{ name: "pattern", kind: "line" }],
  choice: [{ name: "choices", kind: "strings" }],
};

/** Which answers a question accepts. */
export function ValidationPart({ label, value, onChange, nested: FieldPart }: PartProps) {
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
      />
      {type && (
        <>
          {(LIMITS[type] ?? []).map((field) => (
            <FieldPart
              key={field.name}
              field={field}
              value={validation[field.name]}
              onChange={(next) => onChange(withValue(validation, field.name, next))}
            />
          ))}
          <TextInput
            label={t("field.error_message")}
            value={shown(validation["error_message"])}
            onChange={(event) => onChange(withValue(validation, "error_message", event.currentTarget.value))}
          />
          <Switch
            label={t("field.find")}
            checked={validation["find"] === true}
            onChange={(event) =>
              onChange(withValue(validation, "find", event.currentTarget.checked || undefined))
            }
          />
        </>
      )}
    </fieldset>
  );
}

/** A part of a node with fields of its own; it is there while its switch is on. */
export function ObjectPart({ label, field, value, onChange, error, nested: FieldPart }: PartProps) {
  const part = value as Data | undefined;
  return (
    <fieldset className="build-list">
      <Switch
        label={label}
        checked={!!part}
        error={error}
        onChange={(event) => onChange(event.currentTarget.checked ? {} : undefined)}
      />
      {part &&
        (OBJECTS[field.name] ?? []).map((own) => (
          <FieldPart
            key={own.name}
            field={own}
            value={part[own.name]}
            onChange={(next) => onChange(withValue(part, own.name, next))}
          />
        ))}
    </fieldset>
  );
}

/** What is done one after the other. */
export function ActionsPart({ label, value, onChange, nested: FieldPart }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.addAction")}
      items={items(value)}
      fresh={() => ({ type: "set_variable" })}
      onChange={(next) => onChange(next ?? [])}
    >
      {(action, change) => {
        const type = shown(action["type"]) as keyof typeof ACTIONS;
        return (
          <>
            <Select
              label={t("form.actionType")}
              allowDeselect={false}
              data={(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).map((one) => ({
                value: one,
                label: t(`action.${one}`),
              }))}
              value={type}
              onChange={(next) => change({ type: next })}
            />
            {(ACTIONS[type] ?? []).map((field) => (
              <FieldPart
                key={`${type}.${field.name}`}
                field={field}
                value={action[field.name]}
                onChange={(next) => change(withValue(action, field.name, next))}
              />
            ))}
          </>
        );
      }}
    </ListPart>
  );
}
