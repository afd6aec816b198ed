import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { signInAs, visit, words } from "../../testing/render.tsx";
import { FLOW } from "../../testing/samples.ts";
import { FLOWS, ID, NUMBER, ORGANIZATION, open } from "../../testing/settings.tsx";
import routes from "./routes.tsx";

beforeEach(async () => {
  await words("pt", "settings");
  signInAs("admin");
});

test("a change of a number keeps what the form does not show, and sends no empty secret", async () => {
  const { sent } = open(`numbers/${ID}`, { [`PUT /api/v1/numbers/${ID}`]: { ...NUMBER, problems: [] } });
  expect(await screen.findByRole("heading", { name: NUMBER.display_phone_number })).toHaveFocus();
  await userEvent.type(screen.getByLabelText(/Pedido de desculpas/), "Perdão!");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  expect(await screen.findByText("Salvo.")).toBeVisible();
  const { phone_number_id: _, country: __, stopped_at, stopped_reason, resuming, ...rest } = NUMBER;
  expect([stopped_at, stopped_reason, resuming]).toEqual([null, null, false]);
  expect(sent(`PUT /api/v1/numbers/${ID}`)).toEqual([{ ...rest, apology: "Perdão!" }]);
});

test("a flow that does not exist or is not published is marked, with the way to another one", async () => {
  const numbers = [
    { ...NUMBER, default_flow_id: "gone", keywords: { promo: "lost", ofertas: "sales" } },
    { ...NUMBER, phone_number_id: "2", default_flow_id: "sales" },
    { ...NUMBER, phone_number_id: "3" },
  ];
  open("numbers", { "GET /api/v1/numbers": numbers });
  const mark = await screen.findByText(/O fluxo “gone” não existe/);
  expect(screen.getByText(/O fluxo “Vendas” não está publicado/)).toBeVisible();
  expect(screen.getAllByRole("link", { name: "Trocar o fluxo" })).toHaveLength(2);
  await userEvent.click(within(mark).getByRole("link", { name: "Trocar o fluxo" }));
  const flow = await screen.findByRole("combobox", { name: "Fluxo que responde", description: /gone/ });
  expect(flow).toHaveValue("gone");
  expect(screen.getByText(/O fluxo “lost” não existe/)).toBeVisible();
  await userEvent.click(flow);
  await userEvent.click(await screen.findByRole("option", { name: FLOW.name }));
  await waitFor(() => expect(screen.queryByText(/“gone”/)).toBeNull());
  expect(screen.getByText(/O fluxo “Vendas” não está publicado/)).toBeVisible();
});

test("a new number is connected with its secrets, and a flow that cannot answer is said", async () => {
  const problems = [
    { code: "flow_not_published", message: "", severity: "warning", field: "default_flow_id" },
  ];
  const { sent } = open("numbers/new", {
    "GET /api/v1/numbers": [NUMBER, { ...NUMBER, phone_number_id: "5" }],
    "PUT /api/v1/numbers/5": { ...NUMBER, phone_number_id: "5", problems },
  });
  await userEvent.type(await screen.findByLabelText(/ID do número/), "5");
  expect(screen.getAllByRole("heading", { level: 2 })[0]).toHaveTextContent("Conexão com a Meta");
  await userEvent.type(screen.getByLabelText(/Número de telefone/), "+55 11 4000-0002");
  await userEvent.type(screen.getByLabelText(/Token de acesso/), "token-of-meta");
  await userEvent.type(screen.getByLabelText(/Chave secreta/), "app-secret");
  await userEvent.type(screen.getByLabelText(/Token de verificação/), "verify-me");
  await userEvent.click(screen.getByRole("button", { name: "Adicionar palavra" }));
  await userEvent.type(screen.getByRole("textbox", { name: "Palavra" }), "oferta");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent("PUT /api/v1/numbers/5")).toHaveLength(1));
  expect(sent("PUT /api/v1/numbers/5")[0]).toMatchObject({
    verify_token: "verify-me",
    app_secret: "app-secret",
    access_token: "token-of-meta",
    keywords: { oferta: "menu" },
  });
  expect(await screen.findByText(/O número está conectado. Informe à Meta a URL de retorno/)).toBeVisible();
  expect(screen.getByRole("alert")).toHaveTextContent("não está publicado");
  expect(screen.getByRole("heading", { name: NUMBER.display_phone_number })).toHaveFocus();
});

