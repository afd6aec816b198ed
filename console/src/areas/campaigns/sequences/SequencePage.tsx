import "../campaigns.css";
import { Button, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import {
  deleteSequence,
  followUpsQuery,
  putSequence,
  sequenceQuery,
  type Sequence,
  type SequenceSettings,
} from "../../../api/sequences.ts";
import { count, moment } from "../../../i18n/format.ts";
import { announce } from "../../../ui/announce.ts";
import { Confirm } from "../../../ui/Confirm.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { switched } from "./draft.ts";
import { SequenceForm } from "./SequenceForm.tsx";
import { EnabledBadge } from "./SequenceList.tsx";

/** What is done with a changed sequence: everything that shows it is read again. */
function useStored() {
  const queries = useQueryClient();
  return async (saved: Sequence) => {
    queries.setQueryData(sequenceQuery(saved.id).queryKey, saved);
    await Promise.all(
      [["sequences"], followUpsQuery(saved.id).queryKey].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    );
  };
}

/** A new sequence. */
export function NewSequence() {
  const { t } = useTranslation("campaigns");
  const navigate = useNavigate();
  const stored = useStored();
  const [id] = useState(() => crypto.randomUUID());
  const saving = useMutation({
    mutationFn: (settings: SequenceSettings) => putSequence(id, settings),
    onSuccess: async (saved) => {
      await stored(saved);
      await navigate(`/campaigns/sequences/${id}`);
    },
  });
  return (
    <Page title={t("sequences.new")}>
      <SequenceForm saving={saving} />
    </Page>
  );
}

/** One sequence: whom it reaches next, and its steps. */
export function SequencePage() {
  const { id = "" } = useParams();
  const { t } = useTranslation("campaigns");
  const stored = useStored();
  const sequence = useQuery(sequenceQuery(id));
  const known = sequence.data;
  const saving = useMutation({
    mutationFn: (settings: SequenceSettings) => putSequence(id, settings),
    onSuccess: stored,
  });
  return (
    <Page title={known?.name ?? t("sequences.title")} actions={known && <Actions sequence={known} />}>
      {sequence.isError && <Problem error={sequence.error} again={() => void sequence.refetch()} />}
      {sequence.isPending && <Skeleton height={220} />}
      {known && (
        <>
          <div>
            <EnabledBadge enabled={known.enabled} />
          </div>
          <FollowUps sequence={known} />
          <SequenceForm known={known} saving={saving} />
        </>
      )}
    </Page>
  );
}

function Actions({ sequence }: { sequence: Sequence }) {
  const { t } = useTranslation("campaigns");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const stored = useStored();
  const [asking, ask] = useState(false);
  const { id, enabled } = sequence;
  const switching = useMutation({
    mutationFn: () => putSequence(id, switched(sequence, !enabled)),
    onSuccess: async (saved) => {
      announce(t(saved.enabled ? "sequences.resumed" : "sequences.paused"));
      await stored(saved);
    },
  });
  const removing = useMutation({
    mutationFn: () => deleteSequence(id),
    onSuccess: async () => {
      await navigate("/campaigns/sequences");
      await queries.invalidateQueries({ queryKey: ["sequences"] });
    },
  });
  return (
    <div className="campaign-steps">
      {switching.isError && <Problem error={switching.error} />}
      <Button variant="default" loading={switching.isPending} onClick={() => switching.mutate()}>
        {t(enabled ? "step.pause" : "step.resume")}
      </Button>
      <Button variant="subtle" color="red" onClick={() => ask(true)}>
        {t("sequences.delete")}
      </Button>
      <Confirm
        opened={asking}
        onClose={() => ask(false)}
        title={t("sequences.sure")}
        text={t("sequences.sureText")}
        action={t("sequences.delete")}
        color="red"
        doing={removing}
      />
    </div>
  );
}

/** Who gets the next follow-ups, and when. */
function FollowUps({ sequence: { id, on } }: { sequence: Sequence }) {
  const { t } = useTranslation("campaigns");
  const dated = !!on.field;
  const found = useQuery({ ...followUpsQuery(id), enabled: dated });
  const next = found.data;
  return (
    <section aria-label={t("sequences.next")} className="campaign-progress">
      <h2>{t("sequences.next")}</h2>
      {!dated && <p className="flush quiet">{t("sequences.nextSilent")}</p>}
      {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
      {next && (
        <p className="flush">
          {next.total === 0
            ? t("sequences.noDate", { field: on.field })
            : t("sequences.total", { count: next.total, number: count(next.total) })}
          {!next.complete && ` ${t("sequences.newest")}`}
        </p>
      )}
      <ol className="sequence-next">
        {next?.follow_ups.map(({ due_at, step, contact }, place) => (
          // A person may have two steps at the same time.
          // oxlint-disable-next-line no-array-index-key
          <li key={place}>
            <time dateTime={due_at}>{moment(due_at)}</time>
            <span className="quiet">{t("sequences.step", { number: step + 1 })}</span>
            {contact && (
              <Link to={`/people/${encodeURIComponent(contact.contact_id)}`}>
                {contact.name || contact.phone || contact.contact_id}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
