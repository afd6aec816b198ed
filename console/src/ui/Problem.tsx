import { Alert, Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/errors.ts";
import { SignInError } from "../login/session.ts";
import { Icon } from "./Icon.tsx";

/** Return what says in the person's language what went wrong and what to do. */
export function useProblemText(): (error: unknown) => string {
  const { t, i18n } = useTranslation("problems");
  return (error) => {
    const code = error instanceof ApiError || error instanceof SignInError ? error.code : "unexpected";
    // A campaign that does not start says why by the code of the conversations that would not.
    const reason = error instanceof ApiError && code === "start_refused" ? error.body["reason"] : undefined;
    const key = [reason, code].find(
      (known) => typeof known === "string" && i18n.exists(known, { ns: "problems" }),
    );
    return t((key ?? "unexpected") as "export_refused", error instanceof ApiError ? error.body : {});
  };
}

/** What went wrong where something should be shown; with `again`, a button tries it once more. */
export function Problem({ error, again }: { error: unknown; again?: () => void }) {
  const text = useProblemText();
  const { t } = useTranslation();
  return (
    <Alert color="red" icon={<Icon name="alert" />} role="alert">
      <p className="flush">{text(error)}</p>
      {again && (
        <Button variant="default" size="xs" mt="sm" onClick={again}>
          {t("again")}
        </Button>
      )}
    </Alert>
  );
}
