import { ActionIcon, Menu, Textarea } from "@mantine/core";
import { useRef, type ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { TypeIcon } from "../canvas/TypeIcon.tsx";
import { useInspected } from "../editor/state.tsx";
import { useCompletion } from "./Completed.tsx";
import type { Errors } from "./errors.ts";
import type { Field } from "./fields.ts";

const EMOJI = [..."😀😊😉👋🙏👍👏🎉❤️✅❌⚠️📅⏰📍📞✉️💬🛒💳🧾📦🚚🏠🏥🎓🍕☀️🌙⭐"].filter(
  (part) => part !== "\uFE0F",
);

export interface FieldProps {
  field: Field;
  value: unknown;
  onChange: (value: unknown) => void;
  /** What is wrong with the value and its parts. */
  errors?: Errors;
}

export interface PartProps extends FieldProps {
  label: string;
  /** Help below the label. */
  about?: string | undefined;
  errors: Errors;
  /** What is wrong with all of it, as one text. */
  error?: string | undefined;
  /** Shows a field inside of this part. */
  nested: ComponentType<FieldProps>;
}

/** Return the names that a text can contain: variables of the flow, and what is always there. */
export function useVariables(): string[] {
  const { inspection } = useInspected();
  const own = (inspection?.completion.variables ?? []).map(({ name }) => name);
  return [...own, "contact.name", "contact.phone", "now", "today"];
}

/** A text that people read: with emoji, and values of variables. */
export function TextPart({ label, value, onChange, error }: PartProps) {
  const { t } = useTranslation("build");
  const field = useRef<HTMLTextAreaElement>(null);
  const variables = useVariables();
  const text = typeof value === "string" ? value : "";
  const completion = useCompletion(field, text, onChange);

  function insert(piece: string) {
    const area = field.current;
    const [from, to] = [area?.selectionStart ?? text.length, area?.selectionEnd ?? text.length];
    onChange(text.slice(0, from) + piece + text.slice(to));
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(from + piece.length, from + piece.length);
    });
  }

  return (
    <div className="build-text">
      <Textarea
        {...completion.props}
        label={label}
        error={error}
        rows={Math.min(8, Math.max(2, text.split("\n").length + 1))}
      />
      {completion.list}
      <div className="build-text-tools">
        <Menu withinPortal position="bottom-end" width={220}>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("form.insertVariable", { field: label })}
            >
              <TypeIcon type="set_variable" size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown className="build-menu">
            <Menu.Label>{t("form.variables")}</Menu.Label>
            {variables.map((name) => (
              <Menu.Item key={name} onClick={() => insert(`{{${name}}}`)}>
                {name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Menu withinPortal position="bottom-end" width={230}>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("form.insertEmoji", { field: label })}
            >
              ☺
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown className="build-emoji">
            {EMOJI.map((emoji) => (
              <Menu.Item key={emoji} onClick={() => insert(emoji)}>
                {emoji}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </div>
    </div>
  );
}
