import { useTranslation } from "react-i18next";
import { Navigate } from "react-router";
import { session } from "../../login/session.ts";
import { SubNav } from "../../ui/SubNav.tsx";
import { People } from "./People.tsx";

/** Whether this person may see who the contacts are. Builders define segments and see only how many people they have. */
function seesContacts(): boolean {
  return session().person.role !== "builder";
}

/** People, with a line of its pages. */
export function PeopleArea() {
  const { t } = useTranslation("people");
  const segments = { to: "/people/segments", name: t("segments.title") };
  const imports = { to: "/people/imports", name: t("imports.title") };
  const contacts = { to: "/people", name: t("title"), end: true };
  return <SubNav label={t("pages")} pages={seesContacts() ? [contacts, segments, imports] : [segments]} />;
}

/** The first page of the area. */
export function FirstPage() {
  return seesContacts() ? <People /> : <Navigate to="/people/segments" replace />;
}
