import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { showInEditor } from "../../../testing/editor.tsx";
import { expectAccessible, words } from "../../../testing/render.tsx";
import { CallForm } from "./CallForm.tsx";

beforeEach(() => words("pt", "build"));

function ask(type: "api_call" | "ai_prompt" = "api_call") {
  const answered = vi.fn<(result: object) => void>();
  const request = { method: "GET", url: "https://a.example/", prompt: "Resuma" } as unknown as Record<
    string,
    never
  >;
  const effect = { key: "k", type, request, mock: "GET https://a.example/" };
  const flow = { format: 1 as const, id: "f", nodes: [] };
  return { answered, ...showInEditor(flow, () => <CallForm effect={effect} onAnswer={answered} />) };
}

test("an API answers with any status, and the flow learns of a refusal as in a conversation", async () => {
  const { answered, container } = ask();
  const status = screen.getByRole("textbox", { name: "Status" });
  await userEvent.clear(status);
  await userEvent.type(status, "404");
  await userEvent.click(await screen.findByRole("textbox", { name: "Resposta" }));
  await userEvent.paste('{"code": 7}');
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  const error = "http_status: The server responded with the status 404.";
  expect(answered).toHaveBeenCalledWith({ ok: false, status: 404, body: { code: 7 }, error });
  await userEvent.clear(status);
  await userEvent.type(status, "201");
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  expect(answered).toHaveBeenLastCalledWith({ ok: true, status: 201, body: { code: 7 } });
});

test("an API does not answer in time", async () => {
  const { answered } = ask();
  await userEvent.selectOptions(screen.getByLabelText("O que acontece"), "O servidor não respondeu a tempo.");
  expect(screen.queryByLabelText("Status")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  const error = "timeout: The server did not answer in time.";
  expect(answered).toHaveBeenCalledWith({ ok: false, status: null, error });
});

test("a model has no status", async () => {
  const { answered } = ask("ai_prompt");
  expect(screen.queryByLabelText("O que acontece")).toBeNull();
  await userEvent.type(await screen.findByRole("textbox", { name: "Resposta" }), "Oi");
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  expect(answered).toHaveBeenCalledWith({ ok: true, status: null, body: "Oi" });
});

test("an answer is filled in by fields", async () => {
  const { answered } = ask();
  await userEvent.click(await screen.findByRole("combobox", { name: "Tipo de Resposta" }));
  await userEvent.click(screen.getByRole("option", { name: "Grupo" }));
  await userEvent.click(screen.getByRole("button", { name: "Acrescentar" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Nome 1" }), "cidade");
  await userEvent.type(screen.getByRole("textbox", { name: "Valor 1" }), "Recife");
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  expect(answered).toHaveBeenCalledWith({ ok: true, status: 200, body: { cidade: "Recife" } });
});

test("a list of one number stays a list", async () => {
  const { answered } = ask();
  await userEvent.click(await screen.findByRole("combobox", { name: "Tipo de Resposta" }));
  await userEvent.click(screen.getByRole("option", { name: "Lista" }));
  await userEvent.click(screen.getByRole("button", { name: "Acrescentar" }));
  await userEvent.click(screen.getByRole("combobox", { name: /^Tipo de (?!Resposta)/ }));
  await userEvent.click(screen.getByRole("option", { name: "Número" }));
  await userEvent.type(screen.getByRole("textbox", { name: /1$/ }), "7");
  await userEvent.click(screen.getByRole("button", { name: "Responder" }));
  expect(answered).toHaveBeenCalledWith({ ok: true, status: 200, body: [7] });
});

test("a call fails at a press, and a model fails without a status", async () => {
  const { answered, unmount } = ask();
  await userEvent.click(screen.getByRole("button", { name: "A chamada falha" }));
  const error = "http_status: The server responded with the status 500.";
  expect(answered).toHaveBeenCalledWith({ ok: false, status: 500, error });
  unmount();
  const model = ask("ai_prompt");
  await userEvent.click(screen.getByRole("button", { name: "A chamada falha" }));
  expect(model.answered).toHaveBeenCalledWith({ ok: false, status: null, error: "rehearsal" });
});
