import "./subnav.css";
import { useEffect, useRef } from "react";
import { NavLink, Outlet, useLocation } from "react-router";

interface SubNavProps {
  label: string;
  pages: { to: string; name: string; end?: boolean }[];
}

/** The pages of an area, with a line of links to them. */
export function SubNav({ label, pages }: SubNavProps) {
  const { pathname } = useLocation();
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = nav.current?.querySelector("[aria-current]");
    current?.scrollIntoView({ inline: "center", block: "nearest" }); // a phone has no place for all of them
  }, [pathname]);
  return (
    <>
      <nav className="subnav" aria-label={label} ref={nav}>
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
