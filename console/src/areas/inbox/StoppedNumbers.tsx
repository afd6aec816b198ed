import { Alert } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { numbersQuery } from "../../api/numbers.ts";
import { session } from "../../login/session.ts";
import { Icon } from "../../ui/Icon.tsx";

const OFTEN_ENOUGH = 15_000; // milliseconds

/** The numbers that are stopped. What agents write there waits, so they are told why. */
export function StoppedNumbers() {
  const { t } = useTranslation("inbox");
  const numbers = useQuery({ ...numbersQuery(), refetchInterval: OFTEN_ENOUGH });
  const stopped = numbers.data?.filter(({ stopped_reason }) => stopped_reason) ?? [];
  return stopped.map(({ phone_number_id, display_phone_number }) => (
    <Alert key={phone_number_id} color="red" icon={<Icon name="alert" />} role="alert" p="xs">
      {t("stopped", { number: display_phone_number })}{" "}
      {session().person.role === "admin" && <Link to="/settings/numbers">{t("toNumbers")}</Link>}
    </Alert>
  ));
}
