import type { RouteObject } from "react-router";
import { CampaignArea } from "./CampaignArea.tsx";
import { CampaignList } from "./CampaignList.tsx";
import { CampaignPage } from "./CampaignPage.tsx";
import { NewCampaign } from "./NewCampaign.tsx";
import { SequenceList } from "./sequences/SequenceList.tsx";
import { NewSequence, SequencePage } from "./sequences/SequencePage.tsx";

const routes: RouteObject[] = [
  {
    element: <CampaignArea />,
    children: [
      { index: true, element: <CampaignList /> },
      { path: "new", element: <NewCampaign /> },
      { path: "sequences", element: <SequenceList /> },
      { path: "sequences/new", element: <NewSequence /> },
      { path: "sequences/:id", element: <SequencePage /> },
      { path: ":id", element: <CampaignPage /> },
    ],
  },
];

export default routes;
