import { locale } from "../../i18n/words.ts";

const UNITS = [
  { unit: "megabyte", bytes: 1_000_000 },
  { unit: "kilobyte", bytes: 1_000 },
  { unit: "byte", bytes: 1 },
] as const;

/** A number of bytes as people read it. */
export function useSize(): (bytes: number) => string {
  return (bytes) => {
    const { unit, bytes: one } = UNITS.find((each) => bytes >= each.bytes) ?? UNITS[2];
    const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
    return new Intl.NumberFormat(locale(), options).format(bytes / one);
  };
}
