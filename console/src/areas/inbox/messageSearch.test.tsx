import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import { Messages } from "./Messages.tsx";
import { excerptOf, isSearchable, MessageSearch } from "./MessageSearch.tsx";
import type { Message } from "./queries.ts";

const NOW = "2026-11-29T10:00:00Z";
const SEARCH = "GET /api/v1/message-search";

function said(text: string, turn: number) {
  return {
    speaker: "user",
    text,
    timestamp: NOW,
    type: "text",
    options: [],
    labels: [],
    turn,
  } as unknown as Message;
}

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

test("messages are searched when the agent wants it, and further back each time", async () => {
  const ana = { phone_number_id: "1001", contact_id: "5511", phone: "+5511", name: "Ana Júlia", count: 1 };
  const { asked, fetch } = answers({
    [`${SEARCH}?text=PIZZA`]: { found: [], searched: 25, next_cursor: "c" },
    [`${SEARCH}?text=PIZZA&cursor=c`]: {
      found: [{ ...ana, message: said(`${"Quero ".repeat(9)}pizza`, 1) }],
      searched: 3,
      next_cursor: null,
    },
  });
  vi.stubGlobal("fetch", fetch);
  const { container } = show([{ path: "/", element: <MessageSearch text="PIZZA" /> }]);
  const region = await screen.findByRole("region", { name: "Nas mensagens" });
  const button = within(region).getByRole("button", { name: "Procurar “PIZZA” nas mensagens" });
  expect(asked).toEqual([]);
  await userEvent.click(button);
  expect(await within(region).findByText("Procurado em 25 conversas.")).toBeVisible();
  await userEvent.click(within(region).getByRole("button", { name: "Procurar em conversas mais antigas" }));
  const match = await within(region).findByRole("link", { name: /Ana Júlia.*Pessoa: ….*pizza/ });
  expect(match).toHaveAttribute("href", "/inbox/1001/5511?find=PIZZA");
  expect(await within(region).findByText("Procurado em 28 conversas.")).toBeVisible();
  expect(within(region).queryByRole("button")).toBeNull();
  await expectAccessible(container);
});

test("a message that was found is marked, and the latest of them is shown", async () => {
  const shown = vi.spyOn(Element.prototype, "scrollIntoView");
  const messages = [said("Olá, PEDÁGIO", 1), said("Sobre o pedágio?", 2), said("Outra coisa", 3)];
  const transcript = { phone_number_id: "1001", contact_id: "5511", messages, truncated: false };
  show([{ path: "/", element: <Messages transcript={transcript} find="pedagio" /> }]);
  const found = (await screen.findAllByRole("article")).map((one) => one.dataset["found"]);
  expect(found).toEqual(["true", "true", "false"]);
  expect(shown.mock.contexts.map((one) => (one as HTMLElement).textContent)).toEqual([
    expect.stringContaining("Sobre o pedágio?"),
  ]);
});

test("an excerpt begins before what was searched", () => {
  expect(excerptOf("oi", "nada")).toBe("oi");
  expect(excerptOf(`${"x".repeat(100)}Ação`, "acao")).toBe(`…${"x".repeat(30)}Ação`);
  expect(["ab", "...", "São", "123"].map(isSearchable)).toEqual([false, false, true, true]);
});
