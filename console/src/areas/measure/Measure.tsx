import { NativeSelect, Skeleton, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useNow } from "../../ui/now.ts";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { AnswersTable } from "./AnswersTable.tsx";
import { Experiments } from "./Experiments.tsx";
import { Overview } from "./Overview.tsx";
import { flowsQuery } from "../../api/flows.ts";
import { localDay, periodIn, problemOf } from "./period.ts";
import { PeriodSelect, RangeForm } from "./PeriodChoice.tsx";
import { SavedQueries } from "./SavedQueries.tsx";
import { SpendingReport } from "./Spending.tsx";
import "./measure.css";

const TABS = ["overview", "map", "answers", "spending", "experiments", "queries"] as const;
const OF_ALL_FLOWS: ReadonlySet<string> = new Set(["spending", "queries"]);

/** The drawing needs the canvas library, which is loaded when it opens. */
const FlowMap = lazy(async () => ({ default: (await import("./FlowMap.tsx")).FlowMap }));

/** How flows do. What is asked is part of the address, so that it can be shared and kept. */
export function Measure() {
  const { t } = useTranslation("measure");
  const flows = useQuery(flowsQuery());
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((one) => one === search.get("tab")) ?? "overview";
  const period = periodIn(search);
  const today = localDay(useNow());
  const problem = problemOf(period, today);
  const [isChoosing, setChoosing] = useState(false);
  const flow = search.get("flow") ?? flows.data?.[0]?.flow_id ?? "";
  const set = (changed: Record<string, string>, ...dropped: string[]) => {
    const next = { ...Object.fromEntries(search), ...changed };
    for (const name of dropped) delete next[name];
    setSearch(next, { replace: true });
  };
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
          <PeriodSelect
            period={period}
            isChoosing={isChoosing}
            choose={(days) => {
              setChoosing(days === null);
              if (days !== null) set({ days: String(days) }, "from", "to");
            }}
          />
        </div>
      }
    >
      {(isChoosing || "from" in period) && (
        <RangeForm period={period} problem={problem} today={today} apply={(range) => set(range, "days")} />
      )}
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
        {problem === null && (
          <>
            <Tabs.Panel value="overview">{flow && <Overview asked={{ flow, period }} />}</Tabs.Panel>
            <Tabs.Panel value="map">
              {flow && (
                <Suspense fallback={<Skeleton height={320} />}>
                  <FlowMap asked={{ flow, period }} />
                </Suspense>
              )}
            </Tabs.Panel>
            <Tabs.Panel value="answers">{flow && <AnswersTable asked={{ flow, period }} />}</Tabs.Panel>
            <Tabs.Panel value="spending">
              <SpendingReport flows={flows.data ?? []} period={period} />
            </Tabs.Panel>
            <Tabs.Panel value="experiments">
              {flow && (
                <Experiments
                  asked={{ flow, period }}
                  goal={search.get("goal") ?? "completed"}
                  effect={search.get("effect") ?? ""}
                  set={set}
                />
              )}
            </Tabs.Panel>
            <Tabs.Panel value="queries">
              <SavedQueries flows={flows.data ?? []} period={period} />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
    </Page>
  );
}
