import { Alert, Button, NativeSelect, Switch, TextInput } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Sequence, SequenceSettings } from "../../../api/sequences.ts";
import { Form } from "../../../ui/Form.tsx";
import { Icon } from "../../../ui/Icon.tsx";
import { rowsOf } from "../../../ui/Rows.tsx";
import { SaveBar } from "../../../ui/SaveBar.tsx";
import { isFilled } from "../../../api/templates.ts";
import { NumberField } from "../parts.tsx";
import { draftOf, EMPTY, settingsOf, type SequenceDraft, type StepDraft } from "./draft.ts";
import { StepFields } from "./StepFields.tsx";

const MOST_STEPS = 10;

interface SequenceFormProps {
  known?: Sequence;
  saving: UseMutationResult<unknown, Error, SequenceSettings>;
}

function isComplete({ flow, stored, message }: StepDraft): boolean {
  return message ? isFilled(message.template, message.values) : !!flow || !!stored;
}

/** What the follow-ups of a sequence follow, and the steps. */
export function SequenceForm({ known, saving }: SequenceFormProps) {
  const { t } = useTranslation("campaigns");
  const [draft, setDraft] = useState(() => draftOf(known));
  const [tried, setTried] = useState(false);
  const change = (part: Partial<SequenceDraft>) => setDraft({ ...draft, ...part });
  const { steps } = draft;
  const dated = draft.field !== undefined;
  const missing = steps.findIndex((step) => !isComplete(step));
  return (
    <Form
      onSubmit={() => {
        setTried(true);
        if (missing < 0) saving.mutate(settingsOf(draft, known?.enabled ?? true));
      }}
    >
      <TextInput
        label={t("name")}
        required
        maxLength={200}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <NumberField value={draft.number} onChange={(number) => change({ number })} />
      <NativeSelect
        label={t("sequences.follows")}
        description={t(dated ? "sequences.dateAbout" : "sequences.silenceAbout")}
        value={dated ? "date" : "silence"}
        data={[
          { value: "date", label: t("sequences.date") },
          { value: "silence", label: t("sequences.silence") },
        ]}
        onChange={(event) =>
          change({ field: event.currentTarget.value === "date" ? (known?.on.field ?? "") : undefined })
        }
      />
      {dated && (
        <>
          <TextInput
            label={t("sequences.field")}
            description={t("sequences.fieldAbout")}
            required
            maxLength={100}
            value={draft.field}
            onChange={(event) => change({ field: event.currentTarget.value })}
          />
          <Switch
            label={t("sequences.untilAnswer")}
            checked={draft.untilAnswer}
            onChange={(event) => change({ untilAnswer: event.currentTarget.checked })}
          />
        </>
      )}
      {steps.map((step, place) => (
        <StepFields
          key={step.id}
          step={step}
          place={place}
          dated={dated}
          change={(changed) =>
            change({ steps: steps.map((one) => (one.id === step.id ? { ...one, ...changed } : one)) })
          }
          remove={
            steps.length > 1 ? () => change({ steps: steps.filter(({ id }) => id !== step.id) }) : undefined
          }
        />
      ))}
      {steps.length < MOST_STEPS && (
        <div>
          <Button
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => change({ steps: [...steps, ...rowsOf([{ ...EMPTY, before: dated }])] })}
          >
            {t("sequences.addStep")}
          </Button>
        </div>
      )}
      {tried && missing >= 0 && (
        <Alert color="red" role="alert">
          {t("sequences.incomplete", { number: missing + 1 })}
        </Alert>
      )}
      <SaveBar saving={saving} />
    </Form>
  );
}
