import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { componentsOf, isFilled, type MessageTemplate, type TemplateValues } from "../../api/templates.ts";
import { Form } from "../../ui/Form.tsx";
import { announce } from "../../ui/announce.ts";
import { later } from "../../ui/later.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { readAgain, send, type Key } from "./queries.ts";

const TemplateForm = later(async () => (await import("../../ui/TemplateForm.tsx")).TemplateForm);

/** A template, which WhatsApp also delivers when the person last wrote more than 24 hours ago. */
export function TemplateMessage({ conversationKey, seen }: { conversationKey: Key; seen: number }) {
  const { t } = useTranslation("inbox");
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState<MessageTemplate>();
  const [values, setValues] = useState<TemplateValues>({});
  // A changed message is another message.
  const [requestId, renew] = useState(() => crypto.randomUUID());
  const sending = useMutation({
    mutationFn: ({ name, language }: MessageTemplate) => {
      const template = { name, language, components: chosen ? componentsOf(chosen, values) : [] };
      return send(conversationKey, { template }, requestId, seen);
    },
    onSuccess: ({ turn }) => {
      readAgain(queries, conversationKey, turn);
      setOpen(false);
      choose(undefined);
      announce(t("done.sent"));
    },
    onError: () => readAgain(queries, conversationKey),
  });
  if (!open)
    return (
      <Button size="xs" variant="default" onClick={() => setOpen(true)}>
        {t("template")}
      </Button>
    );
  const changed = (next: TemplateValues) => {
    setValues(next);
    renew(crypto.randomUUID());
  };
  return (
    <Form
      onSubmit={() => {
        if (chosen && isFilled(chosen, values)) sending.mutate(chosen);
      }}
    >
      <TemplateForm
        chosen={chosen}
        choose={(template) => {
          choose(template);
          changed({});
        }}
        values={values}
        change={changed}
      />
      {sending.isError && <Problem error={sending.error} />}
      <Button type="submit" disabled={!chosen || !isFilled(chosen, values)} loading={sending.isPending}>
        {t("send")}
      </Button>
    </Form>
  );
}
