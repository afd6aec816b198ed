import { Badge, FileButton, Button, Skeleton, Table, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { count, moment } from "../../i18n/format.ts";
import { announce } from "../../ui/announce.ts";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { importContacts, importsQuery, type ContactImport } from "./queries.ts";

const COLORS = { waiting: "gray", running: "leaf", completed: "gray", failed: "red" } as const;

/** Contacts from files: what was read of each, and which rows were refused and why. */
export function ImportsPage() {
  const { t } = useTranslation("people");
  const queries = useQueryClient();
  const imports = useQuery(importsQuery());
  const [country, setCountry] = useState("");
  const importing = useMutation({
    mutationFn: (file: File) => importContacts(file, country.trim().toUpperCase()),
    onSuccess: async () => {
      announce(t("imports.begun"));
      await queries.invalidateQueries({ queryKey: ["imports"] });
    },
  });
  return (
    <Page title={t("imports.title")}>
      <p className="flush">{t("imports.about")}</p>
      <p className="quiet">
        <code>phone;name;language;tags;consent_marketing;consent_source;cidade</code>
      </p>
      <div className="people-import">
        <TextInput
          label={t("imports.country")}
          description={t("imports.countryAbout")}
          maxLength={2}
          value={country}
          onChange={(event) => setCountry(event.currentTarget.value)}
        />
        <FileButton
          accept=".csv,text/csv"
          onChange={(file) => {
            if (file) importing.mutate(file);
          }}
        >
          {(props) => (
            <Button {...props} loading={importing.isPending}>
              {t("imports.choose")}
            </Button>
          )}
        </FileButton>
      </div>
      {importing.isError && <Problem error={importing.error} />}
      {imports.isError && <Problem error={imports.error} again={() => void imports.refetch()} />}
      {imports.isPending && <Skeleton height={120} />}
      {imports.data?.length === 0 && <p>{t("imports.none")}</p>}
      {imports.data?.map((one) => (
        <ImportPart key={one.import_id} found={one} />
      ))}
    </Page>
  );
}

function ImportPart({ found }: { found: ContactImport }) {
  const { t, i18n } = useTranslation("people");
  const why = (code: string, message: string) => {
    const key = `imports.code.${code}`;
    return i18n.exists(key, { ns: "people" }) ? t(key as "imports.code.phone_invalid") : message;
  };
  const { created_at, status, created, updated, consent_kept, rows, error_count, errors } = found;
  const at = moment(created_at);
  return (
    <section className="people-imported" aria-label={at}>
      <h2 className="people-heading">
        {at}{" "}
        <Badge color={COLORS[status]} variant="light">
          {t(`imports.status.${status}`)}
        </Badge>
      </h2>
      <p className="flush">
        {t("imports.counts", { rows: count(rows), created: count(created), updated: count(updated) })}
        {consent_kept > 0 && ` ${t("imports.consentKept", { number: count(consent_kept) })}`}
      </p>
      {error_count > 0 && (
        <>
          <p className="flush">{t("imports.errors", { count: error_count, number: count(error_count) })}</p>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("imports.row")}</Table.Th>
                <Table.Th>{t("imports.why")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {errors.map(({ row, code, message }) => (
                <Table.Tr key={`${row}.${code}`}>
                  <Table.Td>{row}</Table.Td>
                  <Table.Td>{why(code, message)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </>
      )}
    </section>
  );
}
