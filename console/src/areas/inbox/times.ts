import type { components } from "../../generated/api.ts";
import { locale } from "../../i18n/words.ts";

type Wait = components["schemas"]["WaitResponse"];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time of day. */
export function clock(at: string): string {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** The date in words. */
export function day(at: string): string {
  return new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long" }).format(
    new Date(at),
  );
}

/** For a list: today's time, or the date of another day. */
export function short(at: string, now = new Date()): string {
  const when = new Date(at);
  if (when.toDateString() === now.toDateString()) return clock(at);
  const year = when.getFullYear() === now.getFullYear() ? undefined : ("2-digit" as const);
  return new Intl.DateTimeFormat(locale(), { day: "2-digit", month: "2-digit", year }).format(when);
}

/** When something is: today's time, the weekday and time within a week, otherwise the date and time. */
export function moment(at: string, now: number): string {
  const when = new Date(at);
  if (when.toDateString() === new Date(now).toDateString()) return clock(at);
  const isNear = Math.abs(when.getTime() - now) < 6 * DAY;
  const date = isNear ? ({ weekday: "short" } as const) : ({ day: "2-digit", month: "2-digit" } as const);
  return new Intl.DateTimeFormat(locale(), { ...date, hour: "2-digit", minute: "2-digit" }).format(when);
}

/** How long a person has waited for an agent, within the office's hours, in milliseconds. */
export function waited({ seconds, counts_from }: Wait, now: number): number {
  return seconds * 1000 + (counts_from === null ? 0 : Math.max(0, now - Date.parse(counts_from)));
}

/** How long something lasts, in the largest unit that fits: "5 min", "3 h", "2 days". */
export function duration(milliseconds: number): string {
  const [value, unit] =
    milliseconds < HOUR
      ? [Math.max(1, Math.floor(milliseconds / MINUTE)), "minute"]
      : milliseconds < DAY
        ? [Math.floor(milliseconds / HOUR), "hour"]
        : [Math.floor(milliseconds / DAY), "day"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "short" }).format(value);
}
