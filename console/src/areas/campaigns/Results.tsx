import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Comparison, effectOf, EffectSelect } from "../../ui/Comparison.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { resultsQuery, type Campaign, type Goal } from "./queries.ts";

const GOALS: readonly Goal[] = ["replied", "completed", "read"];

/** What variants and holdout show so far; nothing for a campaign that compares nothing. */
export function Results({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation("campaigns");
  const [goal, setGoal] = useState<Goal>("replied");
  const [effect, setEffect] = useState("");
  const compares = (campaign.variants ?? []).length > 1 || (campaign.holdout ?? 0) > 0;
  const smallest = effectOf(effect);
  const results = useQuery({
    ...resultsQuery(campaign.campaign_id, campaign.status, goal, smallest),
    enabled: compares,
  });
  if (!compares) return null;
  const named = (name: string) => t(`results.${name === "holdout" ? "kept" : "written"}`);
  const { variants, holdout, alpha } = results.data ?? { variants: null, holdout: null, alpha: 0 };
  return (
    <section className="campaign-progress" aria-label={t("results.title")}>
      <h2>{t("results.title")}</h2>
      <p className="quiet">{t("results.about")}</p>
      <div className="campaign-steps">
        <NativeSelect
          label={t("results.goal")}
          value={goal}
          data={GOALS.map((value) => ({ value, label: t(`results.goals.${value}`) }))}
          onChange={({ currentTarget: { value } }) =>
            setGoal(GOALS.find((one) => one === value) ?? "replied")
          }
        />
        <EffectSelect value={smallest} set={setEffect} />
      </div>
      {results.isError && <Problem error={results.error} again={() => void results.refetch()} />}
      {variants && (
        <>
          <h3>{t("results.variants")}</h3>
          <Comparison
            what={t("results.variant")}
            rows={variants.arms}
            judged={variants}
            smallest={smallest}
            alpha={alpha}
          />
        </>
      )}
      {holdout && (
        <>
          <h3>{t("results.holdout")}</h3>
          <Comparison
            what={t("results.group")}
            rows={holdout.arms.map((arm) => ({ ...arm, name: named(arm.name) }))}
            judged={holdout}
            smallest={smallest}
            alpha={alpha}
          />
        </>
      )}
      {goal === "read" && (campaign.holdout ?? 0) > 0 && <p className="quiet">{t("results.noHoldout")}</p>}
    </section>
  );
}
