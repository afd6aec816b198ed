import { useTranslation } from "react-i18next";
import { session } from "../../login/session.ts";
import { SubNav } from "../../ui/SubNav.tsx";
import "./settings.css";

const PAGES = [
  "numbers",
  "organization",
  "timetables",
  "teams",
  "replies",
  "templates",
  "files",
  "secrets",
  "deliveries",
  "changes",
] as const;

/** The settings, with a line of their pages. */
export function Settings() {
  const { t } = useTranslation("settings");
  const isAdmin = session().person.role === "admin";
  const shown = PAGES.filter((page) => isAdmin || page !== "changes");
  const pages = shown.map((page) => ({ to: `/settings/${page}`, name: t(`${page}.title`) }));
  return <SubNav label={t("pages")} pages={pages} />;
}
