import { Badge, Button, Skeleton, Table, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { locale } from "../../i18n/words.ts";
import { Icon } from "../../ui/Icon.tsx";
import { plain } from "../../ui/names.ts";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { SaveBar } from "../../ui/SaveBar.tsx";
import { addContact, contactsQuery, type Contact } from "./queries.ts";
import "./people.css";
import { Dialog } from "../../ui/Dialog.tsx";
import { Form } from "../../ui/Form.tsx";

const PAUSE = 300; // milliseconds without a key, before the server is asked

/** The people that the organization knows. */
export function People() {
  const { t } = useTranslation("people");
  const { t: common } = useTranslation();
  const [search, setSearch] = useState("");
  const [asked] = useDebouncedValue(search.trim(), PAUSE);
  const contacts = useInfiniteQuery(contactsQuery(asked));
  const [adding, { open, close }] = useDisclosure(false);
  const shown = contacts.data?.pages.flatMap((page) => page.contacts) ?? [];
  return (
    <Page
      title={t("title")}
      actions={
        <Button leftSection={<Icon name="plus" size={16} />} onClick={open}>
          {t("add")}
        </Button>
      }
    >
      <TextInput
        type="search"
        mb="md"
        aria-label={t("search")}
        placeholder={t("search")}
        leftSection={<Icon name="search" size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      {contacts.isError && <Problem error={contacts.error} again={() => void contacts.refetch()} />}
      {contacts.isPending && <Skeleton height={220} />}
      {contacts.isSuccess && shown.length === 0 && !contacts.hasNextPage && (
        <p>{t(asked ? "noneFound" : "none")}</p>
      )}
      {shown.length > 0 && <ContactTable contacts={shown} />}
      {contacts.hasNextPage && (
        <Button
          variant="default"
          mt="md"
          loading={contacts.isFetchingNextPage}
          onClick={() => void contacts.fetchNextPage()}
        >
          {common("more")}
        </Button>
      )}
      <Dialog opened={adding} onClose={close} title={t("add")} centered>
        <NewContact />
      </Dialog>
    </Page>
  );
}

function ContactTable({ contacts }: { contacts: Contact[] }) {
  const { t } = useTranslation("people");
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "short" });
  return (
    <Table verticalSpacing="sm" className="people-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("name")}</Table.Th>
          <Table.Th>{t("tags")}</Table.Th>
          <Table.Th>{t("consent.marketing")}</Table.Th>
          <Table.Th>{t("lastWrote")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {contacts.map((contact) => (
          <Table.Tr key={contact.contact_id}>
            <Table.Td>
              <Link to={encodeURIComponent(contact.contact_id)}>{titleOf(contact)}</Link>
              {contact.name && <div className="quiet">{contact.phone ?? contact.username}</div>}
            </Table.Td>
            <Table.Td>
              <span className="people-tags">
                {contact.tags.map((tag) => (
                  <Badge key={tag} variant="light" color="gray">
                    {tag}
                  </Badge>
                ))}
                {contact.opted_out && <Badge color="red">{t("optedOut")}</Badge>}
              </span>
            </Table.Td>
            <Table.Td>{t(`state.${contact.consent.marketing.state}`)}</Table.Td>
            <Table.Td>
              {contact.last_inbound_at ? date.format(new Date(contact.last_inbound_at)) : t("never")}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** What a person is called here: their name, or how they can be reached. */
export function titleOf({ name, phone, username, contact_id }: Contact): string {
  return plain(name) || phone || username || contact_id;
}

function NewContact() {
  const { t } = useTranslation("people");
  const navigate = useNavigate();
  const [form, setForm] = useState({ phone: "", name: "" });
  const saving = useMutation({
    mutationFn: () => addContact(form.phone.replaceAll(/\D/g, ""), form.name.trim()),
    onSuccess: ({ data }) => void navigate(`/people/${encodeURIComponent(data.contact_id)}`),
  });
  return (
    <Form onSubmit={() => saving.mutate()}>
      <TextInput
        label={t("phone")}
        description={t("phoneAbout")}
        required
        type="tel"
        value={form.phone}
        onChange={(event) => setForm({ ...form, phone: event.currentTarget.value })}
      />
      <TextInput
        label={t("name")}
        maxLength={200}
        value={form.name}
        onChange={(event) => setForm({ ...form, name: event.currentTarget.value })}
      />
      <SaveBar saving={saving} />
    </Form>
  );
}
