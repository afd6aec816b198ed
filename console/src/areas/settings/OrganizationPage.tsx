import { NumberInput, Select, Skeleton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../ui/Form.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { organizationQuery, putOrganization, timetablesQuery, type Organization } from "./queries.ts";
import { PairRows } from "../../ui/PairRows.tsx";
import { rowsOf } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";

const LANGUAGES = { pt_BR: "Português (Brasil)", en: "English", es: "Español" };
const AMOUNTS = [
  "messages_per_minute",
  "session_ttl_hours",
  "retention_days",
  "contact_messages_per_minute",
  "contact_api_calls_per_hour",
  "contact_model_calls_per_hour",
  "people_per_day",
] as const;
const MICROS = 1_000_000;

/** What holds for all numbers and flows of the organization. */
export function OrganizationPage() {
  const { t } = useTranslation("settings");
  const organization = useQuery(organizationQuery());
  const timetables = useQuery(timetablesQuery());
  return (
    <Page title={t("organization.title")}>
      {organization.isError && (
        <Problem error={organization.error} again={() => void organization.refetch()} />
      )}
      {timetables.isError && <Problem error={timetables.error} again={() => void timetables.refetch()} />}
      {(organization.isPending || timetables.isPending) && <Skeleton height={300} />}
      {organization.data && timetables.data && (
        <OrganizationForm known={organization.data} timetables={Object.keys(timetables.data)} />
      )}
      <ChangesLink of="organization" />
    </Page>
  );
}

/** Return a constant as flows calculate with it: what reads as a number or a truth value is one. */
export function constantOf(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** The settings without the choice of a timetable that was removed: the API refuses it. */
function withOffice(known: Organization, timetables: string[]): Organization {
  const { office_timetable: office } = known;
  return office && !timetables.includes(office) ? { ...known, office_timetable: null } : known;
}

function OrganizationForm({ known, timetables }: { known: Organization; timetables: string[] }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const [form, setForm] = useState(() => withOffice(known, timetables));
  const [constants, setConstants] = useState(() =>
    rowsOf(Object.entries(known.constants ?? {}).map(([name, value]) => ({ name, value: String(value) }))),
  );
  const saving = useMutation({
    mutationFn: putOrganization,
    onSuccess: (saved) => {
      queries.setQueryData(organizationQuery().queryKey, saved);
    },
  });
  const budget = form.monthly_budget_micros;
  const zones = Intl.supportedValuesOf("timeZone");
  return (
    <Form
      onSubmit={() => {
        const named = constants.filter(({ name }) => name.trim());
        saving.mutate({
          ...form,
          constants: Object.fromEntries(
            named.map(({ name, value }) => [name.trim(), constantOf(value.trim())]),
          ),
        });
      }}
    >
      <Select
        label={t("organization.timezone")}
        description={t("organization.timezoneAbout")}
        data={zones.includes("UTC") ? zones : ["UTC", ...zones]}
        value={form.timezone ?? "UTC"}
        searchable
        onChange={(timezone) => setForm({ ...form, timezone: timezone ?? "UTC" })}
      />
      <Select
        label={t("organization.office")}
        description={t("organization.officeAbout")}
        data={timetables}
        value={form.office_timetable ?? null}
        clearable
        onChange={(office_timetable) => setForm({ ...form, office_timetable })}
      />
      <Select
        label={t("organization.language")}
        description={t("organization.languageAbout")}
        data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
        value={form.language ?? "en"}
        onChange={(language) => setForm({ ...form, language: (language ?? "en") as "en" })}
      />
      {AMOUNTS.map((amount) => (
        <NumberInput
          key={amount}
          label={t(`organization.${amount}`)}
          description={t(`organization.${amount}_about`)}
          min={0}
          allowDecimal={false}
          allowNegative={false}
          value={form[amount] ?? ""}
          onChange={(value) => setForm({ ...form, [amount]: value === "" ? null : Number(value) })}
        />
      ))}
      <NumberInput
        label={t("organization.monthly_budget")}
        description={t("organization.monthly_budget_about")}
        min={0}
        max={1_000_000_000}
        allowNegative={false}
        value={typeof budget === "number" ? budget / MICROS : ""}
        onChange={(value) =>
          setForm({
            ...form,
            monthly_budget_micros: value === "" ? null : Math.round(Number(value) * MICROS),
          })
        }
      />
      <PairRows
        legend={t("organization.constants")}
        about={t("organization.constantsAbout")}
        add={t("organization.addConstant")}
        name={t("organization.constant")}
        value={t("organization.value")}
        rows={constants}
        onChange={setConstants}
      />
      <SaveBar saving={saving} />
    </Form>
  );
}
