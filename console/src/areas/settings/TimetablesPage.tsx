import { Button, Chip, Skeleton, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Form } from "../../ui/Form.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { putTimetables, timetablesQuery, type Timetable, type Timetables } from "./queries.ts";
import { Rows, rowsOf, type Row } from "../../ui/Rows.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { dayName } from "./dayName.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const OFFICE = { days: DAYS.slice(0, 5), opens: "09:00", closes: "18:00" };

interface Draft {
  name: string;
  hours: Row<Timetable["hours"][number]>[];
  holidays: string[];
  timezone: string | null;
}

function draftsOf(timetables: Timetables): Row<Draft>[] {
  return rowsOf(
    Object.entries(timetables).map(([name, { hours, holidays = [], timezone = null }]) => ({
      name,
      hours: rowsOf(hours),
      holidays,
      timezone,
    })),
  );
}

/** Return the timetables as the API takes them. Two of the same name would become one: the form refuses them before. */
export function timetablesOf(drafts: readonly Draft[]): Timetables {
  return Object.fromEntries(
    drafts.map(({ name, hours, holidays, timezone }) => [
      name.trim(),
      { hours: hours.map(({ days, opens, closes }) => ({ days, opens, closes })), holidays, timezone },
    ]),
  );
}

/** When the organization is open; schedules of flows ask these timetables by name. */
export function TimetablesPage() {
  const { t } = useTranslation("settings");
  const timetables = useQuery(timetablesQuery());
  return (
    <Page title={t("timetables.title")}>
      <p>{t("timetables.about")}</p>
      {timetables.isError && <Problem error={timetables.error} again={() => void timetables.refetch()} />}
      {timetables.isPending && <Skeleton height={200} />}
      {timetables.data && <TimetablesForm known={timetables.data} />}
      <ChangesLink of="timetables" />
    </Page>
  );
}

function TimetablesForm({ known }: { known: Timetables }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const [drafts, setDrafts] = useState(() => draftsOf(known));
  const saving = useMutation({
    mutationFn: () => putTimetables(timetablesOf(drafts)),
    onSuccess: (saved) => {
      queries.setQueryData(timetablesQuery().queryKey, saved);
    },
  });
  const change = (id: number, changed: Partial<Draft>) =>
    setDrafts(drafts.map((draft) => (draft.id === id ? { ...draft, ...changed } : draft)));
  const names = drafts.map(({ name }) => name.trim());
  return (
    <Form
      onSubmit={() => {
        if (new Set(names).size === names.length) saving.mutate();
      }}
    >
      {drafts.map((draft) => (
        <section key={draft.id} aria-label={draft.name || t("timetables.new")}>
          <div className="form-pair">
            <TextInput
              label={t("timetables.name")}
              required
              maxLength={64}
              error={
                names.filter((name) => name === draft.name.trim()).length > 1
                  ? t("timetables.twice")
                  : undefined
              }
              value={draft.name}
              onChange={(event) => change(draft.id, { name: event.currentTarget.value })}
            />
            <Button
              variant="subtle"
              color="gray"
              className="settings-end"
              onClick={() => setDrafts(drafts.filter(({ id }) => id !== draft.id))}
            >
              {common("remove")}
            </Button>
          </div>
          <Rows
            legend={t("timetables.hours")}
            rows={draft.hours}
            empty={OFFICE}
            add={t("timetables.addHours")}
            onChange={(hours) => change(draft.id, { hours })}
          >
            {(row, changed) => <HoursFields hours={row} change={changed} />}
          </Rows>
          <TagsInput
            label={t("timetables.holidays")}
            description={t("timetables.holidaysAbout")}
            value={draft.holidays}
            splitChars={[",", " "]}
            onChange={(holidays) => change(draft.id, { holidays })}
          />
        </section>
      ))}
      <Button
        variant="default"
        leftSection={<Icon name="plus" size={16} />}
        className="settings-start"
        onClick={() =>
          setDrafts([
            ...drafts,
            ...rowsOf([{ name: "", hours: rowsOf([OFFICE]), holidays: [], timezone: null }]),
          ])
        }
      >
        {t("timetables.add")}
      </Button>
      <SaveBar saving={saving} />
    </Form>
  );
}

interface HoursProps {
  hours: Timetable["hours"][number];
  change: (changed: Partial<Timetable["hours"][number]>) => void;
}

function HoursFields({ hours, change }: HoursProps) {
  const { t } = useTranslation("settings");
  return (
    <>
      <Chip.Group
        multiple
        value={hours.days}
        onChange={(days) => change({ days: DAYS.filter((day) => days.includes(day)) })}
      >
        <fieldset className="settings-days" aria-label={t("timetables.days")}>
          {DAYS.map((day, place) => (
            <Chip key={day} value={day} size="xs">
              {dayName(place)}
            </Chip>
          ))}
        </fieldset>
      </Chip.Group>
      <TextInput
        type="time"
        aria-label={t("timetables.opens")}
        required
        value={hours.opens}
        onChange={(event) => change({ opens: event.currentTarget.value })}
      />
      <TextInput
        type="time"
        aria-label={t("timetables.closes")}
        required
        value={hours.closes}
        onChange={(event) => change({ closes: event.currentTarget.value })}
      />
    </>
  );
}
