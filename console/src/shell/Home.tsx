import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { session } from "../login/session.ts";
import { Icon } from "../ui/Icon.tsx";
import { Page } from "../ui/Page.tsx";
import { areasOf } from "./areas.ts";
import "./home.css";

/** The first page: what the person's role can do here. */
export function Home() {
  const { t } = useTranslation();
  const person = session().person;
  const areas = areasOf(person.role, session().local);
  return (
    <Page title={t("home.hello", { name: person.name })}>
      {areas.length === 0 && <p>{t(person.role ? "home.noArea" : "home.noRole")}</p>}
      <ul className="home-areas">
        {areas.map((area) => (
          <li key={area.id}>
            <Link to={`/${area.id}`} className="home-area">
              <Icon name={area.icon} size={28} />
              <span>
                <strong>{t(`area.${area.id}`)}</strong>
                <span className="quiet">{t(`about.${area.id}`)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
