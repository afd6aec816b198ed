import "./comparison.css";
import { Alert, NativeSelect, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { count, percent } from "../i18n/format.ts";
import { locale } from "../i18n/words.ts";
import type { components } from "../generated/api.ts";

type Schemas = components["schemas"];
/** One of the ways that are compared. */
export interface Compared extends Omit<Schemas["CampaignArm"], "weight"> {
  name: string;
}
type Judged = Omit<Schemas["CampaignComparison"], "arms" | "statement">;

const EFFECTS = [0.005, 0.01, 0.02, 0.05, 0.1] as const;
const USUAL = 0.02;
const POINTS = 100;

/** The offered effect that a text names, else the usual one. */
export function effectOf(text: string): number {
  return EFFECTS.find((one) => String(one) === text) ?? USUAL;
}

/** The choice of the smallest difference that matters. */
export function EffectSelect({ value, set }: { value: number; set: (value: string) => void }) {
  const { t } = useTranslation("comparison");
  return (
    <NativeSelect
      label={t("smallest")}
      value={String(value)}
      data={EFFECTS.map((one) => ({ value: String(one), label: points(one) }))}
      onChange={(event) => set(event.currentTarget.value)}
    />
  );
}

/** A share as percentage points. */
function points(share: number, signed = false): string {
  const format = new Intl.NumberFormat(locale(), {
    maximumFractionDigits: 1,
    signDisplay: signed ? "exceptZero" : "auto",
  });
  return format.format(share * POINTS);
}

interface ComparisonProps {
  /** What is compared: the head of the first column. */
  what: string;
  rows: readonly Compared[];
  judged: Judged;
  smallest: number;
  /** The chance of a false alarm, over all looks. */
  alpha: number;
}

/** Ways of an experiment against the first one: is one better, and may the comparison be believed? */
export function Comparison({ what, rows, judged, smallest, alpha }: ComparisonProps) {
  const { t } = useTranslation("comparison");
  const { conclusion, people_needed: needed, sample_ratio_mismatch: mismatch } = judged;
  return (
    <>
      {mismatch ? (
        <Alert color="red" title={t("mismatch")} mb="sm">
          {t("mismatchText")}
        </Alert>
      ) : (
        <p>
          <strong>{t(`conclusion.${conclusion}`, { points: points(smallest) })}</strong>
        </p>
      )}
      <Table className="comparison" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{what}</Table.Th>
            <Table.Th>{t("people")}</Table.Th>
            <Table.Th>{t("reached")}</Table.Th>
            <Table.Th>{t("difference")}</Table.Th>
            <Table.Th>{t("result")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr key={row.name}>
              <Table.Td>{row.name}</Table.Td>
              <Table.Td>{count(row.people)}</Table.Td>
              <Table.Td>
                {count(row.reached)} ({percent(row.share)})
              </Table.Td>
              <Table.Td>
                <Difference row={row} />
              </Table.Td>
              <Table.Td>
                {index === 0 ? t("base") : t(`verdict.${mismatch ? "doubtful" : row.verdict}`)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <p className="quiet">{t("error", { share: percent(alpha) })}</p>
      {needed !== null && (
        <p className="quiet">{t("needed", { people: count(needed), points: points(smallest) })}</p>
      )}
    </>
  );
}

function Difference({ row: { difference } }: { row: Compared }) {
  const { t } = useTranslation("comparison");
  if (difference === null) return "–";
  const { estimate, low, high } = difference;
  return t("interval", {
    estimate: points(estimate, true),
    low: points(low, true),
    high: points(high, true),
  });
}
