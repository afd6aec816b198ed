import { Alert, Badge, Button, Skeleton, Table } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { numbersQuery, type PhoneNumber } from "../../api/numbers.ts";
import { useFlows } from "./flows.ts";
import { organizationQuery, resumeNumber } from "./queries.ts";

const LOW_RATE = 60; // messages a minute: one a second

/** The organization's phone numbers: which flow answers, and whether they send. */
export function NumberList() {
  const { t } = useTranslation("settings");
  const numbers = useQuery(numbersQuery());
  return (
    <Page
      title={t("numbers.title")}
      actions={
        <Button component={Link} to="/settings/numbers/new" leftSection={<Icon name="plus" size={16} />}>
          {t("numbers.connect")}
        </Button>
      }
    >
      <RateWarning />
      {numbers.isError && <Problem error={numbers.error} again={() => void numbers.refetch()} />}
      {numbers.isPending && <Skeleton height={160} />}
      {numbers.data?.length === 0 && <p>{t("numbers.none")}</p>}
      {numbers.data && numbers.data.length > 0 && <NumberTable numbers={numbers.data} />}
      <ChangesLink of="numbers" />
    </Page>
  );
}

/** The default rate suits a trial; with real traffic answers wait for minutes. */
function RateWarning() {
  const { t } = useTranslation("settings");
  const organization = useQuery(organizationQuery());
  if (!organization.data) return null;
  const rate = organization.data.messages_per_minute ?? null;
  if (rate !== null && rate >= LOW_RATE) return null;
  return (
    <Alert color="yellow" icon={<Icon name="alert" />} mb="md">
      {rate === null ? t("rate.unset") : t("rate.low", { rate })}{" "}
      <Link to="/settings/organization">{t("rate.change")}</Link>
    </Alert>
  );
}

function NumberTable({ numbers }: { numbers: PhoneNumber[] }) {
  const { t } = useTranslation("settings");
  return (
    <Table verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("numbers.number")}</Table.Th>
          <Table.Th>{t("numbers.flow")}</Table.Th>
          <Table.Th>{t("numbers.state")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {numbers.map((number) => (
          <Table.Tr key={number.phone_number_id}>
            <Table.Td>
              <Link to={`/settings/numbers/${number.phone_number_id}`}>{number.display_phone_number}</Link>
              <div className="quiet">{number.phone_number_id}</div>
            </Table.Td>
            <Table.Td>
              <DefaultFlow number={number} />
            </Table.Td>
            <Table.Td>
              <State number={number} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** The flow that answers. One that cannot answer is marked, with the way to another one. */
function DefaultFlow({ number }: { number: PhoneNumber }) {
  const { t } = useTranslation("settings");
  const { nameOf, problemOf } = useFlows();
  const { default_flow_id: id } = number;
  if (!id) return <em>{t("numbers.noFlow")}</em>;
  const problem = problemOf(id);
  if (!problem) return nameOf(id);
  return (
    <div className="settings-warning">
      <Icon name="alert" size={16} />
      <span>
        {problem} <Link to={`/settings/numbers/${number.phone_number_id}`}>{t("numbers.chooseFlow")}</Link>
      </span>
    </div>
  );
}

function State({ number }: { number: PhoneNumber }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const [asking, { open, close }] = useDisclosure(false);
  const resuming = useMutation({
    mutationFn: () => resumeNumber(number.phone_number_id),
    onSuccess: () => {
      announce(t("numbers.resumed"));
      close();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["numbers"] }),
  });
  if (!number.stopped_reason)
    return (
      <Badge color="leaf" variant="light">
        {t(number.resuming ? "numbers.resuming" : "numbers.sends")}
      </Badge>
    );
  return (
    <>
      <Badge color="red" variant="light">
        {t("numbers.stopped")}
      </Badge>
      <div className="quiet">{number.stopped_reason}</div>
      <Button size="xs" variant="default" onClick={open}>
        {t("numbers.resume")}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("numbers.resumingTitle", { number: number.display_phone_number })}
        text={t("numbers.resumingText")}
        action={t("numbers.resume")}
        doing={resuming}
      />
    </>
  );
}
