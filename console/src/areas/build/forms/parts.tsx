import { Autocomplete, Input, JsonInput, NumberInput, Select, TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isLibraryFile } from "../../../api/files.ts";
import { withValue, type Data } from "../../../flow/document.ts";
import { FileField } from "../../../ui/files/lazy.tsx";
import { ExpressionInput } from "./Completed.tsx";
import { ListPart } from "./ListPart.tsx";
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
export function VariablePart({ label, value, onChange, error }: Omit<PartProps, "nested" | "field">) {
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
        allowDeselect={false}
        data={Object.keys(UNITS).map((one) => ({ value: one, label: t(`unit.${one as Unit}`) }))}
        value={unit}
        onChange={(next) => setUnit((next ?? "s") as Unit)}
      />
    </div>
  );
}

/** Any JSON; it is kept as text until it is valid. */
export function JsonPart({ label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [wrong, setWrong] = useState(false);
  function write(next: string) {
    setText(next);
    try {
      onChange(next.trim() ? (JSON.parse(next) as unknown) : undefined);
      setWrong(false);
    } catch {
      setWrong(true);
    }
  }
  return (
    <JsonInput
      label={label}
      value={text}
      onChange={write}
      autosize
      minRows={2}
      maxRows={12}
      error={wrong ? t("form.notJson") : error}
    />
  );
}

/** A picture, video, sound or file beside a text: a file of the organization, or a public address. */
export function MediaPart({ label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
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
        onChange={(file) => {
          const kept = caption && file && CAPTIONED.has(file.kind) ? { caption } : {};
          const named = file?.kind === "document" && file.filename ? { filename: file.filename } : {};
          onChange(file && { type: file.kind, id: file.id, ...kept, ...named });
        }}
      />
      {id && error && <Input.Error role="alert">{error}</Input.Error>}
      {!id && (
        <Select
          clearable
          aria-label={label}
          placeholder={t("form.noMedia")}
          data={MEDIA.map((one) => ({ value: one, label: t(`media.${one}`) }))}
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
      {type && (!id || CAPTIONED.has(type)) && (
        <ExpressionInput
          label={t("field.caption")}
          value={shown(caption)}
          onChange={(next) => onChange(withValue(media, "caption", next))}
        />
      )}
    </fieldset>
  );
}

/** Names with values: headers, parameters, parts of an answer. */
export function PairsPart({ label, value, onChange }: PartProps) {
  const { t } = useTranslation("build");
  const pairs = Object.entries((value ?? {}) as Data).map(([name, one]) => ({ name, value: shown(one) }));
  const [rows, setRows] = useState(pairs);
  function put(next: { name: string; value: string }[] | undefined) {
    setRows(next ?? []);
    const named = (next ?? []).filter(({ name }) => name);
    onChange(named.length ? Object.fromEntries(named.map((row) => [row.name, row.value])) : undefined);
  }
  return (
    <ListPart
      label={label}
      add={t("form.add")}
      items={rows}
      fresh={() => ({ name: "", value: "" })}
      onChange={put}
    >
      {(pair, change, index) => (
        <div className="build-row">
          <TextInput
            aria-label={t("form.pairName", { number: index + 1 })}
            placeholder={t("field.name")}
            value={pair.name}
            onChange={(event) => change({ ...pair, name: event.currentTarget.value })}
          />
          <ExpressionInput
            aria-label={t("form.pairValue", { number: index + 1 })}
            placeholder={t("field.value")}
            value={pair.value}
            onChange={(next) => change({ ...pair, value: next })}
          />
        </div>
      )}
    </ListPart>
  );
}

/** A list of texts; one with richer entries is shown as JSON. */
export function StringsPart(props: PartProps) {
  const { t } = useTranslation("build");
  const list = Array.isArray(props.value) ? (props.value as unknown[]) : [];
  if (!list.every((one) => typeof one === "string")) return <JsonPart {...props} />;
  return (
    <TagsInput
      label={props.label}
      placeholder={t("form.typeAndEnter")}
      value={list}
      onChange={(next) => props.onChange(next.length ? next : undefined)}
      error={props.error}
    />
  );
}
