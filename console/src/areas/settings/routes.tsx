import { Navigate, type RouteObject } from "react-router";
import { ChangesPage } from "./ChangesPage.tsx";
import { DeliveriesPage } from "./DeliveriesPage.tsx";
import { FilesPage } from "./FilesPage.tsx";
import { NumberList } from "./NumberList.tsx";
import { NumberPage } from "./NumberPage.tsx";
import { OrganizationPage } from "./OrganizationPage.tsx";
import { RepliesPage } from "./RepliesPage.tsx";
import { SecretsPage } from "./SecretsPage.tsx";
import { Settings } from "./Settings.tsx";
import { TeamsPage } from "./TeamsPage.tsx";
import { TemplatesPage } from "./TemplatesPage.tsx";
import { TimetablesPage } from "./TimetablesPage.tsx";

const routes: RouteObject[] = [
  {
    element: <Settings />,
    children: [
      { index: true, element: <Navigate to="numbers" replace /> },
      { path: "numbers", element: <NumberList /> },
      { path: "numbers/:id", element: <NumberPage /> },
      { path: "organization", element: <OrganizationPage /> },
      { path: "timetables", element: <TimetablesPage /> },
      { path: "teams", element: <TeamsPage /> },
      { path: "replies", element: <RepliesPage /> },
      { path: "templates", element: <TemplatesPage /> },
      { path: "files", element: <FilesPage /> },
      { path: "secrets", element: <SecretsPage /> },
      { path: "deliveries", element: <DeliveriesPage /> },
      { path: "changes", element: <ChangesPage /> },
    ],
  },
];

export default routes;
