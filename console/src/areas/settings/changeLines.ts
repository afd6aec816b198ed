import type { Change } from "../../api/changes.ts";

/** What a value was and is. */
export interface ChangeLine {
  /** The entry of a list, by its name: its id may say nothing to people. */
  entry: string | undefined;
  field: string | undefined;
  /** Words that people chose, such as the name of a constant. */
  inside: readonly string[];
  before: unknown;
  after: unknown;
  /** The values are not recorded. */
  hidden: boolean;
}

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

type Fields = Readonly<Record<string, unknown>>;

const LISTS: ReadonlySet<Change["resource"]> = new Set(["teams", "canned_replies", "timetables"]);

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entryName(id: string, values: readonly unknown[]): string {
  const value = values.findLast(isFields);
  const name = value?.["title"] ?? value?.["name"];
  return typeof name === "string" ? name : id;
}

type Value = Pick<ChangeLine, "inside" | "before" | "after">;

/** The values that differ, with the words that lead to them. */
function differing(inside: readonly string[], before: unknown, after: unknown): Value[] {
  if (!isFields(before) && !isFields(after)) {
    const isSame = JSON.stringify(before ?? null) === JSON.stringify(after ?? null);
    return isSame ? [] : [{ inside, before, after }];
  }
  const [old, now] = [before, after].map((value) => (isFields(value) ? value : {})) as [Fields, Fields];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) =>
    differing([...inside, key], old[key], now[key]),
  );
}

/** Opening hours, such as `Mon, Tue 09:00–18:00`, of a value that is some; `dayName` names a day of the week, Monday is 0. */
export function hoursText(value: unknown, dayName: (day: number) => string): string | undefined {
  if (!isFields(value) || !Array.isArray(value["days"])) return undefined;
  const days = value["days"].map((day) => dayName(DAYS.indexOf(String(day))));
  return `${days.join(", ")} ${String(value["opens"])}–${String(value["closes"])}`;
}

/** The lines of a change: one for each value that differs. */
export function changeLines({ resource, fields }: Pick<Change, "resource" | "fields">): ChangeLine[] {
  const isList = LISTS.has(resource);
  return Object.entries(fields).flatMap(([key, values]) => {
    const entry = isList ? entryName(key, values) : undefined;
    const hidden = values.length === 0;
    const found = hidden
      ? [{ inside: [], before: undefined, after: undefined }]
      : differing([], values[0], values[1]);
    return found.map(({ inside, ...value }) => {
      const [first, ...rest] = isList ? inside : [key, ...inside];
      return { entry, field: first, inside: rest, ...value, hidden };
    });
  });
}
