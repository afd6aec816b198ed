import type { Sequence, SequenceSettings, SequenceStep } from "../../../api/sequences.ts";
import { componentsOf, type MessageTemplate, type TemplateValues } from "../../../api/templates.ts";
import { rowsOf, type Row } from "../../../ui/Rows.tsx";

const DAY_HOURS = 24;
const FIRST_AT = "10:00";

/** A step as the form shows it: an amount of time before or after, and what it sends. */
export interface StepDraft {
  before: boolean;
  days: number;
  hours: number;
  at: string;
  flow: string;
  /** The template as stored, until another one is chosen. */
  stored: SequenceStep["template"];
  message: { template: MessageTemplate; values: TemplateValues } | undefined;
  parameters: NonNullable<SequenceStep["parameters"]>;
}

export interface SequenceDraft {
  name: string;
  number: string;
  /** The contact's field with the date; undefined: an answer that did not come. */
  field: string | undefined;
  untilAnswer: boolean;
  steps: Row<StepDraft>[];
}

/** A new step. */
export const EMPTY: StepDraft = {
  before: false,
  days: 1,
  hours: 0,
  at: FIRST_AT,
  flow: "",
  stored: null,
  message: undefined,
  parameters: {},
};

function stepOf({ days = 0, hours = 0, at, flow_id, template, parameters }: SequenceStep): StepDraft {
  // Days and hours of opposite signs are one amount in the form: 2 days before and 3 hours after are 45 hours before.
  const opposed = days * hours < 0;
  const total = days * DAY_HOURS + hours;
  const [wholeDays, rest] = opposed ? [Math.trunc(total / DAY_HOURS), total % DAY_HOURS] : [days, hours];
  return {
    before: total < 0,
    days: Math.abs(wholeDays),
    hours: Math.abs(rest),
    at: at ?? "",
    flow: flow_id ?? "",
    stored: template ?? null,
    message: undefined,
    parameters: parameters ?? {},
  };
}

/** What the form begins with: reminders of a date, or a stored sequence. */
export function draftOf(known?: Sequence): SequenceDraft {
  return {
    name: known?.name ?? "",
    number: known?.phone_number_id ?? "",
    field: known ? (known.on.field ?? undefined) : "",
    untilAnswer: known?.until_answer ?? true,
    steps: rowsOf(known ? known.steps.map(stepOf) : [{ ...EMPTY, before: true }]),
  };
}

/** The step as the API takes it. After a silence nothing comes before it. */
export function settingsOfStep(draft: StepDraft, dated: boolean): SequenceStep {
  const { before, days, hours, at, flow, stored, message, parameters } = draft;
  const sign = before && dated ? -1 : 1;
  return {
    days: days === 0 ? 0 : sign * days,
    hours: hours === 0 ? 0 : sign * hours,
    at: at || null,
    flow_id: flow || null,
    parameters,
    template: message
      ? {
          name: message.template.name,
          language: message.template.language,
          components: componentsOf(message.template, message.values),
        }
      : (stored ?? null),
  };
}

/** The sequence as the API takes it. */
export function settingsOf(draft: SequenceDraft, enabled: boolean): SequenceSettings {
  const dated = draft.field !== undefined;
  return {
    name: draft.name.trim(),
    phone_number_id: draft.number,
    on: dated ? { field: draft.field!.trim() } : { event: "no_answer" },
    steps: draft.steps.map((step) => settingsOfStep(step, dated)),
    enabled,
    until_answer: draft.untilAnswer,
  };
}

/** A stored sequence as the API takes it, switched on or off. */
export function switched(
  { id: _id, revision: _revision, on, ...rest }: Sequence,
  enabled: boolean,
): SequenceSettings {
  return { ...rest, on: on.field ? { field: on.field } : { event: "no_answer" }, enabled };
}
