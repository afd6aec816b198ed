import { TextInput } from "@mantine/core";
import { Rows, type Row } from "./Rows.tsx";

export interface Pair {
  name: string;
  value: string;
}

interface PairRowsProps {
  rows: Row<Pair>[];
  onChange: (rows: Row<Pair>[]) => void;
  legend: string;
  about: string;
  add: string;
  /** What the two fields of a line are called. */
  name: string;
  value: string;
}

/** A list of names, each with a value. */
export function PairRows({ name, value, ...list }: PairRowsProps) {
  return (
    <Rows {...list} empty={{ name: "", value: "" }}>
      {(row, change) => (
        <>
          <TextInput
            aria-label={name}
            placeholder={name}
            value={row.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <TextInput
            aria-label={value}
            placeholder={value}
            value={row.value}
            onChange={(event) => change({ value: event.currentTarget.value })}
          />
        </>
      )}
    </Rows>
  );
}
