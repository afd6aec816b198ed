import { ActionIcon, Button, Input } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../../ui/Icon.tsx";

interface ListPartProps<Item> {
  label: string;
  /** Help below the label. */
  about?: string | undefined;
  add: string;
  items: readonly Item[];
  fresh: () => Item;
  onChange: (items: Item[] | undefined) => void;
  /** What is wrong with the list as a whole. */
  error?: string | undefined;
  children: (item: Item, change: (item: Item) => void, index: number) => ReactNode;
}

/** A list whose items have fields of their own; they can be added, moved and removed. */
export function ListPart<Item>({ error, ...props }: ListPartProps<Item>) {
  const { label, about, add, items, fresh, onChange, children } = props;
  const { t } = useTranslation("build");
  const put = (next: Item[]) => onChange(next.length ? next : undefined);
  function swap(index: number) {
    const next = [...items];
    [next[index - 1], next[index]] = [next[index]!, next[index - 1]!];
    put(next);
  }
  return (
    <fieldset className="build-list">
      <legend>{label}</legend>
      {about && <Input.Description>{about}</Input.Description>}
      {items.map((item, index) => (
        <div key={index} className="build-list-item">
          <div className="build-list-fields">
            {children(item, (next) => put(items.map((one, at) => (at === index ? next : one))), index)}
          </div>
          <div className="build-list-tools">
            {index > 0 && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={t("form.up", { number: index + 1 })}
                onClick={() => swap(index)}
              >
                ↑
              </ActionIcon>
            )}
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("form.remove", { number: index + 1 })}
              onClick={() => put(items.filter((_, at) => at !== index))}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
        </div>
      ))}
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon name="plus" size={14} />}
        onClick={() => put([...items, fresh()])}
      >
        {add}
      </Button>
      {error && <Input.Error>{error}</Input.Error>}
    </fieldset>
  );
}
