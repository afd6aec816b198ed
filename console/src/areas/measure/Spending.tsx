import { Alert, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { campaignsQuery } from "../../api/campaigns.ts";
import type { FlowSummary } from "../../api/flows.ts";
import { locale } from "../../i18n/words.ts";
import { Download } from "./Download.tsx";
import { count } from "../../i18n/format.ts";
import { AsOf, Figures, Part } from "./parts.tsx";
import type { Period } from "./period.ts";
import {
  budgetQuery,
  spendingFile,
  spendingQuery,
  type Amounts,
  type Budget,
  type Spending,
} from "./queries.ts";

const MICROS = 1_000_000;
const BY = ["category", "country", "flow", "template", "campaign"] as const;
type By = (typeof BY)[number];
type Line = Amounts & { key: string | null };
type NameOf = (by: By, key: string | null) => string;

/** An amount with its currency; a small one with the decimal places that its price has. */
function money(micros: number, currency: string): string {
  const amount = micros / MICROS;
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: Math.abs(amount) < 1 ? 4 : 2 };
  return `${new Intl.NumberFormat(locale(), digits).format(amount)} ${currency}`;
}

function linesOf(found: Spending): Record<By, Line[]> {
  return {
    category: found.categories.map((one) => ({ ...one, key: one.category })),
    country: found.countries.map((one) => ({ ...one, key: one.country })),
    flow: found.flows.map((one) => ({ ...one, key: one.flow_id })),
    template: found.templates.map((one) => ({ ...one, key: one.template })),
    campaign: found.campaigns.map((one) => ({ ...one, key: one.campaign_id })),
  };
}

/** What the organization's messages cost at Meta, and what is left of its budget. */
export function SpendingReport({ flows, period }: { flows: readonly FlowSummary[]; period: Period }) {
  const { t } = useTranslation("measure");
  const budget = useQuery(budgetQuery());
  const spending = useQuery(spendingQuery(period));
  const name = useNames(flows);
  return (
    <div className="measure-parts">
      <Part title={t("budget.title")} about={t("budget.about")} result={budget}>
        {(found) => <OfMonth budget={found} />}
      </Part>
      <Part title={t("spending.title")} about={t("spending.about")} result={spending}>
        {(found) => <Tables found={found} period={period} name={name} />}
      </Part>
    </div>
  );
}

/** The names of what reports know by ids. What has none is shown by its id. */
function useNames(flows: readonly FlowSummary[]): NameOf {
  const { t, i18n } = useTranslation("measure");
  const campaigns = useQuery(campaignsQuery());
  const countries = new Intl.DisplayNames(locale(), { type: "region" });
  return (by, key) => {
    if (key === null) return t(`spending.none.${by}`);
    switch (by) {
      case "category": {
        const word = `spending.category.${key}`;
        return i18n.exists(word, { ns: "measure" }) ? t(word as "spending.category.utility") : key;
      }
      case "country":
        return /^[A-Z]{2}$/.test(key) ? (countries.of(key) ?? key) : key;
      case "flow":
        return flows.find(({ flow_id }) => flow_id === key)?.name ?? key;
      case "campaign":
        return campaigns.data?.find(({ campaign_id }) => campaign_id === key)?.name ?? key;
      case "template":
        return key;
    }
  };
}

function OfMonth({ budget: { month, currency, budget_micros, reserved_micros } }: { budget: Budget }) {
  const { t } = useTranslation("measure");
  if (budget_micros === null) return <p>{t("budget.none")}</p>;
  const named = new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric", timeZone: "UTC" });
  return (
    <Figures
      shown={[
        [t("budget.of", { month: named.format(new Date(`${month}-01`)) }), money(budget_micros, currency)],
        [t("budget.reserved"), money(reserved_micros, currency)],
        [t("budget.left"), money(Math.max(0, budget_micros - reserved_micros), currency)],
      ]}
    />
  );
}

function Tables({ found, period: asked, name }: { found: Spending; period: Period; name: NameOf }) {
  const { t } = useTranslation("measure");
  const { total, currency, period } = found;
  const lines = linesOf(found);
  return (
    <>
      <Figures
        shown={[
          [t("spending.amount"), money(total.amount_micros, currency)],
          [t("spending.messages"), count(total.messages)],
          [t("spending.charged"), count(total.charged)],
        ]}
      />
      <AsOf time={found.as_of} />
      {total.unpriced > 0 && (
        <Alert color="yellow" mb="md">
          {t("spending.unpriced", { count: total.unpriced, number: count(total.unpriced) })}
        </Alert>
      )}
      {total.messages === 0 ? (
        <p>{t("spending.nothing")}</p>
      ) : (
        <>
          <div className="measure-line">
            <Download name={`spending-${period.from}-${period.to}.csv`} file={() => spendingFile(asked)} />
          </div>
          {BY.map((by) => (
            <Lines key={by} title={t(`spending.by.${by}`)} lines={lines[by]} currency={currency}>
              {(key) => name(by, key)}
            </Lines>
          ))}
        </>
      )}
    </>
  );
}

interface LinesProps {
  title: string;
  lines: readonly Line[];
  currency: string;
  children: (key: string | null) => string;
}

function Lines({ title, lines, currency, children }: LinesProps) {
  const { t } = useTranslation("measure");
  return (
    <Table className="measure-table" verticalSpacing="xs" mb="lg">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{title}</Table.Th>
          <Table.Th>{t("spending.amount")}</Table.Th>
          <Table.Th>{t("spending.messages")}</Table.Th>
          <Table.Th>{t("spending.charged")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {lines.map((line) => (
          <Table.Tr key={line.key ?? ""}>
            <Table.Td>{children(line.key)}</Table.Td>
            <Table.Td>
              {money(line.amount_micros, currency)}{" "}
              {line.unpriced > 0 && (
                <span className="quiet">{t("spending.without", { number: count(line.unpriced) })}</span>
              )}
            </Table.Td>
            <Table.Td>{count(line.messages)}</Table.Td>
            <Table.Td>{count(line.charged)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
