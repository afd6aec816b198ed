import { NativeSelect } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { count, percent } from "../../i18n/format.ts";
import { Bar } from "./parts.tsx";
import type { Answers } from "./queries.ts";

/** How often a question got which answer, as bars: of all answers that were found, not only of those that are shown. */
export function AnswerChart({ questions, counts }: Pick<Answers, "questions" | "counts">) {
  const { t } = useTranslation("measure");
  const [chosen, choose] = useState("");
  const asked = counts.filter(({ answered }) => answered > 0);
  const shown = asked.find(({ variable }) => variable === chosen) ?? asked[0];
  if (!shown) return null;
  const nameOf = (variable: string) =>
    questions.find((one) => one.variable === variable)?.question ?? variable;
  const rows = shown.most_frequent.map(({ value, count: times }) => [value, times] as const);
  if (shown.others > 0) rows.push([t("answers.others"), shown.others]);
  return (
    <section className="measure-answers" aria-label={t("answers.chart")}>
      <NativeSelect
        label={t("answers.chart")}
        className="measure-query"
        value={shown.variable}
        data={asked.map(({ variable }) => ({ value: variable, label: nameOf(variable) }))}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      <table>
        <tbody>
          {rows.map(([value, times]) => (
            <tr key={value}>
              <th scope="row">{value}</th>
              <td>
                <Bar
                  share={times / shown.answered}
                  text={`${count(times)} (${percent(times / shown.answered)})`}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
