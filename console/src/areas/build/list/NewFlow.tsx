import { Button, Select, TextInput, UnstyledButton } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { FLOW_LANGUAGES, identifier, newFlow } from "../../../flow/edit.ts";
import { EXAMPLES } from "../../../generated/examples.ts";
import { languageName } from "../../../i18n/format.ts";
import { Form } from "../../../ui/Form.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { createAll, freeId, fromExample } from "./create.ts";
import { Dialog } from "../../../ui/Dialog.tsx";

/** A new flow: its name, its language, and where it begins: empty or as an example. */
export function NewFlow({ taken, onClose }: { taken: readonly string[]; onClose: () => void }) {
  const { t, i18n } = useTranslation(["build", "shell"]);
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [language, setLanguage] = useState(i18n.language === "pt" ? "pt_BR" : i18n.language);
  const [example, setExample] = useState<string>();
  const examples = EXAMPLES.map(({ id, languages, words }) => ({
    id,
    languages: languages.map(languageName).join(" · "),
    ...(words[i18n.language] ?? words["en"]!),
  })).toSorted((one, other) => one.name.localeCompare(other.name));
  const chosen = examples.find(({ id }) => id === example);
  const create = useMutation({
    mutationFn: async () => {
      const called = name.trim() || chosen!.name;
      const id = freeId(identifier(called), taken);
      await createAll(
        chosen ? await fromExample(chosen.id, id, called, taken) : [newFlow(id, called, language)],
      );
      return id;
    },
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ["flows"] });
      await navigate(`/build/${id}`);
    },
  });
  return (
    <Dialog opened onClose={onClose} title={t("new.title")} size="lg">
      <Form
        className="build-stack"
        onSubmit={() => {
          if (name.trim() || example) create.mutate();
        }}
      >
        <TextInput
          data-autofocus
          label={t("new.name")}
          placeholder={chosen?.name ?? t("new.nameHint")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {!example && (
          <Select
            label={t("new.language")}
            data={FLOW_LANGUAGES.map((code) => ({ value: code, label: languageName(code) }))}
            value={language}
            onChange={(next) => setLanguage(next ?? language)}
          />
        )}
        <strong id="gallery">{t("new.gallery")}</strong>
        <ul className="build-gallery" aria-labelledby="gallery">
          <li>
            <UnstyledButton
              className="build-example"
              aria-pressed={!example}
              onClick={() => setExample(undefined)}
            >
              {t("new.empty")}
            </UnstyledButton>
          </li>
          {examples.map((one) => (
            <li key={one.id}>
              <UnstyledButton
                className="build-example"
                aria-pressed={example === one.id}
                aria-labelledby={`example-${one.id}`}
                aria-describedby={`about-${one.id}`}
                onClick={() => setExample(one.id)}
              >
                <strong id={`example-${one.id}`}>{one.name}</strong>
                <span id={`about-${one.id}`}>
                  {one.about} <small>{one.languages}</small>
                </span>
              </UnstyledButton>
            </li>
          ))}
        </ul>
        {create.isError && <Problem error={create.error} />}
        <div className="build-dialog-end">
          <Button variant="default" onClick={onClose}>
            {t("shell:cancel")}
          </Button>
          <Button type="submit" disabled={!name.trim() && !example} loading={create.isPending}>
            {t("new.create")}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
