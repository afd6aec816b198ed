import { Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { templatesQuery, valuesOf } from "../../../api/templates.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { TemplateForm } from "../../../ui/TemplateForm.tsx";
import { FlowField } from "../parts.tsx";
import type { StepDraft } from "./draft.ts";

interface StepFieldsProps {
  step: StepDraft;
  place: number;
  /** Whether the steps follow a date; only then one can come before it. */
  dated: boolean;
  change: (changed: Partial<StepDraft>) => void;
  /** Undefined: it is the only step. */
  remove: (() => void) | undefined;
}

/** When a step is due, and what it sends or starts. */
export function StepFields({ step, place, dated, change, remove }: StepFieldsProps) {
  const { t } = useTranslation("campaigns");
  const name = t("sequences.step", { number: place + 1 });
  const templates = useQuery(templatesQuery());
  const stored = templates.data?.find(
    (one) => one.name === step.stored?.name && one.language === step.stored.language,
  );
  const chosen =
    step.message ?? (stored && { template: stored, values: valuesOf(stored, step.stored?.components ?? []) });
  return (
    <section aria-label={name}>
      <div className="sequence-step-head">
        <h2>{name}</h2>
        {remove && (
          <Button
            variant="subtle"
            color="gray"
            size="xs"
            leftSection={<Icon name="close" size={14} />}
            onClick={remove}
          >
            {t("sequences.removeStep")}
          </Button>
        )}
      </div>
      <div className="sequence-when">
        <NumberInput
          label={t("sequences.days")}
          min={0}
          max={365}
          allowDecimal={false}
          allowNegative={false}
          value={step.days}
          onChange={(days) => change({ days: Number(days) })}
        />
        <NumberInput
          label={t("sequences.hours")}
          min={0}
          max={8760}
          allowDecimal={false}
          allowNegative={false}
          value={step.hours}
          onChange={(hours) => change({ hours: Number(hours) })}
        />
        {dated && (
          <NativeSelect
            label={t("sequences.side")}
            value={step.before ? "before" : "after"}
            data={[
              { value: "before", label: t("sequences.before") },
              { value: "after", label: t("sequences.after") },
            ]}
            onChange={(event) => change({ before: event.currentTarget.value === "before" })}
          />
        )}
        <TextInput
          type="time"
          label={t("sequences.at")}
          value={step.at}
          onChange={(event) => change({ at: event.currentTarget.value })}
        />
      </div>
      <p className="flush quiet">{t(dated ? "sequences.whenAbout" : "sequences.whenSilent")}</p>
      {step.stored && templates.data && !chosen && (
        <p className="flush">{t("sequences.templateKept", { name: step.stored.name })}</p>
      )}
      <TemplateForm
        chosen={chosen?.template}
        choose={(next) => change({ stored: null, message: next && { template: next, values: {} } })}
        values={chosen?.values ?? {}}
        change={(values) => chosen && change({ message: { template: chosen.template, values } })}
      />
      <FlowField
        label={t("sequences.flow")}
        about={t("sequences.flowAbout")}
        value={step.flow}
        onChange={(flow) => change({ flow })}
      />
    </section>
  );
}
