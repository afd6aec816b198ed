import { useTranslation } from "react-i18next";
import { NavLink, Outlet } from "react-router";
import "./settings.css";

const PAGES = ["numbers", "organization", "timetables", "teams", "replies", "secrets"] as const;

/** The settings, with a line of their pages. */
export function Settings() {
  const { t } = useTranslation("settings");
  return (
    <>
      <nav className="settings-nav" aria-label={t("pages")}>
        {PAGES.map((page) => (
          <NavLink key={page} to={`/settings/${page}`} className="settings-link">
            {t(`${page}.title`)}
          </NavLink>
        ))}
      </nav>
      <Outlet />
    </>
  );
}
