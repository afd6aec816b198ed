import type { RouteObject } from "react-router";
import { loadWords } from "../i18n/words.ts";
import type { Role } from "../login/session.ts";
import type { IconName } from "../ui/Icon.tsx";

/** A part of the console with a place in the navigation. */
export interface Area {
  /** Also the first part of its path, the name of its folder, and the key of its name in words/<language>/shell.json. */
  id: "build" | "campaigns" | "inbox" | "measure" | "people" | "settings" | "try";
  icon: IconName;
  roles: readonly Role[];
  /** Only on the local cloud: a deployed stack has no simulated phones. */
  local?: true;
  /** Texts that it needs besides its own. */
  words?: string[];
  routes: () => Promise<{ default: RouteObject[] }>;
}

// A new area: its folder below src/areas, its line here and in i18n/types.d.ts (README.md).
export const AREAS: readonly Area[] = [
  {
    id: "build",
    icon: "build",
    roles: ["admin", "builder"],
    words: ["findings"],
    routes: () => import("../areas/build/routes.tsx"),
  },
  {
    id: "inbox",
    icon: "inbox",
    roles: ["admin", "agent"],
    routes: () => import("../areas/inbox/routes.tsx"),
  },
  {
    id: "people",
    icon: "people",
    roles: ["admin", "builder", "agent"],
    routes: () => import("../areas/people/routes.tsx"),
  },
  {
    id: "campaigns",
    icon: "campaigns",
    roles: ["admin", "builder", "analyst"],
    words: ["comparison"],
    routes: () => import("../areas/campaigns/routes.tsx"),
  },
  {
    id: "measure",
    icon: "measure",
    roles: ["admin", "builder", "analyst"],
    words: ["comparison"],
    routes: () => import("../areas/measure/routes.tsx"),
  },
  {
    id: "settings",
    icon: "settings",
    roles: ["admin"],
    words: ["files"],
    routes: () => import("../areas/settings/routes.tsx"),
  },
  {
    id: "try",
    icon: "try",
    roles: ["admin", "builder", "agent"],
    local: true,
    routes: () => import("../areas/try/routes.tsx"),
  },
];

/** Return the areas of a role. The API refuses what others try. `local`: the stack is that of the local cloud. */
export function areasOf(role: Role | undefined, local: boolean): readonly Area[] {
  return AREAS.filter((area) => role && area.roles.includes(role) && (local || !area.local));
}

/** Load the pages of an area together with its texts. */
export async function routesOf(area: Area): Promise<RouteObject[]> {
  const [{ default: routes }] = await Promise.all([area.routes(), loadWords(area.id, ...(area.words ?? []))]);
  return routes;
}
