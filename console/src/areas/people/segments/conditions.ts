import type { Condition } from "../../../api/segments.ts";

/** What a person can choose to compare; some need a name or a flow too. */
export const KINDS = [
  "tags",
  "fields",
  "language",
  "country",
  "name",
  "consent.marketing",
  "consent.utility",
  "last_activity",
  "created_at",
  "flow.completed",
  "flow.started",
  "flow.handed_off",
  "flow.expired",
] as const;
export type Kind = (typeof KINDS)[number];

const FIELDS = "fields.";
const TEXTS = ["==", "!=", "contains", "not_contains", "starts_with", "is_empty", "is_not_empty"] as const;
const VALUES = [...TEXTS, ">", ">=", "<", "<="] as const;
/** Of a time: within, or longer ago than, a number of days. */
const TIMES = [">", "<"] as const;
const SAME = ["==", "!="] as const;
export type Operator = (typeof VALUES)[number];

/** A condition as the form shows it. */
export interface Line {
  kind: Kind;
  /** The name of the field, for `fields`. */
  name: string;
  operator: Operator;
  value: string;
  /** For flows: how far back. */
  days: number | "";
}

export const FIRST: Line = { kind: "tags", name: "", operator: "contains", value: "", days: "" };
export const DAYS = 90;

export function isFlow(kind: Kind): boolean {
  return kind.startsWith("flow.");
}

export function isConsent(kind: Kind): boolean {
  return kind.startsWith("consent.");
}

export function isTime(kind: Kind): boolean {
  return kind === "last_activity" || kind === "created_at";
}

/** The operators that a kind has, the usual one first. */
export function operatorsOf(kind: Kind): readonly Operator[] {
  if (kind === "tags") return ["contains", "not_contains", "is_empty", "is_not_empty"];
  if (isTime(kind)) return TIMES;
  if (isFlow(kind) || isConsent(kind)) return SAME;
  return kind === "fields" ? VALUES : TEXTS;
}

export function needsValue({ operator }: Line): boolean {
  return operator !== "is_empty" && operator !== "is_not_empty";
}

/** The line with another kind; what does not fit becomes the usual choice. */
export function withKind(line: Line, kind: Kind): Line {
  const operators = operatorsOf(kind);
  const value = isConsent(kind) ? "granted" : isTime(kind) ? "30" : "";
  return {
    ...line,
    kind,
    operator: operators.includes(line.operator) ? line.operator : operators[0]!,
    value,
    days: isFlow(kind) ? DAYS : "",
  };
}

/** A stored condition as a line; undefined if the form cannot show it without changing it. */
export function lineOf({ field, operator, value, days }: Condition): Line | undefined {
  const name = field.startsWith(FIELDS) ? field.slice(FIELDS.length) : "";
  const kind = name ? "fields" : KINDS.find((one) => one === field);
  if (!kind || !(operatorsOf(kind) as readonly string[]).includes(operator)) return undefined;
  const line: Line = { kind, name, operator: operator as Operator, value: "", days: days ?? "" };
  if (!needsValue(line)) return line;
  if (isTime(kind)) {
    const ago = (value as { days_ago?: unknown } | null)?.days_ago;
    return typeof ago === "number" ? { ...line, value: String(ago) } : undefined;
  }
  return typeof value === "string" || typeof value === "number"
    ? { ...line, value: String(value) }
    : undefined;
}

/** The condition as the API takes it. */
export function conditionOf(line: Line): Condition {
  const { kind, name, operator, value, days } = line;
  const field = kind === "fields" ? FIELDS + name.trim() : kind;
  const condition: Condition = { field, operator };
  if (needsValue(line)) condition.value = isTime(kind) ? { days_ago: Number(value) } : value.trim();
  if (isFlow(kind) && days !== "") condition.days = days;
  return condition;
}
