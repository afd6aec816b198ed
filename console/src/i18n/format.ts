import { locale } from "./words.ts";

/** A number as the person's language writes it. */
export function count(value: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);
}

/** A share as the person's language writes it, in percent. */
export function percent(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(value);
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
