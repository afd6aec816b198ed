import { NativeSelect, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { locale } from "../../i18n/words.ts";
import { Form } from "../../ui/Form.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import {
  consentQuery,
  PURPOSES,
  putConsent,
  STATES,
  type Consent,
  type Purpose,
  type State,
} from "./queries.ts";

/** What the person agreed to, since when and how, and each change of it. */
export function ConsentPart({ contact }: { contact: string }) {
  const { t } = useTranslation("people");
  const consent = useQuery(consentQuery(contact));
  return (
    <section aria-labelledby="consent">
      <h2 id="consent" className="people-heading">
        {t("consent.title")}
      </h2>
      {consent.isError && <Problem error={consent.error} again={() => void consent.refetch()} />}
      {consent.isPending && <Skeleton height={140} />}
      {consent.data && (
        <>
          <Purposes consent={consent.data} />
          <Change contact={contact} />
          <History consent={consent.data} />
        </>
      )}
    </section>
  );
}

function Purposes({ consent }: { consent: Consent }) {
  const { t } = useTranslation("people");
  return (
    <dl className="people-facts">
      {PURPOSES.map((purpose) => (
        <div key={purpose}>
          <dt className="quiet">{t(`consent.${purpose}`)}</dt>
          <dd>
            {t(`state.${consent[purpose].state}`)}
            {consent[purpose].source && <span className="quiet"> · {consent[purpose].source}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Change({ contact }: { contact: string }) {
  const { t } = useTranslation("people");
  const queries = useQueryClient();
  const [form, setForm] = useState({
    purpose: "marketing" as Purpose,
    state: "granted" as State,
    source: "",
  });
  const saving = useMutation({
    mutationFn: () => putConsent(contact, form.purpose, form.state, form.source.trim()),
    onSuccess: () => {
      setForm({ ...form, source: "" });
      void queries.invalidateQueries({ queryKey: ["consent", contact] });
      void queries.invalidateQueries({ queryKey: ["contacts"] });
    },
  });
  return (
    <Form onSubmit={() => saving.mutate()}>
      <div className="form-pair">
        <NativeSelect
          label={t("consent.purpose")}
          value={form.purpose}
          data={PURPOSES.map((value) => ({ value, label: t(`consent.${value}`) }))}
          onChange={(event) => setForm({ ...form, purpose: event.currentTarget.value as Purpose })}
        />
        <NativeSelect
          label={t("consent.state")}
          value={form.state}
          data={STATES.map((value) => ({ value, label: t(`state.${value}`) }))}
          onChange={(event) => setForm({ ...form, state: event.currentTarget.value as State })}
        />
      </div>
      <TextInput
        label={t("consent.source")}
        description={t("consent.sourceAbout")}
        required
        maxLength={200}
        value={form.source}
        onChange={(event) => setForm({ ...form, source: event.currentTarget.value })}
      />
      <SaveBar saving={saving} />
    </Form>
  );
}

function History({ consent }: { consent: Consent }) {
  const { t } = useTranslation("people");
  if (consent.history.length === 0) return null;
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" });
  return (
    <>
      <h3 className="people-heading">{t("consent.history")}</h3>
      <ol className="people-history">
        {consent.history.toReversed().map(({ purpose, state, source, at }) => (
          <li key={`${at} ${purpose}`}>
            {t(`consent.${purpose}`)}: {t(`state.${state}`)}
            <span className="quiet">
              {" "}
              · {source} · {date.format(new Date(at))}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
