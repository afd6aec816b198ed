import { useTranslation } from "react-i18next";
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
] as const;

/** The settings, with a line of their pages. */
export function Settings() {
  const { t } = useTranslation("settings");
  const pages = PAGES.map((page) => ({ to: `/settings/${page}`, name: t(`${page}.title`) }));
  return <SubNav label={t("pages")} pages={pages} />;
}
