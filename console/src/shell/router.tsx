import { createBrowserRouter, type RouteObject } from "react-router";
import { BASE } from "../login/config.ts";
import { session } from "../login/session.ts";
import { areasOf, routesOf } from "./areas.ts";
import { Home } from "./Home.tsx";
import { RouteProblem } from "./RouteProblem.tsx";
import { Shell } from "./Shell.tsx";

const PAGES = "pages";

/** Every page of the person's areas; those of other areas do not exist for them. */
export function routes(): RouteObject[] {
  return [
    {
      element: <Shell />,
      hydrateFallbackElement: <div />,
      children: [
        {
          id: PAGES,
          errorElement: <RouteProblem />,
          children: [
            { index: true, element: <Home /> },
            { path: "*", loader: missing, element: null },
          ],
        },
      ],
    },
  ];
}

function missing(): never {
  throw new Response("", { status: 404, statusText: "Not Found" });
}

/** The router of the signed-in person. An area's pages are loaded when the person first goes there. */
export function router() {
  return createBrowserRouter(routes(), {
    basename: BASE,
    async patchRoutesOnNavigation({ path, patch }) {
      const inside = path.startsWith(BASE) ? path.slice(BASE.length) : path;
      const area = areasOf(session().person.role, session().local).find(
        ({ id }) => inside.split("/")[1] === id,
      );
      if (area) {
        patch(PAGES, [{ path: area.id, errorElement: <RouteProblem />, children: await routesOf(area) }]);
      }
    },
  });
}
