import { Alert, Button, Skeleton, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";
import {
  countQuery,
  deleteSegment,
  previewQuery,
  putSegment,
  segmentQuery,
  type Condition,
  type Segment,
} from "../../../api/segments.ts";
import { count as number } from "../../../i18n/format.ts";
import { session } from "../../../login/session.ts";
import { Confirm } from "../../../ui/Confirm.tsx";
import { Form } from "../../../ui/Form.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";
import { rowsOf } from "../../../ui/Rows.tsx";
import { SaveBar } from "../../../ui/SaveBar.tsx";
import { Conditions } from "./Conditions.tsx";
import { conditionOf, lineOf } from "./conditions.ts";

/** A new segment. */
export function NewSegment() {
  const { t } = useTranslation("people");
  return (
    <Page title={t("segments.new")}>
      <SegmentForm />
    </Page>
  );
}

/** One segment: its conditions, how many people it has, and some of them. */
export function SegmentPage() {
  const { id = "" } = useParams();
  const { t } = useTranslation("people");
  const segment = useQuery(segmentQuery(id));
  const known = segment.data?.data;
  return (
    <Page title={known?.name ?? t("segments.title")} actions={known && <Removal segment={known} />}>
      {segment.isError && <Problem error={segment.error} again={() => void segment.refetch()} />}
      {segment.isPending && <Skeleton height={200} />}
      {segment.data && known && (
        <>
          <SegmentForm known={known} tag={segment.data.tag} key={segment.data.tag} />
          <Members id={id} />
        </>
      )}
    </Page>
  );
}

function shownLines(conditions: readonly Condition[] | undefined) {
  const lines = (conditions ?? []).map(lineOf);
  return lines.every((line) => line !== undefined) ? lines : undefined;
}

function SegmentForm({ known, tag }: { known?: Segment; tag?: string }) {
  const { t } = useTranslation("people");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(known?.name ?? "");
  const every = shownLines(known?.all);
  const some = shownLines(known?.any);
  const [all, setAll] = useState(() => rowsOf(every ?? []));
  const [any, setAny] = useState(() => rowsOf(some ?? []));
  const [id] = useState(() => known?.id ?? crypto.randomUUID()); // a repeated save is the same segment
  const saving = useMutation({
    mutationFn: async () => {
      // What the form cannot show stays as it is.
      const body = {
        name: name.trim(),
        all: every ? all.map(conditionOf) : (known?.all ?? []),
        any: some ? any.map(conditionOf) : (known?.any ?? []),
        query: known?.query ?? null,
      };
      return putSegment(id, body, tag);
    },
    onSuccess: async (saved) => {
      queries.setQueryData(segmentQuery(id).queryKey, saved);
      await Promise.all(
        [["segments"], ["segment-count", id], ["segment-preview", id]].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      );
      if (!known) await navigate(`/people/segments/${id}`);
    },
  });
  return (
    <Form onSubmit={() => saving.mutate()}>
      <TextInput
        label={t("name")}
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {every ? (
        <Conditions legend={t("segments.all")} rows={all} onChange={setAll} />
      ) : (
        <Alert color="gray">{t("segments.notShown")}</Alert>
      )}
      {some ? (
        <Conditions legend={t("segments.any")} rows={any} onChange={setAny} />
      ) : (
        <Alert color="gray">{t("segments.notShown")}</Alert>
      )}
      {known?.query && <p className="flush">{t("segments.query", { name: known.query.name })}</p>}
      <SaveBar saving={saving} />
    </Form>
  );
}

function Members({ id }: { id: string }) {
  const { t } = useTranslation("people");
  const count = useQuery(countQuery(id));
  const seesPeople = session().person.role !== "builder";
  const preview = useQuery({ ...previewQuery(id), enabled: seesPeople });
  const found = count.data?.count;
  return (
    <section aria-label={t("segments.members")} className="people-members">
      <h2 className="people-heading">{t("segments.members")}</h2>
      {count.isError && <Problem error={count.error} again={() => void count.refetch()} />}
      <output>
        {typeof found === "number"
          ? t("segments.count", { count: found, number: number(found) })
          : t("segments.counting", { seen: number(count.data?.seen ?? 0) })}
      </output>
      {preview.isError && <Problem error={preview.error} again={() => void preview.refetch()} />}
      <ul>
        {preview.data?.contacts.map(({ contact_id, name, phone }) => (
          <li key={contact_id}>
            <Link to={`/people/${encodeURIComponent(contact_id)}`}>{name || phone || contact_id}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Removal({ segment: { id, name } }: { segment: Segment }) {
  const { t } = useTranslation("people");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [asking, { open, close }] = useDisclosure(false);
  const removing = useMutation({
    mutationFn: () => deleteSegment(id),
    onSuccess: async () => {
      await navigate("/people/segments");
      await queries.invalidateQueries({ queryKey: ["segments"] });
    },
  });
  return (
    <>
      <Button variant="subtle" color="red" onClick={open}>
        {t("segments.delete")}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("segments.sure")}
        text={t("segments.sureText", { name })}
        action={t("segments.delete")}
        color="red"
        doing={removing}
      />
    </>
  );
}
