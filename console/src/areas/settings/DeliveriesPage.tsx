import { Button, Group, NativeSelect, Skeleton, Table } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { moment } from "../../i18n/format.ts";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import {
  deliveriesQuery,
  redrive,
  UNDELIVERED,
  type Undelivered,
  type UndeliveredState,
} from "./deliveries.ts";

/** Messages that did not arrive, by why. Those that were given up can be sent again. */
export function DeliveriesPage() {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const [state, setState] = useState<UndeliveredState>("dead");
  const found = useInfiniteQuery(deliveriesQuery(state));
  const shown = found.data?.pages.flatMap(({ messages }) => messages) ?? [];
  return (
    <Page title={t("deliveries.title")}>
      <NativeSelect
        label={t("deliveries.state")}
        description={t(`deliveries.about.${state}`)}
        className="settings-select"
        value={state}
        data={UNDELIVERED.map((value) => ({ value, label: t(`deliveries.states.${value}`) }))}
        onChange={(event) => setState(event.currentTarget.value as UndeliveredState)}
      />
      {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.isPending && <Skeleton height={160} mt="md" />}
      {found.isSuccess && shown.length === 0 && <p>{t("deliveries.none")}</p>}
      {shown.length > 0 && <Messages key={state} messages={shown} />}
      {found.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {common("more")}
        </Button>
      )}
    </Page>
  );
}

function Messages({ messages }: { messages: Undelivered[] }) {
  const { t } = useTranslation("settings");
  const redrivable = messages.filter((one) => one.can_be_redriven);
  return (
    <>
      <Table verticalSpacing="xs" mt="md" className="settings-table">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("deliveries.person")}</Table.Th>
            <Table.Th>{t("deliveries.since")}</Table.Th>
            <Table.Th>{t("deliveries.reason")}</Table.Th>
            <Table.Th>{t("deliveries.attempts")}</Table.Th>
            <Table.Th>
              <span className="unseen">{t("deliveries.again")}</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {messages.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>
                <Link to={`/inbox/${one.phone_number_id}/${encodeURIComponent(one.contact_id)}`}>
                  {one.contact_id}
                </Link>
              </Table.Td>
              <Table.Td>
                {moment(one.since)}
                {one.due_at && (
                  <div className="quiet">{t("deliveries.due", { time: moment(one.due_at) })}</div>
                )}
              </Table.Td>
              <Table.Td>
                {[one.reason, one.error_code].filter((part) => part !== null).join(" · ") || "–"}
              </Table.Td>
              <Table.Td>{one.attempts}</Table.Td>
              <Table.Td className="settings-actions">
                {one.can_be_redriven && (
                  <SendAgain messages={[one]} name={t("deliveries.againTo", { who: one.contact_id })} />
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {redrivable.length > 1 && (
        <Group mt="md">
          <SendAgain messages={redrivable} />
        </Group>
      )}
    </>
  );
}

/** Asks, and then queues the messages one after the other. `name` tells a screen reader which one. */
function SendAgain({ messages, name }: { messages: Undelivered[]; name?: string }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const [asking, { open, close }] = useDisclosure(false);
  const count = messages.length;
  const sending = useMutation({
    mutationFn: async () => {
      for (const { id } of messages) {
        // In order, as the person is to read them.
        // oxlint-disable-next-line no-await-in-loop
        await redrive(id);
      }
    },
    onSuccess: () => {
      announce(t("deliveries.done", { count }));
      close();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["deliveries"] }),
  });
  return (
    <>
      <Button size="xs" variant="default" aria-label={name} onClick={open}>
        {t(name ? "deliveries.again" : "deliveries.all", { count })}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("deliveries.sure", { count })}
        text={t("deliveries.sureAbout")}
        action={t("deliveries.again")}
        doing={sending}
      />
    </>
  );
}
