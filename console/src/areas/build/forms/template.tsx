import { Input, NumberInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { FileKind } from "../../../api/files.ts";
import {
  componentsOf,
  fieldsOf,
  guessed,
  isText,
  parameterOf,
  sameTemplate,
  templatesQuery,
  valuesOf,
  type MessageTemplate,
  type TemplateValues,
} from "../../../api/templates.ts";
import { withValue, type Data } from "../../../flow/document.ts";
import { TemplateChoice, TemplateInputs, type TemplateInputProps } from "../../../ui/TemplateForm.tsx";
import { isPart, TemplatePart as OwnPart } from "../../../ui/TemplatePart.tsx";
import { ExpressionInput } from "./Completed.tsx";
import { Fields } from "./compound.tsx";
import { below, joined, NO_ERRORS } from "./errors.ts";
import type { Field } from "./fields.ts";
import { items, shown } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";

const NAMES: Field[] = [
  { name: "name", kind: "line" },
  { name: "language", kind: "line" },
];
const MOST_VALUES = 50;

interface TemplatePartProps extends Pick<PartProps, "errors" | "nested"> {
  value: Data;
  onChange: (value: Data) => void;
}

/** A template of the organization, or by its name one that is in no copy of an account, with the values that it needs. */
export function TemplatePart({ value, onChange, errors, nested: FieldPart }: TemplatePartProps) {
  const { t } = useTranslation("build");
  const templates = useQuery(templatesQuery());
  const sent = items(value["components"]);
  const known = templates.data?.find(sameTemplate(shown(value["name"]), shown(value["language"])));
  const chosen = known && fieldsOf(known) ? known : undefined;
  const template = chosen ?? guessed(shown(value["name"]), sent);
  const values = valuesOf(template, sent);
  const wrong = below(errors, "components");

  function put(next: MessageTemplate, written: TemplateValues, before: Data = value) {
    const components = componentsOf(next, written, next === template || !chosen ? sent : []);
    onChange(withValue(before, "components", components.length ? components : undefined));
  }

  function input({ field, label, value: one, onChange: change }: TemplateInputProps) {
    const path = parameterOf(template, sent, field)?.path;
    const own = path ? below(wrong, path) : NO_ERRORS;
    if (isText(field.kind))
      return (
        <ExpressionInput
          label={label}
          required={!field.optional}
          value={shown(one)}
          onChange={change}
          error={joined(own)}
        />
      );
    const kind = field.kind;
    if (isPart(kind) && kind !== "location")
      return (
        <>
          <OwnPart
            field={field}
            label={label}
            value={(one ?? {}) as Data}
            onChange={change}
            line={expressionLine}
          />
          <Input.Error>{Object.values(own).join(" ")}</Input.Error>
        </>
      );
    if (kind === "location")
      return (
        <FieldPart
          field={{ name: "location", kind: "part" }}
          value={one}
          onChange={(next) => change((next ?? {}) as Data)}
          errors={below(own, kind)}
        />
      );
    return (
      <FieldPart
        field={{ name: "media", kind: "media", word: "header", types: [kind as FileKind] }}
        value={{ ...(one as Data | undefined), type: kind }}
        onChange={(next) => {
          const { type: _type, caption: _caption, ...file } = (next ?? {}) as Data;
          change(file);
        }}
        errors={below(own, kind)}
      />
    );
  }

  return (
    <>
      <TemplateChoice
        chosen={chosen}
        choose={(next) => next && put(next, values, { ...value, name: next.name, language: next.language })}
        error={chosen && joined({ ...below(errors, "name"), ...below(errors, "language") })}
      />
      {!chosen && templates.data && (
        <>
          <p className="quiet flush">{t("form.otherTemplate")}</p>
          <Fields fields={NAMES} value={value} onChange={onChange} errors={errors} nested={FieldPart} />
          <NumberInput
            label={t("form.templateValues")}
            min={0}
            max={MOST_VALUES}
            value={fieldsOf(template)?.filter(({ place }) => place === "body").length ?? 0}
            onChange={(count) => put(withValues(template, Number(count)), values)}
          />
        </>
      )}
      <TemplateInputs template={template} values={values} change={(next) => put(template, next)} withOptional>
        {input}
      </TemplateInputs>
      {wrong[""] && <Input.Error>{wrong[""]}</Input.Error>}
    </>
  );
}

function expressionLine(label: string, value: unknown, change: (text: string) => void, required = true) {
  return (
    <ExpressionInput
      label={label}
      required={required}
      value={shown(value)}
      onChange={change}
      error={undefined}
    />
  );
}

/** Return a template whose text has so many values. */
function withValues(template: MessageTemplate, count: number): MessageTemplate {
  const text = Array.from({ length: Math.min(count, MOST_VALUES) }, (_, at) => `{{${at + 1}}}`).join(" ");
  const others = (template.components ?? []).filter(({ type }) => type !== "BODY");
  const body = { type: "BODY", text };
  return { ...template, parameter_format: "POSITIONAL", components: count ? [body, ...others] : others };
}
