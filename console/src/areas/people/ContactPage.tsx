import { Button, Skeleton, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import { ApiError } from "../../api/errors.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { ConsentPart } from "./ConsentPart.tsx";
import { ContactForm } from "./ContactForm.tsx";
import { ConversationsPart } from "./ConversationsPart.tsx";
import { titleOf } from "./People.tsx";
import { contactQuery, eraseContact, putContact, type Contact } from "./queries.ts";
import "./people.css";

/** One person: what the organization keeps of them, where they wrote, and what they agreed to. */
export function ContactPage() {
  const { contact = "" } = useParams();
  const found = useQuery(contactQuery(contact));
  if (found.isError) return <Problem error={found.error} again={() => void found.refetch()} />;
  if (found.isPending) return <Skeleton height={300} />;
  const { data, tag } = found.data;
  return (
    <Page title={titleOf(data)} actions={<Erase contact={data} />}>
      <div className="people-parts">
        <Editing key={tag} contact={data} tag={tag} />
        <div>
          <ConversationsPart contact={data.contact_id} />
          <ConsentPart contact={data.contact_id} />
        </div>
      </div>
    </Page>
  );
}

function Editing({ contact, tag }: { contact: Contact; tag: string }) {
  const { t } = useTranslation("people");
  const queries = useQueryClient();
  const { queryKey } = contactQuery(contact.contact_id);
  const saving = useMutation({
    mutationFn: (change: Parameters<typeof putContact>[1]) => putContact(contact.contact_id, change, tag),
    onSuccess: (saved) => {
      queries.setQueryData(queryKey, saved);
      void queries.invalidateQueries({ queryKey: ["contacts"] });
    },
  });
  const outdated = saving.error instanceof ApiError && saving.error.code === "contact_changed";
  return (
    <section aria-label={t("data")}>
      <ContactForm contact={contact} saving={saving} />
      {outdated && (
        <Button variant="default" mt="sm" onClick={() => void queries.invalidateQueries({ queryKey })}>
          {t("reload")}
        </Button>
      )}
    </section>
  );
}

/** Erasing cannot be undone: the person types a word before. */
function Erase({ contact }: { contact: Contact }) {
  const { t } = useTranslation("people");
  const [asking, { open, close }] = useDisclosure(false);
  const [typed, setTyped] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const erasing = useMutation({
    mutationFn: () => eraseContact(contact.contact_id),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ["contact", contact.contact_id] });
      void queries.invalidateQueries({ queryKey: ["contacts"] });
      void navigate("/people");
    },
  });
  const word = t("erase.word");
  return (
    <>
      <Button variant="default" onClick={open}>
        {t("erase.open")}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("erase.title")}
        text={t("erase.text", { name: titleOf(contact) })}
        action={t("erase.open")}
        color="red"
        disabled={typed.trim().toLowerCase() !== word}
        doing={erasing}
      >
        <TextInput
          mt="md"
          label={t("erase.type", { word })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Confirm>
    </>
  );
}
