import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, Outlet, useNavigation } from "react-router";
import { session } from "../login/session.ts";
import { Icon } from "../ui/Icon.tsx";
import { later } from "../ui/later.tsx";
import { areasOf } from "./areas.ts";
import { PersonMenu } from "./PersonMenu.tsx";
import "./shell.css";

const WAITING = "people-waiting";
const Handoffs = later(async () => (await import("../areas/inbox/Handoffs.tsx")).Handoffs);

/** The frame of every page: navigation by role, the person's menu, and the region of announcements. */
export function Shell() {
  const { t } = useTranslation();
  const person = session().person;
  const loading = useNavigation().state === "loading";
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <nav className="shell-nav" aria-label={t("areas")}>
        <NavLink to="/" end className="shell-brand" aria-label="PyTake">
          <img src={`${import.meta.env.BASE_URL}icon.svg`} width="28" height="28" alt="" />
          <span className="shell-brand-name">PyTake</span>
        </NavLink>
        <ul className="shell-areas">
          {areasOf(person.role, session().local).map((area) => (
            <li key={area.id}>
              <NavLink
                to={`/${area.id}`}
                className="shell-area"
                aria-label={t(`area.${area.id}`)}
                aria-describedby={area.id === "inbox" ? WAITING : undefined}
              >
                <Icon name={area.icon} size={22} />
                <span>{t(`area.${area.id}`)}</span>
                {area.id === "inbox" && <Handoffs id={WAITING} />}
              </NavLink>
            </li>
          ))}
        </ul>
        <PersonMenu person={person} />
      </nav>
      <main id="main" className="shell-main" tabIndex={-1} aria-busy={loading}>
        {loading && <div className="shell-loading" aria-hidden="true" />}
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <div id="announcements" className="unseen" aria-live="polite" />
    </div>
  );
}
