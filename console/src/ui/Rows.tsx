import { ActionIcon, Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "./Icon.tsx";

/** One line of a list that a person edits; `id` stays while the rest changes. */
export type Row<Value> = Value & { id: number };

let last = 0;

/** Give each value an id of its own. */
export function rowsOf<Value extends object>(values: readonly Value[]): Row<Value>[] {
  return values.map((value) => ({ ...value, id: ++last }));
}

interface RowsProps<Value> {
  rows: Row<Value>[];
  onChange: (rows: Row<Value>[]) => void;
  empty: Value;
  add: string;
  legend: string;
  /** The heading of the page already says what the legend says. */
  isLegendUnseen?: boolean;
  about?: string;
  /** The fields of a line. */
  children: (row: Row<Value>, change: (changed: Partial<Value>) => void) => ReactNode;
}

/** A list of lines with the same fields: lines can be added and removed. */
export function Rows<Value extends object>(props: RowsProps<Value>) {
  const { t } = useTranslation();
  const { rows, onChange, empty, children } = props;
  const changed = (id: number, value: Partial<Value>) =>
    onChange(rows.map((row) => (row.id === id ? { ...row, ...value } : row)));
  return (
    <fieldset className="form-rows">
      <legend className={props.isLegendUnseen ? "unseen" : undefined}>{props.legend}</legend>
      {props.about && <p className="quiet flush">{props.about}</p>}
      {rows.map((row) => (
        <div key={row.id} className="form-row">
          {children(row, (value) => changed(row.id, value))}
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t("remove")}
            onClick={() => onChange(rows.filter(({ id }) => id !== row.id))}
          >
            <Icon name="close" size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="subtle"
        size="xs"
        leftSection={<Icon name="plus" size={14} />}
        onClick={() => onChange([...rows, ...rowsOf([empty])])}
      >
        {props.add}
      </Button>
    </fieldset>
  );
}
