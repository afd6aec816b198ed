import type { RouteObject } from "react-router";
import { ContactPage } from "./ContactPage.tsx";
import { People } from "./People.tsx";

const routes: RouteObject[] = [
  { index: true, element: <People /> },
  { path: ":contact", element: <ContactPage /> },
];

export default routes;
