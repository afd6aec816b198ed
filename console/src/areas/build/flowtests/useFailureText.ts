import { useTranslation } from "react-i18next";
import type { TestFailure } from "./tests.ts";

const STATUSES = ["waiting", "completed", "handoff", "failed"] as const;

/** Return what says how a turn ended. */
export function useStatusText(): (status: unknown) => string {
  const { t } = useTranslation("build");
  return (value) => {
    const known = STATUSES.find((one) => one === value);
    return known ? t(`tests.status.${known}`) : String(value);
  };
}

/** Return what says in the person's language where a test first differs. */
export function useFailureText(): (failure: TestFailure) => string {
  const { t } = useTranslation("build");
  const status = useStatusText();
  return ({ part, input, expected, actual }) => {
    const said = saidIn(input);
    const after = said ? t("tests.after", { said }) : t("tests.afterWait");
    if (part === "status")
      return t("tests.differs.status", { after, expected: status(expected), actual: status(actual) });
    if (part !== "texts" && part !== "path")
      return t("tests.differs.other", { after, part: t(`tests.part.${part}`) });
    const [wanted, found] = firstDifference(expected, actual);
    const nothing = t("tests.nothing");
    return t(`tests.differs.${part}`, { after, expected: wanted ?? nothing, actual: found ?? nothing });
  };
}

function saidIn(input: TestFailure["input"]): string {
  if (typeof input === "string") return input;
  const { text, reply_id } = input as { text?: unknown; reply_id?: unknown };
  return String(text ?? reply_id ?? "");
}

/** Return the first entries that differ of two lists. */
export function firstDifference(
  expected: unknown,
  actual: unknown,
): [string | undefined, string | undefined] {
  const [wanted, found] = [expected, actual].map((list) => (Array.isArray(list) ? list.map(String) : []));
  const at = Array.from({ length: Math.max(wanted!.length, found!.length) }).findIndex(
    (_, index) => wanted![index] !== found![index],
  );
  return [wanted![at], found![at]];
}
