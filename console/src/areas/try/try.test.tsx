import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { answers, expectAccessible, show, signInAs, words } from "../../testing/render.tsx";
import routes from "./routes.tsx";

const PHONE = "5511999990001";
const MENU = {
  seq: 2,
  direction: "out",
  timestamp: 1_795_983_750,
  type: "interactive",
  text: "Como *posso* ajudar?",
  status: "delivered",
  buttons: [{ id: "sales", title: "Vendas" }],
};

function open(changed: Record<string, unknown> = {}) {
  const given = answers({
    "GET /_sim/phones": { phones: [{ phone: PHONE, name: "Ana" }] },
    "GET /_sim/numbers": { numbers: [{ phone_number_id: "0", display_phone_number: "+55 11 4000-0000" }] },
    "GET /api/v1/numbers": [{ phone_number_id: "1", display_phone_number: "+55 11 4000-0001" }],
    [`GET /_sim/phones/${PHONE}/messages`]: { messages: [MENU], typing: true },
    [`POST /_sim/phones/${PHONE}/messages`]: Response.json({ seq: 3 }, { status: 202 }),
    "GET /_sim/phones/5511988887777/messages": { messages: [], typing: false },
    ...changed,
  });
  vi.stubGlobal("fetch", (input: string | Request, init?: RequestInit) =>
    given.fetch(new Request(new URL(input instanceof Request ? input.url : input, "http://localhost"), init)),
  );
  const posts = () => given.asked.filter(({ key }) => key.startsWith("POST")).map(({ body }) => body);
  return { ...show([{ path: "/try", children: routes }], "/try"), posts };
}

beforeEach(async () => {
  await words("pt", "try");
  signInAs("builder");
});

test("a person writes, and taps what the business offers", async () => {
  const { posts } = open();
  const phone = within(await screen.findByRole("region", { name: `Telefone +${PHONE}` }));
  expect(await phone.findByText("digitando…")).toBeVisible();
  expect(phone.getByText("posso").tagName).toBe("STRONG");
  await screen.findByRole("option", { name: "+55 11 4000-0001" });
  await userEvent.type(phone.getByRole("textbox"), "oi{Enter}");
  await userEvent.click(phone.getByRole("button", { name: "Vendas" }));
  await waitFor(() =>
    expect(posts()).toEqual([
      { text: "oi", phone_number_id: "1" },
      { reply_id: "sales", phone_number_id: "1" },
    ]),
  );
});

test("an organization without a number cannot write to the number of another", async () => {
  open({ "GET /api/v1/numbers": [] });
  expect(await screen.findByText(/Nenhum número foi conectado ainda/)).toBeVisible();
  expect(screen.queryByRole("region", { name: `Telefone +${PHONE}` })).toBeNull();
});

test("another phone begins empty, and is part of the address", async () => {
  const { router } = open();
  await userEvent.type(await screen.findByLabelText("Outro telefone"), "+55 11 98888-7777");
  await userEvent.click(screen.getByRole("button", { name: "Usar" }));
  expect(await screen.findByText("Escreva uma mensagem para começar.")).toBeVisible();
  expect(router.state.location.search).toContain("phone=5511988887777");
});

test("what the simulator refuses is said", async () => {
  const refused = Response.json({ error: { code: "never_offered", message: "" } }, { status: 404 });
  open({ [`POST /_sim/phones/${PHONE}/messages`]: refused });
  await userEvent.click(await screen.findByRole("button", { name: "Vendas" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("O simulador não aceita isso");
});

test("an administrator sees the values and the way of each turn, newest first, with links to the steps", async () => {
  signInAs("admin");
  const path = (...ids: string[]) => ids.map((node_id) => ({ flow_id: "clinic", node_id, exit: "next" }));
  const records = [
    { seq: 1, at: 1_795_983_740, input: { text: "oi" }, path: path("start", "menu") },
    {
      seq: 2,
      at: 1_795_983_750,
      input: { type: "reply", reply_id: "sales" },
      path: path("end"),
      events: [{ type: "flow_completed", data: { flow_id: "clinic" } }],
    },
  ];
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const { container } = open({
    [`GET /api/v1/conversations/${PHONE}`]: { variables: { nome: "Ana", idade: 30 } },
    [`GET /api/v1/conversations/${PHONE}/records`]: new Response(lines),
  });
  const turns = within(await screen.findByRole("region", { name: "O que o fluxo fez" }));
  expect(await turns.findByText("nome")).toBeVisible();
  const items = turns.getAllByRole("listitem").filter((item) => item.querySelector("strong"));
  expect(items.map((item) => item.querySelector("strong")!.textContent)).toEqual(["sales", "oi"]);
  expect(turns.getByRole("link", { name: "menu" })).toHaveAttribute("href", "/build/clinic?node=menu");
  await userEvent.click(turns.getByText("1 evento"));
  expect(turns.getByText("flow_completed")).toBeVisible();
  await expectAccessible(container);
});

test("no conversation is requested before the business has answered", async () => {
  signInAs("admin");
  open({
    [`GET /_sim/phones/${PHONE}/messages`]: { messages: [{ ...MENU, direction: "in" }], typing: true },
  });
  expect(await screen.findByText("Nada ainda.")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a builder is told who sees the turns", async () => {
  open();
  expect(await screen.findByText(/Administradores veem aqui/)).toBeVisible();
});

test("axe finds nothing", async () => {
  const { container } = open();
  await screen.findByText("posso");
  await expectAccessible(container);
});
