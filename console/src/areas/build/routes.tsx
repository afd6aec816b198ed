import type { RouteObject } from "react-router";
import { Editor } from "./editor/Editor.tsx";
import { FlowList } from "./list/FlowList.tsx";

const routes: RouteObject[] = [
  { index: true, element: <FlowList /> },
  { path: ":flowId", element: <Editor /> },
];

export default routes;
