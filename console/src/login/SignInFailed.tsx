import { Button, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "../ui/Problem.tsx";
import { BASE } from "./config.ts";

/** What is shown when the sign-in failed: why, and a way to try again. */
export function SignInFailed({ error }: { error: unknown }) {
  const { t } = useTranslation();
  return (
    <main className="page">
      <Title order={1} size="h2" mb="md">
        {t("signIn.failed")}
      </Title>
      <Problem error={error} />
      <Button mt="md" component="a" href={BASE}>
        {t("signIn.again")}
      </Button>
    </main>
  );
}
