/** A time for the field of the browser, in the person's time zone: `2026-11-29T18:30`. */
export function localTime(iso: string | null | undefined): string {
  if (!iso) return "";
  const time = new Date(iso);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
