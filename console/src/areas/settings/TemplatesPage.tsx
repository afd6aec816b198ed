import { Badge, Button, Skeleton, Table } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { numbersQuery, type PhoneNumber } from "../../api/numbers.ts";
import { templateId, textOf, type MessageTemplate } from "../../api/templates.ts";
import { announce } from "../../ui/announce.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { ChangesLink } from "../../ui/ChangesLink.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { TemplateEditor } from "./TemplateEditor.tsx";
import { allTemplatesQuery, CATEGORIES, deleteTemplate, syncTemplates } from "./templates.ts";

const STATES = ["APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL"] as const;
const QUALITIES = ["GREEN", "YELLOW", "RED"] as const;

/** The message templates of the organization's WhatsApp Business accounts, and what Meta says of them. */
export function TemplatesPage() {
  const { t } = useTranslation("settings");
  const templates = useQuery(allTemplatesQuery());
  const numbers = useQuery(numbersQuery());
  const [writing, { open, close }] = useDisclosure(false);
  const known = numbers.data ?? [];
  return (
    <Page
      title={t("templates.title")}
      actions={
        <div className="settings-line">
          <Synchronize numbers={known} />
          <Button leftSection={<Icon name="plus" size={16} />} disabled={known.length === 0} onClick={open}>
            {t("templates.new")}
          </Button>
        </div>
      }
    >
      <p>{t("templates.about")}</p>
      {templates.isError && <Problem error={templates.error} again={() => void templates.refetch()} />}
      {templates.isPending && <Skeleton height={160} />}
      {templates.data?.length === 0 && <p>{t(known.length > 0 ? "templates.none" : "numbers.none")}</p>}
      {templates.data && templates.data.length > 0 && (
        <TemplateTable templates={templates.data} numbers={known} />
      )}
      <Dialog opened={writing} onClose={close} title={t("templates.new")} size="lg">
        <TemplateEditor numbers={known} close={close} />
      </Dialog>
      <ChangesLink of="templates" />
    </Page>
  );
}

/** One number of each account. */
function accounts(numbers: readonly PhoneNumber[]): string[] {
  const byAccount = new Map(numbers.map((one) => [one.waba_id ?? one.phone_number_id, one.phone_number_id]));
  return [...byAccount.values()];
}

function Synchronize({ numbers }: { numbers: PhoneNumber[] }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const copying = useMutation({
    mutationFn: () => syncTemplates(accounts(numbers)),
    onSuccess: () => announce(t("templates.copied")),
    onSettled: () => queries.invalidateQueries({ queryKey: ["templates"] }),
  });
  return (
    <>
      {copying.isError && <Problem error={copying.error} />}
      <Button
        variant="default"
        disabled={numbers.length === 0}
        loading={copying.isPending}
        onClick={() => copying.mutate()}
      >
        {t("templates.copy")}
      </Button>
    </>
  );
}

function TemplateTable({ templates, numbers }: { templates: MessageTemplate[]; numbers: PhoneNumber[] }) {
  const { t } = useTranslation("settings");
  return (
    <Table verticalSpacing="sm" className="settings-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("templates.name")}</Table.Th>
          <Table.Th>{t("templates.category")}</Table.Th>
          <Table.Th>{t("templates.state")}</Table.Th>
          <Table.Th>{t("templates.quality")}</Table.Th>
          <Table.Th>
            <span className="unseen">{t("templates.remove")}</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {templates.map((template) => (
          <Row key={templateId(template)} template={template} numbers={numbers} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Row({ template, numbers }: { template: MessageTemplate; numbers: PhoneNumber[] }) {
  const { t } = useTranslation("settings");
  const { name, language, reason } = template;
  const state = STATES.find((one) => one === template.status);
  const category = CATEGORIES.find((one) => one === template.category);
  const next = CATEGORIES.find((one) => one === template.next_category);
  const quality = QUALITIES.find((one) => one === template.quality);
  // A number without an account of its own is asked for it by the server.
  const number = numbers.find(({ waba_id }) => waba_id === template.waba_id) ?? numbers[0];
  return (
    <Table.Tr>
      <Table.Td>
        {name} · {language}
        <div className="quiet settings-text">{textOf(template, "BODY")}</div>
      </Table.Td>
      <Table.Td>
        {category ? t(`templates.categories.${category}`) : (template.category ?? "–")}
        {next && (
          <div className="quiet">{t("templates.next", { category: t(`templates.categories.${next}`) })}</div>
        )}
      </Table.Td>
      <Table.Td>
        <Badge variant="light" color={state === "APPROVED" ? "leaf" : "gray"}>
          {state ? t(`templates.states.${state}`) : (template.status ?? "–")}
        </Badge>
        {reason && reason !== "NONE" && <div className="quiet">{reason}</div>}
      </Table.Td>
      <Table.Td>{quality ? t(`templates.qualities.${quality}`) : "–"}</Table.Td>
      <Table.Td className="settings-actions">
        {number && <Remove template={template} number={number.phone_number_id} />}
      </Table.Td>
    </Table.Tr>
  );
}

function Remove({ template, number }: { template: MessageTemplate; number: string }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const [asking, { open, close }] = useDisclosure(false);
  const { name, language } = template;
  const deleting = useMutation({
    mutationFn: () => deleteTemplate(name, language, number),
    onSuccess: close,
    onSettled: () => queries.invalidateQueries({ queryKey: ["templates"] }),
  });
  return (
    <>
      <Button
        size="xs"
        variant="default"
        aria-label={t("templates.removeOne", { name, language })}
        onClick={open}
      >
        {common("remove")}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("templates.removing", { name, language })}
        text={t("templates.removingText")}
        action={t("templates.remove")}
        color="red"
        doing={deleting}
      />
    </>
  );
}
