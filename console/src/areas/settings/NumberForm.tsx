import { CopyButton, Button, PasswordInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeable, type NumberChange, type PhoneNumber } from "../../api/numbers.ts";
import { session } from "../../login/session.ts";
import { Form } from "../../ui/Form.tsx";
import { Rows, rowsOf, type Row } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { useFlows } from "./flows.ts";
import { type PhoneNumberWithProblems } from "./queries.ts";

const SECRETS = ["accessToken", "appSecret", "verifyToken"] as const;
const COMMANDS = ["restart", "stop", "human"] as const;

type Saving = UseMutationResult<PhoneNumberWithProblems, Error, { id: string; change: NumberChange }>;

interface Word {
  word: string;
  target: string;
}

function pairsOf(given: Record<string, string> = {}) {
  return rowsOf(Object.entries(given).map(([word, target]) => ({ word, target })));
}

function wordsOf(rows: readonly Word[]): Record<string, string> {
  const named = rows.filter(({ word }) => word.trim());
  return Object.fromEntries(named.map(({ word, target }) => [word.trim(), target]));
}

function first(known: PhoneNumber | undefined) {
  return {
    id: known?.phone_number_id ?? "",
    display: known?.display_phone_number ?? "",
    flow: known?.default_flow_id ?? null,
    keywords: pairsOf(known?.keywords),
    commands: pairsOf(known?.words),
    apology: known?.apology ?? "",
    template: known?.fallback_template?.name ?? "",
    templateLanguage: known?.fallback_template?.language ?? "pt_BR",
    markRead: known?.mark_read ?? true,
    typing: known?.typing ?? true,
    coexists: known?.coexists ?? false,
    marketing: known?.marketing_messages ?? false,
    verifyToken: "",
    appSecret: "",
    accessToken: "",
  };
}

/** Return the request that stores what the form says. What the form does not show stays as it is. */
export function changeOf(form: ReturnType<typeof first>, known: PhoneNumber | undefined): NumberChange {
  return {
    ...(known && changeable(known)),
    display_phone_number: form.display.trim(),
    default_flow_id: form.flow,
    keywords: wordsOf(form.keywords),
    words: wordsOf(form.commands) as NumberChange["words"],
    apology: form.apology.trim() || null,
    fallback_template: form.template.trim()
      ? { name: form.template.trim(), language: form.templateLanguage.trim() }
      : null,
    mark_read: form.markRead,
    typing: form.typing,
    coexists: form.coexists,
    marketing_messages: form.marketing,
    ...(form.verifyToken && { verify_token: form.verifyToken }),
    ...(form.appSecret && { app_secret: form.appSecret }),
    ...(form.accessToken && { access_token: form.accessToken }),
  } as NumberChange;
}

/** Everything about a phone number that a person decides. */
export function NumberForm({ known, saving }: { known: PhoneNumber | undefined; saving: Saving }) {
  const { t } = useTranslation("settings");
  const [form, setForm] = useState(() => first(known));
  const set = (changed: Partial<typeof form>) => setForm((before) => ({ ...before, ...changed }));
  const { choices, problemOf } = useFlows([form.flow, ...form.keywords.map(({ target }) => target)]);
  const connection = <Connection form={form} set={set} known={known} />;
  return (
    <Form onSubmit={() => saving.mutate({ id: form.id.trim(), change: changeOf(form, known) })}>
      {!known && connection}
      <section>
        <h2>{t("numbers.answers")}</h2>
        <Select
          label={t("numbers.flow")}
          description={t("numbers.flowAbout")}
          data={choices}
          value={form.flow}
          error={problemOf(form.flow)}
          searchable
          clearable
          onChange={(flow) => set({ flow })}
        />
        <WordRows
          legend={t("numbers.keywords")}
          about={t("numbers.keywordsAbout")}
          add={t("numbers.addKeyword")}
          targetLabel={t("numbers.flow")}
          targets={choices}
          fallback={form.flow ?? choices[0]?.value ?? ""}
          problemOf={problemOf}
          rows={form.keywords}
          onChange={(keywords) => set({ keywords })}
        />
        <WordRows
          legend={t("numbers.commands")}
          about={t("numbers.commandsAbout")}
          add={t("numbers.addCommand")}
          targetLabel={t("numbers.command.name")}
          targets={COMMANDS.map((value) => ({ value, label: t(`numbers.command.${value}`) }))}
          fallback="human"
          rows={form.commands}
          onChange={(commands) => set({ commands })}
        />
        <Textarea
          label={t("numbers.apology")}
          description={t("numbers.apologyAbout")}
          autosize
          minRows={2}
          maxLength={4096}
          value={form.apology}
          onChange={(event) => set({ apology: event.currentTarget.value })}
        />
        <Switch
          label={t("numbers.markRead")}
          checked={form.markRead}
          onChange={(event) => set({ markRead: event.currentTarget.checked })}
        />
        <Switch
          label={t("numbers.typing")}
          checked={form.typing}
          disabled={!form.markRead}
          onChange={(event) => set({ typing: event.currentTarget.checked })}
        />
        <Switch
          label={t("numbers.coexists")}
          checked={form.coexists}
          onChange={(event) => set({ coexists: event.currentTarget.checked })}
        />
        <Switch
          label={t("numbers.marketing")}
          description={t("numbers.marketingAbout")}
          checked={form.marketing}
          onChange={(event) => set({ marketing: event.currentTarget.checked })}
        />
        <div className="form-pair">
          <TextInput
            label={t("numbers.template")}
            description={t("numbers.templateAbout")}
            value={form.template}
            onChange={(event) => set({ template: event.currentTarget.value })}
          />
          <TextInput
            label={t("numbers.templateLanguage")}
            value={form.templateLanguage}
            onChange={(event) => set({ templateLanguage: event.currentTarget.value })}
          />
        </div>
      </section>
      {known && connection}
      <SaveBar saving={saving} />
    </Form>
  );
}

