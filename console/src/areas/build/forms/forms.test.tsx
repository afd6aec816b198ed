import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { NodeForm } from "./NodeForm.tsx";

const FLOW: FlowDocument = {
  format: 1,
  id: "f",
  nodes: [
    { id: "c", type: "condition", data: { variable: "", operator: "==", value: "1" } },
    { id: "m", type: "message", data: { text: "Oi", media: { type: "image" } } },
  ],
};

function open(id: string, found = inspection()) {
  const part = (editor: { document: FlowDocument }) => (
    <NodeForm node={editor.document.nodes.find((node) => node.id === id)!} />
  );
  return showInEditor(FLOW, part, { found, selected: [id] });
}

beforeEach(async () => {
  await words("pt", "build", "findings", "files");
  signInAs("builder");
});

test("an empty field says that it is to be filled in, beside it", async () => {
  open("c", inspection([{ code: "invalid_variable", node_id: "c", field: "variable" }]));
  const field = await screen.findByRole("combobox", { name: "Valor a verificar" });
  expect(field).toHaveAccessibleDescription("Falta preencher este campo.");
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("textbox", { name: "Comparar com" })).toHaveValue("1");
});

test("the form is closed without deleting the step, and deleting is another button", async () => {
  const { document, chosen } = open("m");
  await userEvent.click(await screen.findByRole("button", { name: "Fechar o passo" }));
  expect(chosen()).toEqual([]);
  expect(document().nodes).toHaveLength(2);
  await userEvent.click(screen.getByRole("button", { name: "Apagar passo" }));
  expect(document().nodes.map(({ id }) => id)).toEqual(["c"]);
});

test("to choose again where a step already leads changes nothing", async () => {
  const { document } = open("c");
  const yes = await screen.findByRole("combobox", { name: "sim" });
  for (const time of ["first", "again"]) {
    await userEvent.click(yes);
    await userEvent.click(await screen.findByRole("option", { name: "Mensagem · m" }));
    expect(document().nodes[0]!.data["true_next_node_id"], time).toBe("m");
  }
});

test("a file without a link says so at the link", async () => {
  open("m", inspection([{ code: "missing_field", node_id: "m", field: "media.link" }]));
  const link = await screen.findByRole("textbox", { name: "Link do arquivo" });
  expect(link).toHaveAccessibleDescription("Falta preencher este campo.");
  expect(screen.queryByRole("alert")).toBeNull();
});

test("a file of the organization takes the place of a link, and is shown as the person sees it", async () => {
  const link = {
    url: "https://bucket.example/file-1",
    mime_type: "image/png",
    size: 7,
    filename: "menu.png",
  };
  vi.stubGlobal(
    "fetch",
    answers({
      "POST /api/v1/media": { id: "file-1" },
      "GET /api/v1/media": [],
      "GET /api/v1/media/file-1": link,
    }).fetch,
  );
  const { document } = open("m");
  const picture = new File(["picture"], "menu.png", { type: "image/png" });
  await userEvent.upload(await screen.findByLabelText("Arquivo: Arquivo"), picture);
  const data = () => document().nodes[1]!.data["media"];
  await waitFor(() => expect(data()).toEqual({ type: "image", id: "file-1" }));
  expect(screen.queryByRole("textbox", { name: "Link do arquivo" })).toBeNull();
  await userEvent.type(screen.getByRole("textbox", { name: "Legenda" }), "Cardápio");
  expect(data()).toEqual({ type: "image", id: "file-1", caption: "Cardápio" });
  const preview = screen.getByRole("figure");
  await waitFor(() => expect(preview.querySelector("img")).toHaveAttribute("src", link.url));
  await userEvent.click(screen.getByRole("button", { name: "Remover o arquivo: Arquivo" }));
  expect(data()).toBeUndefined();
});

test("a file that is gone says so at the file", async () => {
  vi.stubGlobal(
    "fetch",
    answers({
      "GET /api/v1/media": [],
      "GET /api/v1/media/file-1": new Response(null, { status: 404 }),
    }).fetch,
  );
  const flow = { ...FLOW, nodes: [{ ...FLOW.nodes[1]!, data: { media: { type: "image", id: "file-1" } } }] };
  const found = inspection([{ code: "unknown_media", node_id: "m", field: "media.id" }]);
  showInEditor(flow, ({ document }) => <NodeForm node={document.nodes[0]!} />, { found, selected: ["m"] });
  expect(await screen.findByText(/Este arquivo não existe mais/)).toBeVisible();
});

test("a button with a link is filled in without JSON, and gone with its switch", async () => {
  const { document } = open("m");
  await userEvent.click(await screen.findByRole("button", { name: "Mais opções" }));
  const own = await screen.findByRole("switch", { name: "Botão com link" });
  await userEvent.click(own);
  const group = own.closest("fieldset")!;
  const [label, url] = [...group.querySelectorAll<HTMLInputElement>("input:not([type=checkbox])")];
  await userEvent.type(label!, "Abrir");
  await userEvent.type(url!, "https://clinica.example");
  const data = () => document().nodes[1]!.data["cta_url"];
  expect(data()).toEqual({ label: "Abrir", url: "https://clinica.example" });
  await expectAccessible();
  await userEvent.click(own);
  expect(data()).toBeUndefined();
});

test("a button is shown under a condition and in a section of its list, without JSON", async () => {
  const { document } = open("m");
  await userEvent.click(await screen.findByRole("button", { name: "Acrescentar botão" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Texto do botão 1" }), "Adulto");
  await userEvent.click(screen.getByText("Mais opções", { selector: "summary" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Seção" }), "Idade");
  await userEvent.click(screen.getByRole("switch", { name: "Mostrar só com uma condição" }));
  await userEvent.type(screen.getByRole("combobox", { name: "Valor a verificar" }), "idade");
  await userEvent.type(screen.getByRole("textbox", { name: "Comparar com" }), "18");
  const button = {
    label: "Adulto",
    section: "Idade",
    show_if: { variable: "idade", operator: "==", value: "18" },
  };
  expect(document().nodes[1]!.data["buttons"]).toEqual([button]);
  await expectAccessible();
  await userEvent.click(screen.getByRole("switch", { name: "Mostrar só com uma condição" }));
  expect(document().nodes[1]!.data["buttons"]).toEqual([{ label: "Adulto", section: "Idade" }]);
});

test("emoji and values of variables are put where the caret is", async () => {
  const { document } = open("m", inspection([], [{ name: "nome" }]));
  const text = await screen.findByRole<HTMLTextAreaElement>("textbox", { name: "Texto" });
  await userEvent.click(text);
  text.setSelectionRange(0, 0);
  await userEvent.click(screen.getByRole("button", { name: "Inserir emoji em Texto" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "👋" }));
  await waitFor(() => expect(text).toHaveValue("👋Oi"));
  await waitFor(() => expect(text.selectionStart).toBe("👋".length)); // set in a later frame
  text.setSelectionRange(text.value.length, text.value.length);
  await userEvent.click(screen.getByRole("button", { name: "Inserir valor em Texto" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "nome" }));
  expect(document().nodes[1]!.data["text"]).toBe("👋Oi{{nome}}");
});
