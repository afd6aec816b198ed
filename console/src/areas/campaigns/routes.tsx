import type { RouteObject } from "react-router";
import { CampaignList } from "./CampaignList.tsx";
import { CampaignPage } from "./CampaignPage.tsx";
import { NewCampaign } from "./NewCampaign.tsx";

const routes: RouteObject[] = [
  { index: true, element: <CampaignList /> },
  { path: "new", element: <NewCampaign /> },
  { path: ":id", element: <CampaignPage /> },
];

export default routes;
