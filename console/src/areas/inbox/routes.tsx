import type { RouteObject } from "react-router";
import { later } from "../../ui/later.tsx";
import { Inbox, NothingChosen } from "./Inbox.tsx";

const Conversation = later(async () => (await import("./Conversation.tsx")).Conversation);

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
