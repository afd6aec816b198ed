import type { RouteObject } from "react-router";
import { Conversation } from "./Conversation.tsx";
import { Inbox, NothingChosen } from "./Inbox.tsx";

const routes: RouteObject[] = [
  {
    element: <Inbox />,
    children: [
      { index: true, element: <NothingChosen /> },
      { path: ":number/:contact", element: <Conversation /> },
    ],
  },
];

export default routes;