interface WordRowsProps {
  legend: string;
  about: string;
  add: string;
  targetLabel: string;
  targets: { value: string; label: string }[];
  /** The target of a new word, and of one whose target was taken back. */
  fallback: string;
  /** What is wrong with a target. */
  problemOf?: (target: string) => string | undefined;
  rows: Row<Word>[];
  onChange: (rows: Row<Word>[]) => void;
}

/** Words, each with what it leads to. */
function WordRows({ targetLabel, targets, fallback, problemOf, ...list }: WordRowsProps) {
  const { t } = useTranslation("settings");
  return (
    <Rows {...list} empty={{ word: "", target: fallback }}>
      {(row, change) => (
        <>
          <TextInput
            aria-label={t("numbers.word")}
            placeholder={t("numbers.word")}
            value={row.word}
            onChange={(event) => change({ word: event.currentTarget.value })}
          />
          <Select
            aria-label={targetLabel}
            data={targets}
            value={row.target}
            error={problemOf?.(row.target)}
            onChange={(target) => change({ target: target ?? fallback })}
          />
        </>
      )}
    </Rows>
  );
}

interface ConnectionProps {
  form: ReturnType<typeof first>;
  set: (changed: Partial<ReturnType<typeof first>>) => void;
  known: PhoneNumber | undefined;
}

/** What connects the number with Meta. Secrets are never shown again; empty fields keep them. */
function Connection({ form, set, known }: ConnectionProps) {
  const { t } = useTranslation("settings");
  const address = session().webhook;
  const kept = known ? t("numbers.kept") : undefined;
  return (
    <section>
      <h2>{t("numbers.connection")}</h2>
      <div className="form-pair">
        <TextInput
          label={t("numbers.id")}
          description={t("numbers.idAbout")}
          required
          pattern="[0-9]{1,20}"
          disabled={known !== undefined}
          value={form.id}
          onChange={(event) => set({ id: event.currentTarget.value })}
        />
        <TextInput
          label={t("numbers.display")}
          description={t("numbers.displayAbout")}
          required
          value={form.display}
          onChange={(event) => set({ display: event.currentTarget.value })}
        />
      </div>
      {SECRETS.map((secret) => (
        <PasswordInput
          key={secret}
          label={t(`numbers.${secret}`)}
          description={t(`numbers.${secret}About`)}
          placeholder={kept}
          required={!known}
          autoComplete="off"
          value={form[secret]}
          onChange={(event) => set({ [secret]: event.currentTarget.value })}
        />
      ))}
      <p className="flush">
        {t("numbers.webhook")} <code>{address}</code>{" "}
        <CopyButton value={address}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {t(copied ? "copied" : "copy")}
            </Button>
          )}
        </CopyButton>
      </p>
    </section>
  );
}
