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

async function open(messages: Message[]) {
  const transcript = { messages, truncated: true } as components["schemas"]["Transcript"];
  await words("pt", "inbox");
  show([{ path: "/", element: <Messages transcript={transcript} /> }], "/");
}

test("a file that was sent is named, or its kind is; only a received one can be missing", async () => {
  const media = { type: "document", id: null, mime_type: null, filename: "boleto.pdf" };
  await open([
    said("agent", "", { type: "document", media }),
    said("bot", "", { type: "image", media: { ...media, type: "image", filename: null } }),
    said("user", "", { type: "document", media: { ...media, filename: "rg.pdf" } }),
  ]);
  expect(await screen.findByText("boleto.pdf")).toBeVisible();
  expect(screen.getByText("Arquivo (imagem)")).toBeVisible();
  expect(screen.getByText("rg.pdf (não guardado)")).toBeVisible();
});

test("marks of a message are shown as WhatsApp shows them", async () => {
  await open([said("user", "É *urgente*", {})]);
  expect((await screen.findByText("urgente")).tagName).toBe("STRONG");
});

test("a reaction says to which message it is, and when it was taken back", async () => {
  const to = { type: "reaction", message_id: null, reaction_to: "wamid.1" };
  const messages = [
    said("bot", "Confirmado?", { message_id: "wamid.1", reaction_to: null }),
    said("user", "👍", to),
    said("user", "", to),
    said("user", "😮", { ...to, reaction_to: "wamid.OLD" }),
  ];
  await open(messages);
  expect(await screen.findByText("Reagiu com 👍 a “Confirmado?”")).toBeVisible();
  expect(screen.getByText("Retirou a reação a “Confirmado?”")).toBeVisible();
  expect(screen.getByText("Reagiu com 😮 a uma mensagem anterior")).toBeVisible();
});
