import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { components } from "../../generated/api.ts";
import { show, words } from "../../testing/render.tsx";
import { Messages } from "./Messages.tsx";
import type { Message } from "./queries.ts";

function said(speaker: Message["speaker"], text: string, changed: Partial<Message>): Message {
  const given = { speaker, text, type: "text", options: [], labels: [], timestamp: "2026-11-29T10:00:00Z" };
  return { ...given, turn: 1, author: null, media: null, revoked: false, ...changed } as Message;
}

test("a reaction says to which message it is, and when it was taken back", async () => {
  const to = { type: "reaction", message_id: null, reaction_to: "wamid.1" };
  const messages = [
    said("bot", "Confirmado?", { message_id: "wamid.1", reaction_to: null }),
    said("user", "👍", to),
    said("user", "", to),
    said("user", "😮", { ...to, reaction_to: "wamid.OLD" }),
  ];
  const transcript = { messages, truncated: true } as components["schemas"]["Transcript"];
  await words("pt", "inbox");
  show([{ path: "/", element: <Messages transcript={transcript} /> }], "/");
  expect(await screen.findByText("Reagiu com 👍 a “Confirmado?”")).toBeVisible();
  expect(screen.getByText("Retirou a reação a “Confirmado?”")).toBeVisible();
  expect(screen.getByText("Reagiu com 😮 a uma mensagem anterior")).toBeVisible();
});
