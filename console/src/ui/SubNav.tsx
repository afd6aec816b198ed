import "./subnav.css";
import { NavLink, Outlet } from "react-router";

interface SubNavProps {
  label: string;
  pages: { to: string; name: string; end?: boolean }[];
}

/** The pages of an area, with a line of links to them. */
export function SubNav({ label, pages }: SubNavProps) {
  return (
    <>
      <nav className="subnav" aria-label={label}>
        {pages.map(({ to, name, end = false }) => (
          <NavLink key={to} to={to} end={end} className="subnav-link">
            {name}
          </NavLink>
        ))}
      </nav>
      <Outlet />
    </>
  );
}
