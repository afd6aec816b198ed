import { NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useQuery, type UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { countQuery, segmentsQuery } from "../../api/segments.ts";
import {
  componentsOf,
  isFilled,
  templatesQuery,
  valuesOf,
  type MessageTemplate,
  type TemplateValues,
} from "../../api/templates.ts";
import { count as number } from "../../i18n/format.ts";
import { localTime } from "../../i18n/localTime.ts";
import { Form } from "../../ui/Form.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { TemplateForm } from "../../ui/TemplateForm.tsx";
import { FlowField, NumberField } from "./parts.tsx";
import type { CampaignSettings } from "./queries.ts";

const PERCENT = 100;

interface Draft {
  name: string;
  phone_number_id: string;
  segment_id: string;
  flow_id: string;
  start_at: string;
  quiet: { start: string; end: string };
  pace: number | "";
  cap: number | "";
  holdout: number | "";
  marketing: "" | "yes" | "no";
}

function draftOf(known: CampaignSettings | undefined): Draft {
  return {
    name: known?.name ?? "",
    phone_number_id: known?.phone_number_id ?? "",
    segment_id: known?.segment_id ?? "",
    flow_id: known?.flow_id ?? "",
    start_at: localTime(known?.start_at),
    quiet: known?.quiet_hours ?? { start: "", end: "" },
    pace: known?.pace_per_second ?? "",
    cap: known?.spend_cap ?? "",
    holdout: known?.holdout ? Number((known.holdout * PERCENT).toPrecision(12)) : "",
    marketing: known?.marketing_messages == null ? "" : known.marketing_messages ? "yes" : "no",
  };
}

type Message = CampaignSettings["template"];

/** The campaign as the API takes it. What the form does not show stays as it is. */
export function settingsOf(draft: Draft, template: Message, known?: CampaignSettings): CampaignSettings {
  const { quiet, start_at } = draft;
  return {
    parameters: {},
    variants: [],
    ...known,
    name: draft.name.trim(),
    phone_number_id: draft.phone_number_id,
    segment_id: draft.segment_id,
    template,
    flow_id: draft.flow_id || null,
    start_at: start_at ? new Date(start_at).toISOString() : null,
    quiet_hours: quiet.start && quiet.end ? quiet : null,
    pace_per_second: draft.pace === "" ? null : draft.pace,
    spend_cap: draft.cap === "" ? null : draft.cap,
    holdout: draft.holdout === "" ? 0 : draft.holdout / PERCENT,
    marketing_messages: draft.marketing === "" ? null : draft.marketing === "yes",
  };
}

interface CampaignFormProps {
  known?: CampaignSettings;
  /** It has been started: audience and message stay as they are. */
  started?: boolean;
  saving: UseMutationResult<unknown, Error, CampaignSettings>;
}

/** Who gets which message, and within which bounds. */
export function CampaignForm({ known, started = false, saving }: CampaignFormProps) {
  const { t } = useTranslation("campaigns");
  const [draft, setDraft] = useState(() => draftOf(known));
  const [message, setMessage] = useState<{ template: MessageTemplate; values: TemplateValues }>();
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const segments = useQuery(segmentsQuery());
  const templates = useQuery(templatesQuery());
  const stored = templates.data?.find(
    ({ name, language }) => name === known?.template.name && language === known.template.language,
  );
  const chosen =
    message ??
    (stored && known && { template: stored, values: valuesOf(stored, known.template.components ?? []) });
  const filled = chosen ? isFilled(chosen.template, chosen.values) : known !== undefined;
  const template = (): Message =>
    chosen
      ? {
          name: chosen.template.name,
          language: chosen.template.language,
          components: componentsOf(chosen.template, chosen.values),
        }
      : known!.template;
  return (
    <Form
      onSubmit={() => {
        if (filled) saving.mutate(settingsOf(draft, template(), known));
      }}
    >
      <TextInput
        label={t("name")}
        required
        maxLength={200}
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      {!started && (
        <>
          <NumberField
            value={draft.phone_number_id}
            onChange={(phone_number_id) => change({ phone_number_id })}
          />
          <NativeSelect
            label={t("segment")}
            description={
              segments.data?.length === 0 ? (
                <>
                  {t("noSegment")} <Link to="/people/segments/new">{t("newSegment")}</Link>
                </>
              ) : (
                <Audience segment={draft.segment_id} />
              )
            }
            inputWrapperOrder={["label", "input", "description", "error"]}
            required
            value={draft.segment_id}
            data={[
              { value: "", label: "" },
              ...(segments.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onChange={(event) => change({ segment_id: event.currentTarget.value })}
          />
          <section aria-label={t("message")}>
            <p className="flush quiet">{t("messageAbout", { example: "{{contact.name}}" })}</p>
            <TemplateForm
              chosen={chosen?.template}
              choose={(next) => setMessage(next && { template: next, values: {} })}
              values={chosen?.values ?? {}}
              change={(values) => chosen && setMessage({ template: chosen.template, values })}
            />
            <FlowField
              label={t("flow")}
              about={t("flowAbout")}
              value={draft.flow_id}
              onChange={(flow_id) => change({ flow_id })}
            />
          </section>
          <div className="form-pair">
            <TextInput
              type="datetime-local"
              label={t("startAt")}
              description={t("startAtAbout")}
              value={draft.start_at}
              onChange={(event) => change({ start_at: event.currentTarget.value })}
            />
            <NumberInput
              label={t("holdout")}
              description={t("holdoutAbout")}
              min={0}
              max={90}
              suffix=" %"
              value={draft.holdout}
              onChange={(holdout) => change({ holdout: holdout === "" ? "" : Number(holdout) })}
            />
          </div>
          <NativeSelect
            label={t("marketing")}
            description={t("marketingAbout")}
            value={draft.marketing}
            data={(["", "yes", "no"] as const).map((value) => ({
              value,
              label: t(`marketingChoice.${value || "number"}`),
            }))}
            onChange={(event) => change({ marketing: event.currentTarget.value as Draft["marketing"] })}
          />
        </>
      )}
      <div className="form-pair">
        <TextInput
          type="time"
          label={t("quietFrom")}
          description={t("quietAbout")}
          value={draft.quiet.start}
          onChange={(event) => change({ quiet: { ...draft.quiet, start: event.currentTarget.value } })}
        />
        <TextInput
          type="time"
          label={t("quietUntil")}
          value={draft.quiet.end}
          onChange={(event) => change({ quiet: { ...draft.quiet, end: event.currentTarget.value } })}
        />
      </div>
      <div className="form-pair">
        <NumberInput
          label={t("pace")}
          description={t("paceAbout")}
          min={0.01}
          max={1000}
          value={draft.pace}
          onChange={(pace) => change({ pace: pace === "" ? "" : Number(pace) })}
        />
        <NumberInput
          label={t("cap")}
          description={t("capAbout")}
          min={0}
          value={draft.cap}
          onChange={(cap) => change({ cap: cap === "" ? "" : Number(cap) })}
        />
      </div>
      <SaveBar saving={saving} />
    </Form>
  );
}

/** How many people a segment has at the moment. */
export function Audience({ segment }: { segment: string }) {
  const { t } = useTranslation("campaigns");
  const found = useQuery(countQuery(segment));
  if (!segment) return t("segmentAbout");
  if (found.isError) return t("countFailed");
  if (!found.data) return t("counting", { seen: 0 });
  const { count, seen } = found.data;
  return count === null
    ? t("counting", { seen: number(seen) })
    : t("audience", { count, number: number(count) });
}
