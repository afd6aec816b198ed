import { locale } from "./words.ts";

/** A number as the person's language writes it. */
export function count(value: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);
}

/** A share as the person's language writes it, in percent. */
export function percent(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(value);
}

const UNITS = [
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** How long something takes, in the unit that fits: "45 sec", "1.5 min". */
export function seconds(value: number): string {
  const [unit, size] = UNITS.find(([, one]) => value >= one) ?? UNITS[2];
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(locale(), style).format(value / size);
}

/** A day with the time, in short. */
export function moment(time: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "short" }).format(new Date(time));
}

/** The name of a language by its code, such as `pt_BR`, in the person's language; the code if there is none. */
export function languageName(code: string): string {
  try {
    const name = new Intl.DisplayNames(locale(), { type: "language" }).of(code.replace("_", "-")) ?? code;
    return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
  } catch {
    return code;
  }
}
