import type { RouteObject } from "react-router";
import { FlowList } from "./FlowList.tsx";

const routes: RouteObject[] = [{ index: true, element: <FlowList /> }];

export default routes;
