import { Button, Input, NativeSelect, TextInput } from "@mantine/core";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../ui/Form.tsx";
import { MOST_DAYS, PRESETS, rangeOf, type Period, type PeriodProblem } from "./period.ts";

interface SelectProps {
  period: Period;
  isChoosing: boolean;
  /** A number of days, or null: the person wants to name two days. */
  choose: (days: number | null) => void;
}

/** The usual periods, and one for two days of the person's choice. */
export function PeriodSelect({ period, isChoosing, choose }: SelectProps) {
  const { t } = useTranslation("measure");
  return (
    <NativeSelect
      aria-label={t("period")}
      value={isChoosing || "from" in period ? "range" : String(period.days)}
      data={[
        ...PRESETS.map((value) => ({ value: String(value), label: t("days", { count: value }) })),
        { value: "range", label: t("range.choose") },
      ]}
      onChange={({ currentTarget: { value } }) => choose(value === "range" ? null : Number(value))}
    />
  );
}

interface RangeProps {
  period: Period;
  problem: PeriodProblem | null;
  today: string;
  apply: (range: { from: string; to: string }) => void;
}

/** Two days. Reports are asked for when both are chosen, not while a date is being typed. */
export function RangeForm({ period, problem, today, apply }: RangeProps) {
  const { t } = useTranslation("measure");
  const [range, setRange] = useState(() => rangeOf(period, today));
  const about = useId();
  return (
    <Form
      className="measure-range"
      aria-label={t("range.title")}
      aria-describedby={about}
      noValidate
      onSubmit={() => apply(range)}
    >
      {(["from", "to"] as const).map((end) => (
        <TextInput
          key={end}
          type="date"
          label={t(`range.${end}`)}
          max={today}
          error={problem !== null}
          value={range[end]}
          onChange={(event) => setRange({ ...range, [end]: event.currentTarget.value })}
        />
      ))}
      <Button type="submit" variant="default">
        {t("range.apply")}
      </Button>
      <div id={about} className="measure-range-about">
        {problem ? (
          <Input.Error role="alert">{t(`range.${problem}`, { count: MOST_DAYS })}</Input.Error>
        ) : (
          <Input.Description>{t("range.about", { count: MOST_DAYS })}</Input.Description>
        )}
      </div>
    </Form>
  );
}
