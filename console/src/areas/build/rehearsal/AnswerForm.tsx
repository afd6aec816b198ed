import { ActionIcon, Button, Menu, NumberInput, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../../ui/Icon.tsx";
import { inputOf, MEDIA, type Kind, type Said } from "./answers.ts";

const ANYTIME: readonly Kind[] = [...MEDIA, "location", "contacts", "order"];

interface AnswerMenuProps {
  /** What only makes sense now: a reaction to a message, the form that was sent, or the event that the flow waits for. */
  now: readonly Kind[];
  onChoose: (kind: Kind) => void;
}

/** What a person can send besides a text. */
export function AnswerMenu({ now, onChoose }: AnswerMenuProps) {
  const { t } = useTranslation("build");
  return (
    <Menu withinPortal position="top-start">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("rehearsal.other")}>
          <Icon name="attach" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {[...now, ...ANYTIME].map((kind) => (
          <Menu.Item key={kind} onClick={() => onChoose(kind)}>
            {t(`give.${kind}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface Asked {
  name: string;
  kind: "text" | "number" | "json";
  value: string | number;
  required?: boolean;
}

const text = (name: string, value = "", required = false): Asked => ({ name, kind: "text", value, required });
const number = (name: string, value: number): Asked => ({ name, kind: "number", value, required: true });

/** The fields of an answer, with values that can be sent at once. */
const FIELDS: Record<Kind, readonly Asked[]> = {
  image: [text("caption")],
  video: [text("caption")],
  audio: [],
  document: [text("filename", "catalog.pdf"), text("caption")],
  sticker: [],
  location: [number("latitude", -23.5505), number("longitude", -46.6333), text("place"), text("address")],
  contacts: [text("name", "Maria Souza", true), text("phone", "+5511988887777", true)],
  order: [
    text("product", "", true),
    number("quantity", 1),
    number("price", 10),
    text("currency", "BRL", true),
  ],
  reaction: [text("emoji", "👍", true)],
  form: [{ name: "response", kind: "json", value: "{}" }],
  event: [{ name: "payload", kind: "json", value: "{}" }],
};

const NOTHING: Readonly<Record<string, string>> = {};

interface AnswerFormProps {
  kind: Kind;
  /** The name of the event that the flow waits for. */
  event: string;
  /** What a field begins with, in place of the sample. */
  given?: Readonly<Record<string, string>>;
  onSend: (said: Said) => void;
  onCancel: () => void;
}

/** Something that is not a text, filled in by the builder in place of the person or of a program. */
export function AnswerForm({ kind, event, given = NOTHING, onSend, onCancel }: AnswerFormProps) {
  const { t } = useTranslation(["build", "shell"]);
  const fields = FIELDS[kind];
  const [values, setValues] = useState<Readonly<Record<string, string | number>>>(() =>
    Object.fromEntries(fields.map(({ name, value }) => [name, given[name] ?? value])),
  );
  const [wrong, setWrong] = useState(false);
  const set = (name: string, value: string | number) => setValues((before) => ({ ...before, [name]: value }));

  function submit(submitted: FormEvent) {
    submitted.preventDefault();
    try {
      const input = inputOf(kind, values, event);
      const shown = fields.map(({ name }) => values[name]).filter((value) => value !== "" && value !== "{}");
      onSend({ input, said: [t(`give.${kind}`), shown.join(" · ")].filter(Boolean).join(": ") });
    } catch {
      setWrong(true);
    }
  }

  return (
    <form className="build-phone-call" onSubmit={submit}>
      <strong>{t(`give.${kind}`)}</strong>
      {fields.map(({ name, kind: field, required = false }) => {
        const label = t(`give.field.${name as "name"}`);
        if (field === "number")
          return (
            <NumberInput
              key={name}
              size="xs"
              label={label}
              required={required}
              value={values[name] ?? ""}
              onChange={(value) => set(name, value)}
            />
          );
        if (field === "json")
          return (
            <Textarea
              key={name}
              label={label}
              rows={4}
              value={String(values[name])}
              error={wrong && t("form.notJson")}
              onChange={(change) => set(name, change.currentTarget.value)}
            />
          );
        return (
          <TextInput
            key={name}
            size="xs"
            label={label}
            required={required}
            value={values[name] ?? ""}
            onChange={(change) => set(name, change.currentTarget.value)}
          />
        );
      })}
      <div className="build-row">
        <Button size="xs" type="submit">
          {t("rehearsal.send")}
        </Button>
        <Button size="xs" variant="default" onClick={onCancel}>
          {t("shell:cancel")}
        </Button>
      </div>
    </form>
  );
}
