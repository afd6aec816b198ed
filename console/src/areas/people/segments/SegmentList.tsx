import { Button, Skeleton, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { segmentsQuery } from "../../../api/segments.ts";
import { locale } from "../../../i18n/words.ts";
import { Icon } from "../../../ui/Icon.tsx";
import { ChangesLink } from "../../../ui/ChangesLink.tsx";
import { Page } from "../../../ui/Page.tsx";
import { Problem } from "../../../ui/Problem.tsx";

/** The segments of the organization: who a campaign may write to. */
export function SegmentList() {
  const { t } = useTranslation("people");
  const segments = useQuery(segmentsQuery());
  return (
    <Page
      title={t("segments.title")}
      actions={
        <Button component={Link} to="/people/segments/new" leftSection={<Icon name="plus" size={16} />}>
          {t("segments.new")}
        </Button>
      }
    >
      {segments.isError && <Problem error={segments.error} again={() => void segments.refetch()} />}
      {segments.isPending && <Skeleton height={160} />}
      {segments.data?.length === 0 && <p>{t("segments.none")}</p>}
      {segments.data && segments.data.length > 0 && (
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("name")}</Table.Th>
              <Table.Th>{t("segments.changed")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {segments.data.map(({ id, name, updated_at }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <Link to={`/people/segments/${id}`} className="people-name">
                    {name}
                  </Link>
                </Table.Td>
                <Table.Td>{new Date(updated_at).toLocaleDateString(locale())}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <ChangesLink of="segments" />
    </Page>
  );
}
