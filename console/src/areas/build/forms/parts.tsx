import { Autocomplete, Input, NumberInput, Select, TagsInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isLibraryFile } from "../../../api/files.ts";
import { withValue, type Data } from "../../../flow/document.ts";
import { FileField } from "../../../ui/files/lazy.tsx";
import { ExpressionInput } from "./Completed.tsx";
import { below, joined } from "./errors.ts";
import { NamedRows } from "./NamedRows.tsx";
import { useVariables, type PartProps } from "./TextPart.tsx";

const MEDIA = ["image", "video", "audio", "document", "sticker"] as const;
const CAPTIONED: ReadonlySet<string> = new Set(["image", "video", "document"]);
const UNITS = { s: 1, min: 60, h: 3600, d: 86_400 } as const;

type Unit = keyof typeof UNITS;

export function items(value: unknown): Data[] {
  return Array.isArray(value) ? (value as Data[]) : [];
}

export function shown(value: unknown): string {
  return value === undefined || value === null
    ? ""
    : typeof value === "string"
      ? value
      : JSON.stringify(value);
}

/** A name of a variable: those of the flow are offered while it is written, or on the arrow down. */
export function VariablePart({
  label,
  value,
  onChange,
  error,
}: Omit<PartProps, "nested" | "field" | "errors">) {
  const variables = useVariables().filter(
    (name) => !name.startsWith("contact.") && name !== "now" && name !== "today",
  );
  const [asked, setAsked] = useState(false);
  return (
    <Autocomplete
      label={label}
      value={shown(value)}
      onChange={(next) => {
        setAsked(next !== "");
        onChange(next);
      }}
      onKeyDown={(event) => setAsked((before) => (event.key === "ArrowDown" ? true : before))}
      onBlur={() => setAsked(false)}
      data={asked ? variables.filter((name) => name !== value) : []}
      error={error}
    />
  );
}

/** A time as people say it: 90 minutes, two days. */
export function SecondsPart({ label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const seconds = typeof value === "number" ? value : undefined;
  const [unit, setUnit] = useState<Unit>(
    () => (["d", "h", "min"] as const).find((one) => seconds && seconds % UNITS[one] === 0) ?? "s",
  );
  return (
    <div className="build-row">
      <NumberInput
        label={label}
        min={0}
        value={seconds === undefined ? "" : seconds / UNITS[unit]}
        onChange={(next) => onChange(typeof next === "number" ? next * UNITS[unit] : undefined)}
        error={error}
      />
      <Select
        aria-label={t("form.unit", { field: label })}
        data={Object.keys(UNITS).map((one) => ({ value: one, label: t(`unit.${one as Unit}`) }))}
        value={unit}
        onChange={(next) => setUnit((next ?? "s") as Unit)}
      />
    </div>
  );
}

/** A picture, video, sound or file beside a text: a file of the organization, or a public address. */
export function MediaPart({ field, label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const { types = MEDIA } = field; // in a card and above a template few fit, and none has a caption
  const media = (value ?? {}) as Data;
  const type = shown(media["type"]);
  const id = isLibraryFile(media["id"]) ? media["id"] : undefined;
  const { caption } = media as { caption?: string };
  return (
    <fieldset className="build-list">
      <legend>{label}</legend>
      <FileField
        label={label}
        value={id}
        kind={types.length === 1 ? types[0] : undefined}
        onChange={(file) => {
          const kept = caption && file && CAPTIONED.has(file.kind) ? { caption } : {};
          const named = file?.kind === "document" && file.filename ? { filename: file.filename } : {};
          onChange(file && { type: file.kind, id: file.id, ...kept, ...named });
        }}
      />
      {id && error && <Input.Error role="alert">{error}</Input.Error>}
      {!id && types.length > 1 && (
        <Select
          clearable
          aria-label={label}
          placeholder={t("form.noMedia")}
          data={types.map((one) => ({ value: one, label: t(`media.${one}`) }))}
          value={type || null}
          onChange={(next) => onChange(next ? { ...media, type: next } : undefined)}
        />
      )}
      {type && !id && (
        <ExpressionInput
          type="url"
          label={t("field.link")}
          placeholder="https://"
          value={shown(media["link"])}
          onChange={(next) => onChange(withValue(media, "link", next))}
          error={error}
        />
      )}
      {type && !field.types && (!id || CAPTIONED.has(type)) && (
        <ExpressionInput
          label={t("field.caption")}
          value={shown(caption)}
          onChange={(next) => onChange(withValue(media, "caption", next))}
        />
      )}
    </fieldset>
  );
}

/** Names with texts: headers, parameters, parts of an answer. What is more than a text is filled in as what it is. */
export function PairsPart({ field, label, value, onChange, errors, nested: FieldPart }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <NamedRows label={label} value={value} onChange={onChange} error={errors[""]} fresh="">
      {(one, change, { name, number }) => {
        const own = below(errors, name);
        if (typeof one === "object")
          return <FieldPart field={{ ...field, kind: "any" }} value={one} onChange={change} errors={own} />;
        return (
          <ExpressionInput
            aria-label={t("form.pairValue", { number })}
            placeholder={t("field.value")}
            value={shown(one)}
            onChange={change}
            error={joined(own)}
          />
        );
      }}
    </NamedRows>
  );
}

/** A list of texts; a `{` offers the flow's variables. */
export function StringsPart({ label, about, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const variables = useVariables();
  const [search, setSearch] = useState("");
  return (
    <TagsInput
      label={label}
      description={about}
      placeholder={t("form.typeAndEnter")}
      value={Array.isArray(value) ? (value as unknown[]).map(shown) : []}
      onChange={(next) => onChange(next.length ? next : undefined)}
      searchValue={search}
      onSearchChange={setSearch}
      data={search.startsWith("{") ? variables.map((name) => `{{${name}}}`) : []}
      error={error}
    />
  );
}
