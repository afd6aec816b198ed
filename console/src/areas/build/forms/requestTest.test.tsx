import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { inspection, showInEditor } from "../../../testing/editor.tsx";
import { answers, expectAccessible, signInAs, words } from "../../../testing/render.tsx";
import { NodeForm } from "./NodeForm.tsx";
import { exampleOf, variablesOf } from "./requestTest.ts";

beforeEach(() => {
  signInAs("builder");
  return words("pt", "build", "findings");
});

test.each([
  [{ url: "https://a.example/{{cep}}?n={{ preço * 2 | round }}" }, ["cep", "preço"]],
  [{ url: "{{base}}/", headers: { A: "{{secrets.KEY}} {{contact.name}}" } }, ["base"]],
  [{ url: "x", body: { day: '{{today | date("do mês")}}', list: ["{{order.items[0].id}}"] } }, ["order"]],
  [{ url: "x", body: "{{a}} {{b + a}} {{constants.shop}}", output_variable: "{{c}}" }, ["a", "b"]],
])("the variables of %o are asked for", (data, names) => {
  expect(variablesOf(data)).toEqual(names);
});

test("an example has the type that the flow's variable has", () => {
  expect(exampleOf("7", ["number"])).toBe(7);
  expect(exampleOf("7", ["text", "number"])).toBe("7");
  expect(exampleOf("sete", ["number"])).toBe("sete");
  expect(exampleOf('{"id": 7}', undefined)).toEqual({ id: 7 });
  expect(exampleOf("[x", undefined)).toBe("[x");
  expect(exampleOf(" 01310 ", undefined)).toBe(" 01310 ");
});

const PATH = "POST /api/v1/flows/test-request";
const FLOW: FlowDocument = {
  format: 1,
  id: "clinic",
  nodes: [
    {
      id: "c",
      type: "api_call",
      data: { url: "https://a.example/{{cep}}", response_map: { city: "$.city" } },
    },
  ],
};
const ANSWER = {
  ok: true,
  status: 200,
  seconds: 0.25,
  body: { city: "Recife" },
  error: null,
  stored: { city: "Recife" },
  request: { method: "GET", url: "https://a.example/7" },
};

async function send(answer: object = {}) {
  const { fetch, asked } = answers({ [PATH]: { ...ANSWER, ...answer } });
  vi.stubGlobal("fetch", fetch);
  showInEditor(FLOW, ({ document }) => <NodeForm node={document.nodes[0]!} />, {
    found: inspection([], [{ name: "cep", kinds: ["number"] }]),
  });
  await userEvent.click(screen.getByRole("button", { name: "Testar a chamada" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Exemplo de cep" }), "7");
  await userEvent.click(within(dialog).getByRole("button", { name: "Fazer a chamada" }));
  return { dialog, asked };
}

test("a call is tried with example values, and shows what the flow would store", async () => {
  const { dialog, asked } = await send();
  expect(await within(dialog).findByText("200")).toBeVisible();
  expect(within(dialog).getByText("GET https://a.example/7")).toBeVisible();
  expect(within(dialog).getByText("Recife")).toBeVisible();
  expect(within(dialog).getByText(/0,3 s/)).toBeVisible();
  expect(asked.at(-1)!.body).toEqual({ data: FLOW.nodes[0]!.data, variables: { cep: 7 } });
  await expectAccessible(dialog.querySelector("form")!);
});

test("a failed call says why in the person's language", async () => {
  const refused = { status: null, ok: false, error: "address_refused: The host has.", body: null };
  const { dialog } = await send(refused);
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("Este endereço não é público.");
  expect(within(dialog).getByText("sem resposta")).toBeVisible();
});
