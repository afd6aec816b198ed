import { NumberInput, Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { ExpressionInput } from "./Completed.tsx";
import { below, joined } from "./errors.ts";
import { ListPart } from "./ListPart.tsx";
import { NamedRows } from "./NamedRows.tsx";
import { items, shown, StringsPart } from "./parts.tsx";
import { TextPart, type PartProps } from "./TextPart.tsx";

const SHAPES = ["text", "number", "boolean", "list", "group"] as const;
type Shape = (typeof SHAPES)[number];

function shapeOf(value: unknown): Shape {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number" || typeof value === "boolean") return typeof value as Shape;
  return typeof value === "object" && value !== null ? "group" : "text";
}

/** Return a value in another shape, with as much of it as fits. */
export function reshaped(value: unknown, shape: Shape): unknown {
  const plain = typeof value === "object" ? "" : value;
  switch (shape) {
    case "text":
      return shown(plain);
    case "number":
      return Number.isFinite(Number(plain)) ? Number(plain) : 0;
    case "boolean":
      return plain === true || plain === "true";
    case "list":
      return plain === "" || plain === undefined ? [] : [plain];
    case "group":
      return {};
  }
}

interface ShapeSelectProps {
  /** The value whose type is chosen. */
  field: string;
  shapes: readonly Shape[];
  value: string;
  onChange: (shape: Shape) => void;
}

function ShapeSelect({ field, shapes, value, onChange }: ShapeSelectProps) {
  const { t } = useTranslation("build");
  return (
    <Select
      aria-label={t("form.shapeOf", { field })}
      data={shapes.map((one) => ({ value: one, label: t(`shape.${one}`) }))}
      value={value}
      onChange={(next) => onChange(next as Shape)}
    />
  );
}

/** Any value: a text, a number, yes or no, a list, or a group of named values. */
export function AnyPart(props: PartProps) {
  const { t } = useTranslation("build");
  const { field, label, value, onChange, error } = props;
  const shape = shapeOf(value);
  const named = field.name ? { label } : { "aria-label": label, placeholder: t("field.value") };
  const choice = (
    <ShapeSelect
      field={label}
      shapes={SHAPES}
      value={shape}
      onChange={(next) => onChange(reshaped(value, next))}
    />
  );
  if (shape === "list" || shape === "group") {
    const Part = shape === "list" ? ValuesPart : GroupPart;
    return (
      <div className="build-comparison">
        {choice}
        <Part {...props} onChange={(next) => onChange(next ?? reshaped("", shape))} />
      </div>
    );
  }
  return (
    <div className="build-any">
      {shape === "number" ? (
        <NumberInput
          {...named}
          value={value as number}
          onChange={(next) => onChange(Number(next))}
          error={error}
        />
      ) : shape === "boolean" ? (
        <Switch
          label={label}
          checked={value as boolean}
          onChange={(event) => onChange(event.currentTarget.checked)}
          error={error}
        />
      ) : field.name === "body" ? (
        <TextPart {...props} />
      ) : (
        <ExpressionInput {...named} value={shown(value)} onChange={onChange} error={error} />
      )}
      {choice}
    </div>
  );
}

/** A list of any values. */
function ValuesPart({ label, value, onChange, errors, ...props }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.add")}
      items={Array.isArray(value) ? (value as unknown[]) : []}
      fresh={() => ""}
      onChange={onChange}
      error={errors[""]}
    >
      {(item, change, index) => (
        <AnyPart
          {...own(props, below(errors, `[${index}]`))}
          label={t("form.item", { number: index + 1 })}
          value={item}
          onChange={change}
        />
      )}
    </ListPart>
  );
}

/** Named values, each a text, a number or more. */
export function GroupPart({ label, about, value, onChange, errors, ...props }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <NamedRows
      label={label}
      about={about}
      value={value}
      onChange={onChange}
      error={errors[""]}
      fresh=""
      isStacked
    >
      {(one, change, { name, number }) => (
        <AnyPart
          {...own(props, below(errors, name))}
          label={t("form.pairValue", { number })}
          value={one}
          onChange={change}
        />
      )}
    </NamedRows>
  );
}

/** What a value within another has of the props of all of it. */
function own({ field, nested }: Pick<PartProps, "field" | "nested">, errors: PartProps["errors"]) {
  return { field: { ...field, name: "" }, nested, errors, error: joined(errors) };
}

const TYPES = ["text", "number", "boolean"] as const;

/** Names with the type of the value that a model writes. */
export function TypesPart({ label, about, value, onChange, errors }: PartProps) {
  return (
    <NamedRows
      label={label}
      about={about}
      value={value}
      onChange={onChange}
      error={errors[""]}
      fresh="text"
      wrong={(name) => joined(below(errors, name))}
    >
      {(type, change, { number }) => (
        <ShapeSelect field={String(number)} shapes={TYPES} value={shown(type)} onChange={change} />
      )}
    </NamedRows>
  );
}

/** Possible answers: texts, or texts with another value to store. */
export function ChoicesPart(props: PartProps) {
  const { t } = useTranslation("build");
  const { label, value, onChange, errors } = props;
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const rich = list.some((one) => typeof one === "object");
  const entries = list.map((one) => (typeof one === "string" ? { value: one } : (one as Data)));
  return (
    <>
      {rich ? (
        <ListPart
          label={label}
          add={t("form.add")}
          items={items(entries)}
          fresh={() => ({ value: "" }) as Data}
          onChange={onChange}
          error={errors[""]}
        >
          {(entry, change, index) => (
            <div className="build-row">
              {(["label", "value"] as const).map((name) => (
                <TextInput
                  key={name}
                  label={t(`field.${name}`)}
                  value={shown(entry[name])}
                  onChange={(event) => change(withValue(entry, name, event.currentTarget.value))}
                  error={joined(below(below(errors, `[${index}]`), name))}
                />
              ))}
            </div>
          )}
        </ListPart>
      ) : (
        <StringsPart {...props} />
      )}
      {list.length > 0 && (
        <Switch
          label={t("form.otherValues")}
          checked={rich}
          onChange={() => onChange(rich ? entries.map((one) => shown(one["value"])) : entries)}
        />
      )}
    </>
  );
}
