import type { RouteObject } from "react-router";
import { Measure } from "./Measure.tsx";

const routes: RouteObject[] = [{ index: true, element: <Measure /> }];

export default routes;
