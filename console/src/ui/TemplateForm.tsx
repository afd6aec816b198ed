import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { isLibraryFile, type FileKind } from "../api/files.ts";
import {
  buttonsOf,
  cardsOf,
  fieldsOf,
  filled,
  isText,
  ofCard,
  templateId,
  templatesQuery,
  textOf,
  type MessageTemplate,
  type TemplateField,
  type TemplateValue,
  type TemplateValues,
} from "../api/templates.ts";
import { FileField } from "./files/lazy.tsx";
import { Problem } from "./Problem.tsx";
import { isPart, TemplatePart } from "./TemplatePart.tsx";

interface ChoiceProps {
  chosen: MessageTemplate | undefined;
  choose: (template: MessageTemplate | undefined) => void;
  error?: string | undefined;
}

/** Choose an approved template that a form can fill. */
export function TemplateChoice({ chosen, choose, error }: ChoiceProps) {
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
        error={error}
      />
    </>
  );
}

export interface TemplateInputProps {
  field: TemplateField;
  label: string;
  value: TemplateValue | undefined;
  onChange: (value: TemplateValue) => void;
}

interface InputsProps {
  template: MessageTemplate;
  values: TemplateValues;
  change: (values: TemplateValues) => void;
  /** Values that can be left out are asked for, too. */
  withOptional?: boolean;
  /** Shows one value. */
  children: (props: TemplateInputProps) => ReactNode;
}

/** The values of a template, one after the other as a person reads them. */
export function TemplateInputs({ template, values, change, withOptional, children }: InputsProps) {
  const { t } = useTranslation();
  const label = ({ kind, name, place, action, card }: TemplateField) => {
    const word = kind === "text" || kind === place ? place : (action ?? (isText(kind) ? kind : "file"));
    const own = t(`template.${word as "file"}`, { name });
    return card === undefined ? own : t("template.card", { number: card + 1, name: own });
  };
  const shown = (fieldsOf(template) ?? []).filter(({ optional }) => withOptional || !optional);
  return shown.map((field) => (
    <Fragment key={`${template.name} ${template.language} ${field.key}`}>
      {children({
        field,
        label: label(field),
        value: values[field.key],
        onChange: (value) => change({ ...values, [field.key]: value }),
      })}
    </Fragment>
  ));
}

function textLine(label: string, value: unknown, change: (text: string) => void, required = true) {
  return (
    <TextInput
      required={required}
      label={label}
      value={typeof value === "string" ? value : ""}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

function Line({ field, label, value, onChange }: TemplateInputProps) {
  const { kind } = field;
  const parts = typeof value === "object" ? value : {};
  if (isText(kind)) return textLine(label, value, onChange);
  if (isPart(kind))
    return <TemplatePart field={field} label={label} value={parts} onChange={onChange} line={textLine} />;
  return (
    <>
      {!isLibraryFile(parts["id"]) && textLine(label, parts["link"], (link) => onChange({ link }))}
      <FileField
        kind={kind as FileKind}
        value={parts["id"] as string | undefined}
        onChange={(file) => onChange(file ? { id: file.id } : {})}
      />
    </>
  );
}

interface TemplateFormProps extends Omit<ChoiceProps, "error"> {
  values: TemplateValues;
  change: (values: TemplateValues) => void;
}

/** Choose an approved template, fill in its values and see the message. */
export function TemplateForm({ chosen, choose, values, change }: TemplateFormProps) {
  return (
    <>
      <TemplateChoice chosen={chosen} choose={choose} />
      {chosen && (
        <>
          <TemplateInputs template={chosen} values={values} change={change}>
            {(props) => <Line {...props} />}
          </TemplateInputs>
          <TemplatePreview template={chosen} values={values} />
        </>
      )}
    </>
  );
}

/** The message as the person sees it, as far as its values are known. */
export function TemplatePreview({ template, values }: { template: MessageTemplate; values: TemplateValues }) {
  const { t } = useTranslation();
  return (
    <section className="template-preview" aria-label={t("template.preview")}>
      <Parts template={template} values={values} />
      {cardsOf(template).map((card, at) => (
        // Two cards may be alike.
        // oxlint-disable-next-line no-array-index-key
        <div key={at} className="template-preview">
          <Parts template={card} values={ofCard(values, at)} />
        </div>
      ))}
    </section>
  );
}

function Parts({ template, values }: { template: MessageTemplate; values: TemplateValues }) {
  return (
    <>
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
    </>
  );
}