test("a number is disconnected after a question, and the list has it no more", async () => {
  const numbers = [NUMBER, { ...NUMBER, phone_number_id: "2", display_phone_number: "+55 11 4000-0002" }];
  const key = `DELETE /api/v1/numbers/${ID}`;
  const { sent, router } = visit("/settings", routes, `/numbers/${ID}`, {
    get "GET /api/v1/numbers"() {
      return sent(key).length ? numbers.slice(1) : numbers;
    },
    "GET /api/v1/flows": FLOWS,
    "GET /api/v1/organization": ORGANIZATION,
    [key]: new Response(null, { status: 204 }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Desconectar" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Desconectar este número?" }));
  expect(dialog.getByText(/^\+55 11 4000-0001 deixa de responder/)).toBeVisible();
  expect(sent(key)).toEqual([]);
  await userEvent.click(dialog.getByRole("button", { name: "Desconectar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/settings/numbers"));
  await waitFor(() => expect(screen.queryByText(NUMBER.display_phone_number)).toBeNull());
  expect(await screen.findByText("+55 11 4000-0002")).toBeVisible();
  expect(sent(key)).toHaveLength(1);
});

test("a number that cannot be disconnected stays, with the reason", async () => {
  const refused = Response.json({ code: "changed", detail: "" }, { status: 503 });
  const { router } = visit("/settings", routes, `/numbers/${ID}`, {
    "GET /api/v1/numbers": [NUMBER],
    "GET /api/v1/flows": FLOWS,
    [`DELETE /api/v1/numbers/${ID}`]: refused,
  });
  await userEvent.click(await screen.findByRole("button", { name: "Desconectar" }));
  const dialog = within(await screen.findByRole("dialog"));
  await userEvent.click(dialog.getByRole("button", { name: "Desconectar" }));
  expect(await dialog.findByRole("alert")).toBeVisible();
  expect(router.state.location.pathname).toBe(`/settings/numbers/${ID}`);
});

test("a refused form says where", async () => {
  const errors = [{ field: "body.display_phone_number", message: "not a number" }];
  const refused = Response.json({ code: "invalid_request", detail: "", errors }, { status: 422 });
  open(`numbers/${ID}`, { [`PUT /api/v1/numbers/${ID}`]: refused });
  await userEvent.click(await screen.findByRole("button", { name: "Salvar" }));
  expect(await screen.findByText(/not a number/)).toBeVisible();
});

test("the list warns of the default rate, and a stopped number says why and sends again", async () => {
  const stopped = { ...NUMBER, stopped_reason: "token expired" };
  const { sent } = open("numbers", {
    "GET /api/v1/numbers": [stopped],
    [`POST /api/v1/numbers/${ID}/resume`]: { phone_number_id: ID, conversations: 3, after: "a" },
    [`POST /api/v1/numbers/${ID}/resume?after=a`]: { phone_number_id: ID, conversations: 1, after: null },
  });
  expect(await screen.findByText(/5 mensagens por minuto/)).toBeVisible();
  expect(await screen.findByText("token expired")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Voltar a enviar" }));
  const dialog = await screen.findByRole("dialog", { name: "Retomar o envio de +55 11 4000-0001?" });
  expect(sent(`POST /api/v1/numbers/${ID}/resume`)).toEqual([]);
  await userEvent.click(within(dialog).getByRole("button", { name: "Voltar a enviar" }));
  await waitFor(() => expect(sent(`POST /api/v1/numbers/${ID}/resume`)).toHaveLength(2));
});
