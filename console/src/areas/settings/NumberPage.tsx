import { Alert, Button, Skeleton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useLocation, useNavigate, useParams } from "react-router";
import { ApiError } from "../../api/errors.ts";
import { Confirm } from "../../ui/Confirm.tsx";
import { Icon } from "../../ui/Icon.tsx";
import { Page } from "../../ui/Page.tsx";
import { Problem } from "../../ui/Problem.tsx";
import { NumberForm } from "./NumberForm.tsx";
import { numbersQuery, putNumber, type NumberChange, type PhoneNumber } from "../../api/numbers.ts";
import { deleteNumber, type PhoneNumberWithProblems } from "./queries.ts";

/** Connect a phone number, or change it. */
export function NumberPage() {
  const { t } = useTranslation("settings");
  const { id = "new" } = useParams();
  const numbers = useQuery(numbersQuery());
  const known = numbers.data?.find(({ phone_number_id }) => phone_number_id === id);
  if (numbers.isError) return <Problem error={numbers.error} again={() => void numbers.refetch()} />;
  if (numbers.isPending) return <Skeleton height={300} />;
  if (id !== "new" && !known) return <Problem error={new ApiError(404, "number_unknown", "")} />;
  return (
    <Page
      key={id} // that of a number that was just connected is another page, whose heading takes the focus
      title={known ? known.display_phone_number : t("numbers.connect")}
      actions={known && <Disconnect number={known} />}
    >
      <Editing known={known} />
    </Page>
  );
}

function Editing({ known }: { known: PhoneNumber | undefined }) {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const saving = useMutation({
    mutationFn: ({ id, change }: { id: string; change: NumberChange }) => putNumber(id, change),
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: ["numbers"] });
      if (!known)
        void navigate(`/settings/numbers/${saved.phone_number_id}`, { state: { connected: saved } });
    },
  });
  // The page of a new number is another one than that which connected it.
  const { state } = useLocation() as { state: { connected?: PhoneNumberWithProblems } | null };
  return (
    <>
      {state?.connected && (
        <Alert color="leaf" mb="md" role="status">
          {t("numbers.connected")}
        </Alert>
      )}
      <Warnings saved={saving.data ?? state?.connected} />
      <NumberForm known={known} saving={saving} />
    </>
  );
}

/** A flow that is named and cannot answer, or a template that Meta would refuse: a person would get the apology or nothing. */
function Warnings({ saved }: { saved: PhoneNumberWithProblems | undefined }) {
  const { t } = useTranslation("settings");
  if (!saved || saved.problems.length === 0) return null;
  const ofTemplate = (code: string) => code.startsWith("template_");
  return (
    <Alert color="yellow" icon={<Icon name="alert" />} mb="md" role="alert">
      {saved.problems.some(({ code }) => !ofTemplate(code)) && <p>{t("numbers.flowMissing")}</p>}
      {saved.problems.some(({ code }) => ofTemplate(code)) && <p>{t("numbers.templateMissing")}</p>}
    </Alert>
  );
}

function Disconnect({ number }: { number: PhoneNumber }) {
  const { t } = useTranslation("settings");
  const [asking, { open, close }] = useDisclosure(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const deleting = useMutation({
    mutationFn: () => deleteNumber(number.phone_number_id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["numbers"] });
      void navigate("/settings/numbers");
    },
  });
  return (
    <>
      <Button variant="default" onClick={open}>
        {t("numbers.disconnect")}
      </Button>
      <Confirm
        opened={asking}
        onClose={close}
        title={t("numbers.disconnecting")}
        text={t("numbers.disconnectText", { number: number.display_phone_number })}
        action={t("numbers.disconnect")}
        color="red"
        doing={deleting}
      />
    </>
  );
}
