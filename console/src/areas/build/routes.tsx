import "./build.css";
import type { RouteObject } from "react-router";
import { askForDraft } from "./queries.ts";

// Each page is loaded for itself: the list needs no canvas, and the canvas none of the list's dialogs.
const routes: RouteObject[] = [
  { index: true, lazy: async () => ({ Component: (await import("./list/FlowList.tsx")).FlowList }) },
  {
    path: ":flowId",
    loader: ({ params }) => {
      askForDraft(params["flowId"]!); // it comes while the editor is loaded
      return null;
    },
    lazy: async () => ({ Component: (await import("./editor/Editor.tsx")).Editor }),
  },
];

export default routes;
