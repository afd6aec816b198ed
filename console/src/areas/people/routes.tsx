import type { RouteObject } from "react-router";
import { ContactPage } from "./ContactPage.tsx";
import { ImportsPage } from "./ImportsPage.tsx";
import { FirstPage, PeopleArea } from "./PeopleArea.tsx";
import { SegmentList } from "./segments/SegmentList.tsx";
import { NewSegment, SegmentPage } from "./segments/SegmentPage.tsx";

const routes: RouteObject[] = [
  {
    element: <PeopleArea />,
    children: [
      { index: true, element: <FirstPage /> },
      { path: "segments", element: <SegmentList /> },
      { path: "segments/new", element: <NewSegment /> },
      { path: "segments/:id", element: <SegmentPage /> },
      { path: "imports", element: <ImportsPage /> },
      { path: ":contact", element: <ContactPage /> },
    ],
  },
];

export default routes;
