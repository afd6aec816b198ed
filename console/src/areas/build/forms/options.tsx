import { Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { withValue, type Data } from "../../../flow/document.ts";
import { ExpressionInput } from "./Completed.tsx";
import { below } from "./errors.ts";
import { ListPart } from "./ListPart.tsx";
import { items, shown } from "./parts.tsx";
import type { PartProps } from "./TextPart.tsx";
import { ComparisonPart } from "./ways.tsx";

/** The answers that a person can tap. */
export function OptionsPart({ label, value, onChange, errors, nested }: PartProps) {
  const { t } = useTranslation("build");
  return (
    <ListPart
      label={label}
      add={t("form.addOption")}
      items={items(value)}
      fresh={() => ({ label: "" })}
      onChange={onChange}
      error={errors[""]}
    >
      {(option, change, index) => (
        <>
          <ExpressionInput
            aria-label={t("form.optionLabel", { number: index + 1 })}
            placeholder={t("field.label")}
            maxLength={24}
            value={shown(option["label"])}
            onChange={(next) => change(withValue(option, "label", next))}
            error={errors[`[${index}].label`] ?? errors[`[${index}]`]}
          />
          <TextInput
            aria-label={t("form.optionValue", { number: index + 1 })}
            placeholder={t("form.optionValueHint")}
            value={shown(option["value"])}
            onChange={(event) => change(withValue(option, "value", event.currentTarget.value))}
            error={errors[`[${index}].value`]}
          />
          <ExpressionInput
            aria-label={t("form.optionDescription", { number: index + 1 })}
            placeholder={t("field.description")}
            value={shown(option["description"])}
            onChange={(next) => change(withValue(option, "description", next))}
            error={errors[`[${index}].description`]}
          />
          <Rarely option={option} onChange={change} errors={below(errors, `[${index}]`)} nested={nested} />
        </>
      )}
    </ListPart>
  );
}

const ALWAYS = { variable: "", operator: "==", value: "" };

interface RarelyProps extends Pick<PartProps, "errors" | "nested"> {
  option: Data;
  onChange: (option: Data) => void;
}

/** What few buttons have: the section of a list, and when the button is shown. */
function Rarely({ option, onChange, errors, nested }: RarelyProps) {
  const { t } = useTranslation("build");
  const condition = option["show_if"] as Data | undefined;
  return (
    <details className="build-option-more">
      <summary>{t("form.more")}</summary>
      <ExpressionInput
        label={t("field.section")}
        value={shown(option["section"])}
        onChange={(next) => onChange(withValue(option, "section", next))}
        error={errors["section"]}
      />
      <Switch
        label={t("form.showIf")}
        checked={!!condition}
        onChange={(event) =>
          onChange(withValue(option, "show_if", event.currentTarget.checked ? ALWAYS : undefined))
        }
      />
      {condition && (
        <ComparisonPart
          value={condition}
          onChange={(next) => onChange(withValue(option, "show_if", next))}
          errors={below(errors, "show_if")}
          nested={nested}
        />
      )}
    </details>
  );
}
