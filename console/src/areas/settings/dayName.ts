import { locale } from "../../i18n/words.ts";

const A_MONDAY = Date.UTC(2026, 0, 5);

/** The short name of a day of the week; Monday is 0. */
export function dayName(day: number): string {
  const format = new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" });
  return format.format(A_MONDAY + day * 86_400_000);
}
