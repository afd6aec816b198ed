import type { RouteObject } from "react-router";
import { Try } from "./Try.tsx";

const routes: RouteObject[] = [{ index: true, element: <Try /> }];

export default routes;
