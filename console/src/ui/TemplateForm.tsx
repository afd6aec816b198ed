import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import {
  buttonsOf,
  fieldsOf,
  filled,
  templateId,
  templatesQuery,
  textOf,
  type MessageTemplate,
  type TemplateField,
} from "../api/templates.ts";
import { isLibraryFile } from "../api/files.ts";
import { FileField } from "./files/lazy.tsx";
import { Problem } from "./Problem.tsx";

export type TemplateValues = Readonly<Record<string, string>>;

/** Whether all values of a template are there. */
export function isFilled(template: MessageTemplate, values: TemplateValues): boolean {
  return (fieldsOf(template) ?? []).every(({ key }) => values[key]?.trim());
}

interface TemplateFormProps {
  chosen: MessageTemplate | undefined;
  choose: (template: MessageTemplate | undefined) => void;
  values: TemplateValues;
  change: (values: TemplateValues) => void;
}

/** Choose an approved template, fill in its values and see the message. */
export function TemplateForm({ chosen, choose, values, change }: TemplateFormProps) {
  const { t } = useTranslation();
  const templates = useQuery(templatesQuery());
  const usable = (templates.data ?? []).filter((template) => fieldsOf(template));
  return (
    <>
      {templates.isError && <Problem error={templates.error} again={() => void templates.refetch()} />}
      <Select
        label={t("template.choose")}
        searchable
        nothingFoundMessage={t("template.none")}
        {...(templates.data && usable.length === 0 ? { description: t("template.none") } : {})}
        data={usable.map((template) => ({
          value: templateId(template),
          label: `${template.name} · ${template.language}`,
        }))}
        value={chosen ? templateId(chosen) : null}
        onChange={(id) => choose(usable.find((template) => templateId(template) === id))}
      />
      {chosen && (
        <>
          {fieldsOf(chosen)?.map((field) => (
            <ValueField
              key={field.key}
              field={field}
              value={values[field.key] ?? ""}
              onChange={(value) => change({ ...values, [field.key]: value })}
            />
          ))}
          <TemplatePreview template={chosen} values={values} />
        </>
      )}
    </>
  );
}

interface ValueFieldProps {
  field: TemplateField;
  value: string;
  onChange: (value: string) => void;
}

/** A value of a template: a text, or a file of the organization or at a public address. */
function ValueField({ field: { kind, place, name }, value, onChange }: ValueFieldProps) {
  const { t } = useTranslation();
  const label = t(`template.${kind === "text" ? place : "file"}`, { name });
  const isStored = kind !== "text" && isLibraryFile(value);
  return (
    <>
      {!isStored && (
        <TextInput
          required
          label={label}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
      {kind !== "text" && (
        <FileField kind={kind} value={value} onChange={(file) => onChange(file?.id ?? "")} />
      )}
    </>
  );
}

/** The message as the person sees it, as far as its values are known. */
export function TemplatePreview({ template, values }: { template: MessageTemplate; values: TemplateValues }) {
  const { t } = useTranslation();
  return (
    <section className="template-preview" aria-label={t("template.preview")}>
      <strong>{filled(textOf(template, "HEADER"), "header", values)}</strong>
      <p className="flush">{filled(textOf(template, "BODY"), "body", values)}</p>
      <small>{textOf(template, "FOOTER")}</small>
      {buttonsOf(template).map((text, place) => (
        // Two buttons may have the same text.
        // oxlint-disable-next-line no-array-index-key
        <span key={place} className="template-button">
          {text}
        </span>
      ))}
    </section>
  );
}
