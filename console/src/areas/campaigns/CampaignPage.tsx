import "./campaigns.css";
import { Alert, Button, Skeleton, TagsInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { percent } from "../../i18n/format.ts";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { Audience, CampaignForm } from "./CampaignForm.tsx";
import { mayWrite, StatusBadge } from "./CampaignList.tsx";
import { Progress } from "./Progress.tsx";
import { Results } from "./Results.tsx";
import { Sent } from "./Sent.tsx";
import {
  campaignQuery,
  putCampaign,
  steer,
  tryOut,
  type Campaign,
  type CampaignSettings,
  type Status,
  type Step,
} from "./queries.ts";

/** What can be done in each state. */
const STEPS: Record<Status, readonly Step[]> = {
  draft: ["start"],
  scheduled: ["pause", "cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  stopped: ["resume", "cancel"],
  completed: [],
  cancelled: [],
};

/** One campaign: what it does, how far it is, and its settings. */
export function CampaignPage() {
  const { id = "" } = useParams();
  const { t } = useTranslation("campaigns");
  const campaign = useQuery(campaignQuery(id));
  const shown = campaign.data?.data;
  return (
    <Page title={shown?.name ?? t("title")} actions={shown && mayWrite() && <Steps campaign={shown} />}>
      {campaign.isError && <Problem error={campaign.error} again={() => void campaign.refetch()} />}
      {campaign.isPending && <Skeleton height={220} />}
      {campaign.data && shown && (
        <>
          <div>
            <StatusBadge status={shown.status} />
          </div>
          <Standstill campaign={shown} />
          <Warnings campaign={shown} />
          {(shown.status !== "draft" || !mayWrite()) && <Sent campaign={shown} />}
          {shown.status !== "draft" && <Progress campaign={shown} />}
          {shown.status !== "draft" && <Results campaign={shown} />}
          {mayWrite() && STEPS[shown.status].length > 0 && (
            <Settings
              campaign={shown}
              tag={campaign.data.tag}
              key={shown.status === "draft" ? "draft" : "started"}
            />
          )}
        </>
      )}
    </Page>
  );
}

/** Why the campaign sends no messages at the moment, or fewer than it may. */
function Standstill({ campaign: { status, reason, waiting, pace } }: { campaign: Campaign }) {
  const { t, i18n } = useTranslation("campaigns");
  if (waiting && status === "running") return <Alert color="gray">{t(`waiting.${waiting}`)}</Alert>;
  if (pace < 1) return <Alert color="yellow">{t("slowed", { share: percent(pace) })}</Alert>;
  if (!reason) return null;
  const key = `reason.${reason}`;
  const text = i18n.exists(key, { ns: "campaigns" }) ? t(key as "reason.failures") : reason;
  return <Alert color="red">{text}</Alert>;
}

/** What has to be corrected before anything can be sent. */
function Warnings({ campaign: { warnings } }: { campaign: Campaign }) {
  const { t } = useTranslation("campaigns");
  return [...new Set(warnings.map(({ code }) => code))].map((code) => (
    <Alert key={code} color="yellow">
      {t(`warning.${code}`)}
    </Alert>
  ));
}

function useStep(id: string, step: Step, done: () => void) {
  const { t } = useTranslation("campaigns");
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => steer(id, step),
    onSuccess: async (after) => {
      queries.setQueryData(campaignQuery(id).queryKey, after);
      announce(t(`done.${step}`));
      done();
      await queries.invalidateQueries({ queryKey: ["campaigns"] });
    },
  });
}

