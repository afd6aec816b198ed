import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { isRouteErrorResponse, useNavigate, useRouteError } from "react-router";
import { Page } from "../ui/Page.tsx";
import { Problem } from "../ui/Problem.tsx";

/** What is shown instead of a page that failed or does not exist. */
export function RouteProblem() {
  const { t } = useTranslation();
  const error = useRouteError();
  const navigate = useNavigate();
  const missing = isRouteErrorResponse(error) && error.status === 404;
  return (
    <Page title={t(missing ? "notFound.title" : "failed.title")}>
      {missing ? <p>{t("notFound.text")}</p> : <Problem error={error} again={() => location.reload()} />}
      <Button variant="default" mt="md" onClick={() => void navigate("/")}>
        {t("toStart")}
      </Button>
    </Page>
  );
}
