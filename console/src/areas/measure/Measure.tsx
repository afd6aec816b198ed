import { NativeSelect, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { AnswersTable } from "./AnswersTable.tsx";
import { Experiments } from "./Experiments.tsx";
import { Overview } from "./Overview.tsx";
import { flowsQuery } from "../../api/flows.ts";
import { SavedQueries } from "./SavedQueries.tsx";
import { SpendingReport } from "./Spending.tsx";
import "./measure.css";

const DAYS = [7, 30, 90] as const;
const TABS = ["overview", "answers", "spending", "experiments", "queries"] as const;
const OF_ALL_FLOWS: ReadonlySet<string> = new Set(["spending", "queries"]);

/** How flows do. What is asked is part of the address, so that it can be shared and kept. */
export function Measure() {
  const { t } = useTranslation("measure");
  const flows = useQuery(flowsQuery());
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((one) => one === search.get("tab")) ?? "overview";
  const days = DAYS.find((one) => String(one) === search.get("days")) ?? 30;
  const flow = search.get("flow") ?? flows.data?.[0]?.flow_id ?? "";
  const set = (changed: Record<string, string>) =>
    setSearch({ ...Object.fromEntries(search), ...changed }, { replace: true });
  return (
    <Page
      title={t("title")}
      actions={
        <div className="measure-choice">
          <NativeSelect
            aria-label={t("flow")}
            value={flow}
            disabled={OF_ALL_FLOWS.has(tab)}
            data={(flows.data ?? []).map(({ flow_id, name }) => ({ value: flow_id, label: name }))}
            onChange={(event) => set({ flow: event.currentTarget.value })}
          />
          <NativeSelect
            aria-label={t("period")}
            value={String(days)}
            data={DAYS.map((value) => ({ value: String(value), label: t("days", { count: value }) }))}
            onChange={(event) => set({ days: event.currentTarget.value })}
          />
        </div>
      }
    >
      {flows.isError && <Problem error={flows.error} again={() => void flows.refetch()} />}
      {flows.data?.length === 0 && <p>{t("noFlows")}</p>}
      <Tabs value={tab} onChange={(value) => set({ tab: value ?? "overview" })} keepMounted={false}>
        <Tabs.List mb="md">
          {TABS.map((value) => (
            <Tabs.Tab key={value} value={value}>
              {t(`tab.${value}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">{flow && <Overview asked={{ flow, days }} />}</Tabs.Panel>
        <Tabs.Panel value="answers">{flow && <AnswersTable asked={{ flow, days }} />}</Tabs.Panel>
        <Tabs.Panel value="spending">
          <SpendingReport flows={flows.data ?? []} days={days} />
        </Tabs.Panel>
        <Tabs.Panel value="experiments">
          {flow && (
            <Experiments
              asked={{ flow, days }}
              goal={search.get("goal") ?? "completed"}
              effect={search.get("effect") ?? ""}
              set={set}
            />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="queries">
          <SavedQueries flows={flows.data ?? []} days={days} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
