import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection } from "../../../testing/editor.tsx";
import { signInAs, visit, words } from "../../../testing/render.tsx";
import routes from "../routes.tsx";

const MENU: FlowDocument = {
  format: 1,
  id: "menu",
  name: "Cardápio",
  language: "pt_BR",
  start_node_id: "start",
  nodes: [
    { id: "start", type: "start", position: { x: 0, y: 0 }, data: { next_node_id: "hello" } },
    { id: "hello", type: "message", position: { x: 300, y: 0 }, data: { text: "Oi!" } },
  ],
  comments: [{ id: "comment_1", text: "Rever", position: { x: 0, y: 200 } }],
};
const SHOP: FlowDocument = {
  ...MENU,
  id: "shop",
  name: "Loja",
  nodes: MENU.nodes.slice(0, 1),
  comments: [],
};

function answerFor(document: FlowDocument): Response {
  return Response.json({ flow_id: document.id, document }, { headers: { etag: '"1"' } });
}

function open(found = inspection()) {
  const shown = visit("/build", routes, "/menu", {
    "GET /api/v1/flows/menu": answerFor(MENU),
    "GET /api/v1/flows/shop": answerFor(SHOP),
    "PUT /api/v1/flows/menu": answerFor(MENU),
    "PUT /api/v1/flows/shop": answerFor(SHOP),
    "POST /api/v1/flows/validate": found,
  });
  const saved = (id: string) =>
    shown.sent(`PUT /api/v1/flows/${id}`).at(-1)?.body as FlowDocument | undefined;
  return { ...shown, saved };
}

beforeEach(async () => {
  localStorage.clear(); // copies, and a draft that was kept because the page closed while it was saved
  await words("pt", "build", "findings");
  signInAs("builder");
});

test("everything is selected, copied, and pasted into another flow with the keyboard", async () => {
  const { router, saved } = open();
  await screen.findByRole("heading", { name: "Cardápio" });
  await userEvent.keyboard("{Control>}ac{/Control}");
  await act(() => router.navigate("/build/shop"));
  await screen.findByRole("heading", { name: "Loja" });
  await userEvent.keyboard("{Control>}v{/Control}");
  await waitFor(() => expect(saved("shop")).toBeDefined());
  expect(saved("shop")!.nodes.map(({ id, data }) => [id, data])).toEqual([
    ["start", { next_node_id: "hello" }],
    ["start_2", { next_node_id: "hello" }],
    ["hello", { text: "Oi!" }],
  ]);
  expect(saved("shop")!.comments?.map(({ text }) => text)).toEqual(["Rever"]);
  expect(saved("menu")).toBeUndefined();
});

test("what is cut is gone, and comes back by pasting", async () => {
  const { saved } = open();
  await screen.findByRole("heading", { name: "Cardápio" });
  await userEvent.keyboard("{Control>}ax{/Control}");
  await waitFor(() => expect(saved("menu")?.nodes).toEqual([]));
  expect(saved("menu")).not.toHaveProperty("comments");
  await userEvent.keyboard("{Control>}v{/Control}");
  await waitFor(() => expect(saved("menu")?.nodes.map(({ id }) => id)).toEqual(["start", "hello"]));
});

test("a comment is added, written, undone in one step, and removed", async () => {
  const { saved } = open();
  await userEvent.click(await screen.findByRole("button", { name: "Mais" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Acrescentar uma anotação" }));
  await waitFor(() => expect(screen.getAllByLabelText("Anotação")).toHaveLength(2));
  await userEvent.type(screen.getAllByLabelText("Anotação")[1]!, "Até março");
  const texts = () => saved("menu")?.comments?.map(({ text }) => text);
  await waitFor(() => expect(texts()).toEqual(["Rever", "Até março"]));
  await userEvent.click(screen.getByRole("button", { name: "Desfazer (Ctrl+Z)" }));
  await waitFor(() => expect(texts()).toEqual(["Rever", ""]));
  await userEvent.click(screen.getAllByLabelText("Excluir a anotação")[0]!);
  await waitFor(() => expect(texts()).toEqual([""]));
});

test("a node has a mark with the number of its findings", async () => {
  open(
    inspection([
      { node_id: "hello", code: "missing_field", field: "text" },
      { node_id: "hello", code: "too_long", field: "buttons[0].label", severity: "warning" },
    ]),
  );
  const mark = await screen.findByTitle("2 avisos");
  expect(mark.closest(".build-node")).toHaveClass("has-error");
  expect(mark.closest(".build-node")).toHaveTextContent("Oi!");
  expect(screen.queryByTitle("1 aviso")).toBeNull();
});

test("a flow of eight nodes has a map once it has been drawn", async () => {
  const nodes = Array.from({ length: 8 }, (_, number) => ({
    id: `n${number}`,
    type: "end" as const,
    position: { x: 300 * number, y: 0 },
    data: {},
  }));
  visit("/build", routes, "/menu", {
    "GET /api/v1/flows/menu": answerFor({ ...MENU, nodes }),
    "POST /api/v1/flows/validate": inspection(),
  });
  expect(await screen.findByRole("img", { name: "Mapa do fluxo" })).toBeInTheDocument();
});

/** The editor after another person has saved a draft of the name "Delas" and the server has refused a change. */
async function refused() {
  const given: Record<string, unknown> = {
    "GET /api/v1/flows/menu": answerFor(MENU),
    "PUT /api/v1/flows/menu": Response.json({ code: "flow_changed", detail: "" }, { status: 412 }),
    "POST /api/v1/flows/validate": inspection(),
  };
  const shown = visit("/build", routes, "/menu", given);
  await screen.findByRole("heading", { name: "Cardápio" });
  const theirs = { flow_id: "menu", document: { ...MENU, name: "Delas" } };
  given["GET /api/v1/flows/menu"] = Response.json(theirs, { headers: { etag: '"2"' } });
  await userEvent.keyboard("{Control>}ax{/Control}");
  await screen.findByRole("dialog", { name: "Outra pessoa mudou este rascunho" });
  given["PUT /api/v1/flows/menu"] = answerFor(MENU);
  return () => shown.sent("PUT /api/v1/flows/menu");
}

test("after a conflict the other person's draft is shown, and nothing is saved over it", async () => {
  const saves = await refused();
  await userEvent.click(screen.getByRole("button", { name: /^Descartar as minhas/ }));
  expect(await screen.findByRole("heading", { name: "Delas" })).toBeVisible();
  expect(saves()).toHaveLength(1);
});

test("after a conflict a person may decide for their own draft, over the one that they were told of", async () => {
  const saves = await refused();
  await userEvent.click(screen.getByRole("button", { name: "Sobrescrever com as minhas" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(saves().map(({ headers }) => headers.get("if-match"))).toEqual(['"1"', '"2"']);
  expect((saves()[1]!.body as FlowDocument).nodes).toEqual([]);
});
