import { Progress as Bar, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { count, percent } from "../../i18n/format.ts";
import { locale } from "../../i18n/words.ts";
import type { Campaign } from "./queries.ts";

const REACHED = [
  "sent",
  "delivered",
  "read",
  "replied",
  "completed",
  "opted_out",
  "held",
  "waiting",
] as const;

function part(value: number, whole: number): string {
  return percent(whole ? value / whole : 0);
}

/** How far a campaign is: the people by what became of them, and why some got nothing. */
export function Progress({ campaign: { counts, cost } }: { campaign: Campaign }) {
  const { t } = useTranslation("campaigns");
  const failed = Object.values(counts.failed).reduce((sum, people) => sum + people, 0);
  return (
    <section className="campaign-progress" aria-label={t("progress")}>
      <h2>{t("progress")}</h2>
      <p className="flush">
        {t("planned", { count: counts.planned, number: count(counts.planned) })}
        {counts.holdout > 0 && ` ${t("heldOut", { count: counts.holdout, number: count(counts.holdout) })}`}
        {cost > 0 && ` ${t("cost", { cost: cost.toLocaleString(locale()) })}`}
      </p>
      {counts.unpriced > 0 && (
        <p className="flush">{t("unpriced", { count: counts.unpriced, number: count(counts.unpriced) })}</p>
      )}
      <Table className="campaign-counts">
        <Table.Tbody>
          {REACHED.map((name) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{t(`count.${name}`)}</Table.Th>
              <Table.Td className="campaign-number">{count(counts[name])}</Table.Td>
              <Table.Td className="campaign-number">{part(counts[name], counts.planned)}</Table.Td>
              <Table.Td className="campaign-bar">
                <Bar
                  value={counts.planned ? (100 * counts[name]) / counts.planned : 0}
                  color={name === "opted_out" ? "red" : "leaf"}
                  aria-hidden
                />
              </Table.Td>
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Th scope="row">{t("count.failed")}</Table.Th>
            <Table.Td className="campaign-number">{count(failed)}</Table.Td>
            <Table.Td className="campaign-number">{part(failed, counts.planned)}</Table.Td>
            <Table.Td className="campaign-bar">
              <Bar value={counts.planned ? (100 * failed) / counts.planned : 0} color="red" aria-hidden />
            </Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
      <Reasons title={t("failedBy")} found={counts.failed} />
      <Reasons title={t("skippedBy")} found={counts.skipped} words="skip" />
    </section>
  );
}

interface ReasonsProps {
  title: string;
  found: Record<string, number>;
  /** Where the reasons have words; without it they are Meta's codes. */
  words?: string;
}

function Reasons({ title, found, words }: ReasonsProps) {
  const { t, i18n } = useTranslation("campaigns");
  const named = (reason: string) => {
    const key = `${words}.${reason}`;
    return words && i18n.exists(key, { ns: "campaigns" }) ? t(key as "skip.opted_out") : reason;
  };
  const reasons = Object.entries(found).toSorted(([, one], [, other]) => other - one);
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul className="flush">
        {reasons.map(([reason, people]) => (
          <li key={reason}>
            {named(reason)}: {count(people)}
          </li>
        ))}
      </ul>
    </>
  );
}
