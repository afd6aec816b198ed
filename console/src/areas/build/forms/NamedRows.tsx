import { TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Data } from "../../../flow/document.ts";
import { isEqual } from "../../../flow/patch.ts";
import { ListPart } from "./ListPart.tsx";

interface Row {
  name: string;
  value: unknown;
}

interface NamedRowsProps {
  label: string;
  about?: string | undefined;
  value: unknown;
  onChange: (value: Data | undefined) => void;
  error?: string | undefined;
  /** What a new row has. */
  fresh: unknown;
  /** The value is below its name: it can be more than a line. */
  isStacked?: boolean;
  /** What is wrong with a name. */
  wrong?: (name: string) => string | undefined;
  /** The field of a row's value. */
  children: (
    value: unknown,
    change: (value: unknown) => void,
    row: { name: string; number: number },
  ) => ReactNode;
}

/** Names with values. A row without a name is not in the document, and stays here until it has one. */
export function NamedRows({ label, about, value, onChange, error, ...rest }: NamedRowsProps) {
  const { fresh, isStacked, wrong, children } = rest;
  const { t } = useTranslation("build");
  const [written, setWritten] = useState<{ rows: Row[]; as: unknown }>();
  const stored = Object.entries((value ?? {}) as Data).map(([name, one]): Row => ({ name, value: one }));
  const rows = written && isEqual(written.as, value ?? {}) ? written.rows : stored; // after an undo, those of the document
  function put(next: Row[] = []) {
    const named = next.filter(({ name }) => name);
    const as = Object.fromEntries(named.map((row) => [row.name, row.value]));
    setWritten({ rows: next, as });
    onChange(named.length ? as : undefined);
  }
  return (
    <ListPart
      label={label}
      about={about}
      add={t("form.add")}
      items={rows}
      fresh={() => ({ name: "", value: fresh })}
      onChange={put}
      error={error}
    >
      {(row, change, index) => (
        <div className={isStacked ? "build-comparison" : "build-row"}>
          <TextInput
            aria-label={t("form.pairName", { number: index + 1 })}
            placeholder={t("field.name")}
            value={row.name}
            onChange={(event) => change({ ...row, name: event.currentTarget.value })}
            error={wrong?.(row.name)}
          />
          {children(row.value, (next) => change({ ...row, value: next }), {
            name: row.name,
            number: index + 1,
          })}
        </div>
      )}
    </ListPart>
  );
}