/** What can be done with the campaign now. What cannot be undone is asked first. */
function Steps({ campaign: { campaign_id, segment_id, status, variants } }: { campaign: Campaign }) {
  const { t } = useTranslation("campaigns");
  const [asking, ask] = useState<"start" | "cancel" | "test">();
  const leave = () => ask(undefined);
  const doing = {
    start: useStep(campaign_id, "start", leave),
    pause: useStep(campaign_id, "pause", leave),
    resume: useStep(campaign_id, "resume", leave),
    cancel: useStep(campaign_id, "cancel", leave),
  };
  return (
    <>
      <span className="campaign-steps">
        <Button variant="default" onClick={() => ask("test")}>
          {t("test.open")}
        </Button>
        {STEPS[status].map((step) => (
          <Button
            key={step}
            variant={step === "cancel" ? "subtle" : "filled"}
            {...(step === "cancel" ? { color: "red" } : {})}
            loading={doing[step].isPending && !asking}
            onClick={() => (step === "start" || step === "cancel" ? ask(step) : doing[step].mutate())}
          >
            {t(`step.${step}`)}
          </Button>
        ))}
      </span>
      {doing.pause.isError && <Problem error={doing.pause.error} />}
      {doing.resume.isError && <Problem error={doing.resume.error} />}
      <Confirm
        opened={asking === "start"}
        onClose={leave}
        title={t("sure.start")}
        text={t("sure.startText")}
        action={t("step.start")}
        doing={doing.start}
      >
        <p className="flush">
          <Audience segment={segment_id} />
        </p>
      </Confirm>
      <Confirm
        opened={asking === "cancel"}
        onClose={leave}
        title={t("sure.cancel")}
        text={t("sure.cancelText")}
        action={t("step.cancel")}
        color="red"
        doing={doing.cancel}
      />
      <TestDialog
        id={campaign_id}
        variant={variants?.[0]?.name ?? ""}
        opened={asking === "test"}
        onClose={leave}
      />
    </>
  );
}

interface TestDialogProps {
  id: string;
  variant: string;
  opened: boolean;
  onClose: () => void;
}

/** Sends the template to a few people, whose consent counts as always. */
function TestDialog({ id, variant, opened, onClose }: TestDialogProps) {
  const { t } = useTranslation("campaigns");
  const [people, setPeople] = useState<string[]>([]);
  const [requestId, renew] = useState(() => crypto.randomUUID());
  const sending = useMutation({
    mutationFn: () => tryOut(id, people, variant, requestId),
    onSuccess: () => {
      announce(t("test.sent"));
      renew(crypto.randomUUID());
      onClose();
    },
  });
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={t("test.title")}
      text={t("test.text")}
      action={t("test.send")}
      disabled={people.length === 0}
      doing={sending}
    >
      <TagsInput
        label={t("test.people")}
        maxTags={10}
        acceptValueOnBlur
        value={people}
        // Another group is another test.
        onChange={(changed) => {
          setPeople(changed);
          renew(crypto.randomUUID());
        }}
      />
    </Confirm>
  );
}

function Settings({ campaign, tag }: { campaign: Campaign; tag: string }) {
  const { t } = useTranslation("campaigns");
  const queries = useQueryClient();
  const known = settingsIn(campaign);
  const saving = useMutation({
    mutationFn: (settings: CampaignSettings) => putCampaign(campaign.campaign_id, settings, tag),
    onSuccess: async (saved) => {
      queries.setQueryData(campaignQuery(campaign.campaign_id).queryKey, saved);
      await queries.invalidateQueries({ queryKey: ["campaigns"] });
    },
  });
  return (
    <section aria-label={t("settings")}>
      <h2>{t("settings")}</h2>
      <CampaignForm known={known} started={campaign.status !== "draft"} saving={saving} />
    </section>
  );
}

/** The part of a campaign that its definition takes. */
function settingsIn(campaign: Campaign): CampaignSettings {
  const {
    campaign_id: _id,
    status: _status,
    status_at: _at,
    reason: _reason,
    waiting: _waiting,
    created_at: _created,
    started_at: _started,
    counts: _counts,
    cost: _cost,
    pace: _pace,
    warnings: _warnings,
    ...settings
  } = campaign;
  return settings;
}
