import { NativeSelect, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { PhoneNumber } from "../../api/numbers.ts";
import type { MessageTemplate } from "../../api/templates.ts";
import { Form } from "../../ui/Form.tsx";
import { announce } from "../../ui/announce.ts";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { TemplatePreview } from "../../ui/TemplateForm.tsx";
import { createTemplate, examplesOf, partsOf, WRITTEN, type NewTemplate } from "./templates.ts";

const MOST_BUTTONS = 10;
const LONGEST = { name: 512, header: 60, body: 1_024, footer: 60 };

/** Write a template with texts and quick replies. Meta examines it before it can be sent. */
export function TemplateEditor({ numbers, close }: { numbers: PhoneNumber[]; close: () => void }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const [form, setForm] = useState<NewTemplate>({
    phone_number_id: numbers[0]?.phone_number_id ?? "",
    name: "",
    language: "pt_BR",
    category: "UTILITY",
    header: "",
    body: "",
    footer: "",
    buttons: [],
    examples: {},
  });
  const change = (part: Partial<NewTemplate>) => setForm({ ...form, ...part });
  const saving = useMutation({
    mutationFn: () => createTemplate(form),
    onSuccess: () => {
      announce(t("templates.sent"));
      void queries.invalidateQueries({ queryKey: ["templates"] });
      close();
    },
  });
  const text = (field: "header" | "footer") => ({
    label: t(`templates.${field}`),
    maxLength: LONGEST[field],
    value: form[field],
    onChange: (event: { currentTarget: { value: string } }) => change({ [field]: event.currentTarget.value }),
  });
  return (
    <Form onSubmit={() => saving.mutate()}>
      <NativeSelect
        label={t("templates.number")}
        value={form.phone_number_id}
        data={numbers.map((one) => ({ value: one.phone_number_id, label: one.display_phone_number }))}
        onChange={(event) => change({ phone_number_id: event.currentTarget.value })}
      />
      <div className="form-pair">
        <TextInput
          label={t("templates.name")}
          description={t("templates.nameAbout")}
          required
          pattern="[a-z0-9_]+"
          maxLength={LONGEST.name}
          value={form.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <TextInput
          label={t("templates.language")}
          description={t("templates.languageAbout")}
          required
          maxLength={15}
          value={form.language}
          onChange={(event) => change({ language: event.currentTarget.value })}
        />
      </div>
      <NativeSelect
        label={t("templates.category")}
        value={form.category}
        data={WRITTEN.map((value) => ({ value, label: t(`templates.categories.${value}`) }))}
        onChange={(event) => change({ category: event.currentTarget.value as NewTemplate["category"] })}
      />
      <TextInput {...text("header")} />
      <Textarea
        label={t("templates.body")}
        description={t("templates.bodyAbout", { example: "{{1}}" })}
        required
        autosize
        minRows={3}
        maxLength={LONGEST.body}
        value={form.body}
        onChange={(event) => change({ body: event.currentTarget.value })}
      />
      {examplesOf(form).map((key) => (
        <TextInput
          key={key}
          label={t(key.startsWith("header") ? "templates.headerExample" : "templates.example", {
            name: key.slice(key.indexOf(".") + 1),
          })}
          required
          value={form.examples[key] ?? ""}
          onChange={(event) => change({ examples: { ...form.examples, [key]: event.currentTarget.value } })}
        />
      ))}
      <TextInput {...text("footer")} />
      <TagsInput
        label={t("templates.buttons")}
        description={t("templates.buttonsAbout")}
        maxTags={MOST_BUTTONS}
        acceptValueOnBlur
        value={form.buttons}
        onChange={(buttons) => change({ buttons })}
      />
      {form.body && (
        <TemplatePreview template={{ components: partsOf(form) } as MessageTemplate} values={form.examples} />
      )}
      <SaveBar saving={saving} />
    </Form>
  );
}
