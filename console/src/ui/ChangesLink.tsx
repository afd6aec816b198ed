import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ChangedResource } from "../api/changes.ts";
import { session } from "../login/session.ts";

/** Leads an administrator to who changed this. */
export function ChangesLink({ of }: { of: ChangedResource }) {
  const { t } = useTranslation();
  if (session().person.role !== "admin") return null;
  return (
    <p className="quiet">
      <Anchor component={Link} to={`/settings/changes?resource=${of}`}>
        {t("whoChanged")}
      </Anchor>
    </p>
  );
}
