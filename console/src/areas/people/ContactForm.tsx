import { Select, TagsInput, TextInput } from "@mantine/core";
import type { UseMutationResult } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../ui/Form.tsx";
import { PairRows } from "../../ui/PairRows.tsx";
import { rowsOf } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import type { Contact, ContactChange } from "./queries.ts";

const LANGUAGES = { pt_BR: "Português (Brasil)", es: "Español", en: "English" };

/** Return a field's value as the form shows it: text as it is, anything else as JSON. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Return a field's value: unchanged text keeps the original value and its type. */
export function valueOf(text: string, before: unknown): unknown {
  return before !== undefined && shown(before) === text ? before : text;
}

interface FormProps {
  contact: Contact;
  saving: UseMutationResult<unknown, Error, ContactChange>;
}

/** What the organization keeps of a person. */
export function ContactForm({ contact, saving }: FormProps) {
  const { t } = useTranslation("people");
  const [form, setForm] = useState(() => ({
    name: contact.name,
    language: contact.language,
    tags: contact.tags,
    fields: rowsOf(Object.entries(contact.fields).map(([name, value]) => ({ name, value: shown(value) }))),
  }));
  const languages = Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }));
  const known = languages.some(({ value }) => value === form.language) || !form.language;
  return (
    <Form
      onSubmit={() => {
        const fields = form.fields
          .filter(({ name }) => name.trim())
          .map(({ name, value }) => [name.trim(), valueOf(value, contact.fields[name.trim()])] as const);
        saving.mutate({
          ...form,
          name: form.name.trim(),
          fields: Object.fromEntries(fields),
        } as ContactChange);
      }}
    >
      <dl className="people-facts">
        <dt className="quiet">{t("phone")}</dt>
        <dd>{contact.phone ?? t("hidden")}</dd>
        {contact.username && (
          <>
            <dt className="quiet">{t("username")}</dt>
            <dd>@{contact.username}</dd>
          </>
        )}
      </dl>
      <TextInput
        label={t("name")}
        maxLength={200}
        value={form.name}
        onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
      />
      <Select
        label={t("language")}
        data={known ? languages : [...languages, { value: form.language, label: form.language }]}
        value={form.language || null}
        clearable
        onChange={(language) => setForm({ ...form, language: language ?? "" })}
      />
      <TagsInput
        label={t("tags")}
        value={form.tags}
        acceptValueOnBlur
        onChange={(tags) => setForm({ ...form, tags })}
      />
      <PairRows
        legend={t("fields")}
        about={t("fieldsAbout")}
        add={t("addField")}
        name={t("field")}
        value={t("value")}
        rows={form.fields}
        onChange={(fields) => setForm({ ...form, fields })}
      />
      <SaveBar saving={saving} />
    </Form>
  );
}
