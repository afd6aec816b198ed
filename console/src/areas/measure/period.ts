/** The days that reports cover: the last so many until today, or those between two days, both included. */
export type Period = { days: number } | { from: string; to: string };
export type PeriodProblem = "incomplete" | "order" | "future" | "tooLong";

export const PRESETS: readonly number[] = [7, 30, 90, 365];
export const MOST_DAYS = 365; // more are refused by the API
const STANDARD = 30;
const DAY = 86_400_000; // milliseconds

/** The period that an address names. */
export function periodIn(search: URLSearchParams): Period {
  const [from, to] = [search.get("from"), search.get("to")];
  if (from !== null || to !== null) return { from: from ?? "", to: to ?? "" };
  return { days: PRESETS.find((one) => String(one) === search.get("days")) ?? STANDARD };
}

/** The day of a time in UTC, as the API writes days. */
export function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The day of a time where the person is. */
export function localDay(time: number): string {
  return utcDay(time - new Date(time).getTimezoneOffset() * 60_000);
}

/** The first and the last day of a period. */
export function rangeOf(period: Period, today: string): { from: string; to: string } {
  if ("from" in period) return period;
  return { from: utcDay(Date.parse(today) - (period.days - 1) * DAY), to: today };
}

/** Why reports cannot cover a period; null if they can. */
export function problemOf(period: Period, today: string): PeriodProblem | null {
  if ("days" in period) return null;
  const [first, last] = [Date.parse(period.from), Date.parse(period.to)];
  if (Number.isNaN(first) || Number.isNaN(last)) return "incomplete";
  if (first > last) return "order";
  if (period.to > today) return "future";
  return (last - first) / DAY >= MOST_DAYS ? "tooLong" : null;
}
