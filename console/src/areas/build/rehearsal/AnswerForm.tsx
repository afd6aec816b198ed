import { ActionIcon, Button, Menu, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../../ui/Form.tsx";
import { Icon } from "../../../ui/Icon.tsx";
import { FieldPart } from "../forms/FieldPart.tsx";
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
  kind: "text" | "number" | "group";
  value?: string | number;
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
  form: [{ name: "response", kind: "group" }],
  event: [{ name: "payload", kind: "group" }],
};

/** What the phone shows of a value that was given. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  return Object.entries(value)
    .map(([name, one]) => `${name}: ${typeof one === "string" ? one : JSON.stringify(one)}`)
    .join(", ");
}

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
  const [values, setValues] = useState<Readonly<Record<string, unknown>>>(() =>
    Object.fromEntries(fields.map(({ name, value }) => [name, given[name] ?? value])),
  );
  const set = (name: string, value: unknown) => setValues((before) => ({ ...before, [name]: value }));

  function submit() {
    const shown = fields.map(({ name }) => textOf(values[name])).filter(Boolean);
    onSend({
      input: inputOf(kind, values, event),
      said: [t(`give.${kind}`), shown.join(" · ")].filter(Boolean).join(": "),
    });
  }

  return (
    <Form className="build-phone-call" onSubmit={submit}>
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
              value={values[name] as number | string}
              onChange={(value) => set(name, value)}
            />
          );
        if (field === "group")
          return (
            <FieldPart
              key={name}
              field={{ name, kind: field }}
              value={values[name]}
              onChange={(value) => set(name, value)}
            />
          );
        return (
          <TextInput
            key={name}
            size="xs"
            label={label}
            required={required}
            value={String(values[name] ?? "")}
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
    </Form>
  );
}
