import { NumberInput, TagsInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { sectionsOf, sentSections, type TemplateField } from "../api/templates.ts";
import { localTime } from "../i18n/localTime.ts";
import { PairRows } from "./PairRows.tsx";
import { Rows } from "./Rows.tsx";

type Value = Record<string, unknown>;

interface TemplatePartProps {
  field: TemplateField;
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  /** A line of text; where values can be inserted, with a list of them. */
  line: (label: string, value: unknown, change: (text: string) => void, required?: boolean) => ReactNode;
}

const PARTS: Partial<Record<string, (props: TemplatePartProps) => ReactNode>> = {
  location: Place,
  limited_time_offer: Offer,
  action: Action,
};

/** Whether a parameter of this kind is neither a text nor a file. */
export function isPart(kind: string): boolean {
  return kind in PARTS;
}

/** A value of a template that has parts: a place, the end of an offer, the form or the products of a button. */
export function TemplatePart(props: TemplatePartProps) {
  const Part = PARTS[props.field.kind]!;
  return <Part {...props} />;
}

const DEGREES = { latitude: 90, longitude: 180 };
const PRECISE = 8; // a millimetre

function Place({ value, onChange, line }: TemplatePartProps) {
  const { t } = useTranslation();
  return (
    <>
      {(["latitude", "longitude"] as const).map((name) => (
        <NumberInput
          key={name}
          required
          hideControls
          label={t(`template.place.${name}`)}
          min={-DEGREES[name]}
          max={DEGREES[name]}
          decimalScale={PRECISE}
          value={String(value[name] ?? "")}
          onChange={(degrees) => onChange({ ...value, [name]: String(degrees) })}
        />
      ))}
      {line(t("template.place.name"), value["name"], (name) => onChange({ ...value, name }))}
      {line(t("template.place.address"), value["address"], (address) => onChange({ ...value, address }))}
    </>
  );
}

function Offer({ label, value, onChange }: TemplatePartProps) {
  const ends = value["expiration_time_ms"];
  return (
    <TextInput
      type="datetime-local"
      required
      label={label}
      value={typeof ends === "number" ? localTime(new Date(ends).toISOString()) : ""}
      onChange={({ currentTarget: { value: time } }) =>
        onChange(time ? { expiration_time_ms: new Date(time).getTime() } : {})
      }
    />
  );
}

function Action(props: TemplatePartProps) {
  return props.field.action === "mpm" ? <Products {...props} /> : <FormData {...props} />;
}

/** What a form begins with, and a text that comes back with its answers. */
function FormData({ label, value, onChange, line }: TemplatePartProps) {
  const { t } = useTranslation();
  const data = Object.entries((value["flow_action_data"] ?? {}) as Record<string, unknown>);
  const set = (name: string, part: unknown) => {
    const { [name]: _, ...rest } = value;
    onChange(part ? { ...rest, [name]: part } : rest);
  };
  return (
    <>
      {line(
        t("template.flowToken", { name: label }),
        value["flow_token"],
        (text) => set("flow_token", text),
        false,
      )}
      <PairRows
        legend={t("template.flowData", { name: label })}
        about={t("template.flowDataAbout")}
        add={t("template.flowDataAdd")}
        name={t("template.flowDataName")}
        value={t("template.flowDataValue")}
        rows={data.map(([name, one], id) => ({ id, name, value: String(one) }))}
        onChange={(rows) =>
          set(
            "flow_action_data",
            rows.length > 0 && Object.fromEntries(rows.map(({ name, value: one }) => [name, one])),
          )
        }
      />
    </>
  );
}

const LONGEST_TITLE = 24;
const MOST_PRODUCTS = 30;

function Products({ label, value, onChange, line }: TemplatePartProps) {
  const { t } = useTranslation();
  const shown = "thumbnail_product_retailer_id";
  return (
    <>
      {line(t("template.thumbnail", { name: label }), value[shown], (text) =>
        onChange({ ...value, [shown]: text }),
      )}
      <Rows
        legend={t("template.sections", { name: label })}
        add={t("template.sectionAdd")}
        empty={{ title: "", products: [] as string[] }}
        rows={sectionsOf(value).map((section, id) => ({ ...section, id }))}
        onChange={(rows) => onChange({ ...value, sections: sentSections(rows) })}
      >
        {(section, change) => (
          <>
            <TextInput
              aria-label={t("template.sectionTitle")}
              placeholder={t("template.sectionTitle")}
              maxLength={LONGEST_TITLE}
              value={section.title}
              onChange={(event) => change({ title: event.currentTarget.value })}
            />
            <TagsInput
              aria-label={t("template.products")}
              placeholder={t("template.products")}
              maxTags={MOST_PRODUCTS}
              acceptValueOnBlur
              value={section.products}
              onChange={(products) => change({ products })}
            />
          </>
        )}
      </Rows>
    </>
  );
}
