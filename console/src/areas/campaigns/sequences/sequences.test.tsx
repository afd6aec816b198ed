import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Sequence } from "../../../api/sequences.ts";
import { expectAccessible, signInAs, visit, words } from "../../../testing/render.tsx";
import { FLOW, NUMBER, templateOf } from "../../../testing/samples.ts";
import routes from "../routes.tsx";
import { draftOf, settingsOf, switched } from "./draft.ts";

const BODY = [{ type: "body", parameters: [{ type: "text", text: "{{contact.consulta}}" }] }];
const SEQUENCE: Sequence = {
  id: "s1",
  name: "Lembretes",
  phone_number_id: "1001",
  on: { field: "consulta", event: null },
  steps: [
    {
      days: -2,
      hours: 0,
      at: "10:00",
      flow_id: "menu",
      parameters: { origem: "lembrete" },
      template: { name: "lembrete", language: "pt_BR", components: BODY, category: null },
    },
  ],
  enabled: true,
  until_answer: true,
  revision: 3,
};
const TEMPLATE = templateOf("lembrete", "Sua consulta é em {{1}}.");
const NEXT = {
  follow_ups: [
    { due_at: "2026-12-08T13:00:00Z", step: 0, contact: { contact_id: "5511", name: "Ana", phone: "+5511" } },
    { due_at: "2026-12-09T13:00:00Z", step: 0, contact: null },
  ],
  total: 12,
  complete: false,
};
const ONE = "/api/v1/sequences/s1";

function open(path: string, changed: Record<string, unknown> = {}) {
  return visit("/campaigns", routes, path, {
    "GET /api/v1/sequences": { sequences: [SEQUENCE] },
    [`GET ${ONE}`]: SEQUENCE,
    [`GET ${ONE}/preview`]: NEXT,
    "GET /api/v1/numbers": [NUMBER],
    "GET /api/v1/flows": [FLOW],
    "GET /api/v1/templates": [TEMPLATE],
    ...changed,
  });
}

beforeEach(async () => {
  await words("pt", "campaigns");
  signInAs("admin");
});

test("a new sequence reminds of a date by a template, two days before", async () => {
  vi.spyOn(crypto, "randomUUID").mockReturnValue("s1" as ReturnType<typeof crypto.randomUUID>);
  const { router, sent } = open("/sequences", { [`PUT ${ONE}`]: SEQUENCE });
  await userEvent.click(await screen.findByRole("link", { name: "Nova sequência" }));
  await userEvent.type(await screen.findByLabelText(/^Nome/), "Lembretes");
  await screen.findByRole("option", { name: "+55 11 4000-0001" });
  await userEvent.selectOptions(screen.getByLabelText(/Enviada de/), "1001");
  await userEvent.type(screen.getByLabelText(/Campo com a data/), "consulta");
  await userEvent.clear(screen.getByLabelText("Dias"));
  await userEvent.type(screen.getByLabelText("Dias"), "2");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  expect(await screen.findByText(/Escolha na etapa 1 um modelo/)).toBeVisible();
  expect(sent(`PUT ${ONE}`)).toEqual([]);
  await userEvent.click(screen.getByRole("combobox", { name: "Modelo" }));
  await userEvent.click(await screen.findByRole("option", { name: "lembrete · pt_BR" }));
  await userEvent.click(screen.getByRole("textbox", { name: /Valor 1/ }));
  await userEvent.paste("{{contact.consulta}}");
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/campaigns/sequences/s1"));
  expect(sent(`PUT ${ONE}`).map(({ body }) => body)).toEqual([
    {
      name: "Lembretes",
      phone_number_id: "1001",
      on: { field: "consulta" },
      steps: [
        {
          days: -2,
          hours: 0,
          at: "10:00",
          flow_id: null,
          parameters: {},
          template: { name: "lembrete", language: "pt_BR", components: BODY },
        },
      ],
      enabled: true,
      until_answer: true,
    },
  ]);
});

test("a sequence shows whom it reaches next, and keeps what is not changed", async () => {
  const { container, sent } = open("/sequences/s1", { [`PUT ${ONE}`]: SEQUENCE });
  const next = await screen.findByRole("region", { name: "Próximas mensagens" });
  expect(await within(next).findByText(/12 mensagens pela frente. Só os 1.000 contatos/)).toBeVisible();
  expect(within(next).getByRole("link", { name: "Ana" })).toHaveAttribute("href", "/people/5511");
  expect(within(next).getAllByRole("listitem")).toHaveLength(2);
  await screen.findByDisplayValue("{{contact.consulta}}");
  await expectAccessible(container);
  await userEvent.click(screen.getByRole("button", { name: "Adicionar etapa" }));
  const second = screen.getByRole("region", { name: "Etapa 2" });
  await userEvent.click(within(second).getByRole("combobox", { name: "Fluxo que começa" }));
  await userEvent.click(await screen.findByRole("option", { name: "Menu" }));
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  await waitFor(() => expect(sent(`PUT ${ONE}`)).toHaveLength(1));
  const { steps } = sent(`PUT ${ONE}`)[0]!.body as Sequence;
  const { category: _category, ...template } = SEQUENCE.steps[0]!.template!;
  expect(steps[0]).toMatchObject({ ...SEQUENCE.steps[0], template });
  expect(steps[1]).toMatchObject({ days: -1, flow_id: "menu", template: null });
});

test("a sequence is paused with one click, and removed after a question", async () => {
  const paused = { ...SEQUENCE, enabled: false };
  const { router, sent } = open("/sequences/s1", {
    [`PUT ${ONE}`]: paused,
    [`DELETE ${ONE}`]: new Response(null, { status: 204 }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Pausar" }));
  expect(await screen.findByText("Pausada")).toBeVisible();
  const { id: _id, revision: _revision, ...rest } = SEQUENCE;
  expect(sent(`PUT ${ONE}`)[0]?.body).toEqual({ ...rest, on: { field: "consulta" }, enabled: false });
  await userEvent.click(screen.getByRole("button", { name: "Remover" }));
  await userEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Remover" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/campaigns/sequences"));
});

test("a silence has nothing before it and no preview", async () => {
  const silence = { ...SEQUENCE, on: { field: null, event: "no_answer" } };
  const { sent } = open("/sequences/s1", { [`GET ${ONE}`]: silence });
  expect(await screen.findByText(/Não dá para saber antes/)).toBeVisible();
  expect(screen.queryByLabelText("Quando")).toBeNull();
  expect(sent(`GET ${ONE}/preview`)).toEqual([]);
});

test("analysts see campaigns only", async () => {
  signInAs("analyst");
  open("", { "GET /api/v1/campaigns": [] });
  expect(await screen.findByText(/Ainda não há campanhas/)).toBeVisible();
  expect(screen.queryByRole("link", { name: "Sequências" })).toBeNull();
});

test("days and hours of opposite signs become one amount of time", () => {
  const mixed = { ...SEQUENCE, steps: [{ ...SEQUENCE.steps[0]!, days: -2, hours: 3 }] };
  expect(settingsOf(draftOf(mixed), true).steps[0]).toMatchObject({ days: -1, hours: -21 });
  const after = { ...draftOf(SEQUENCE), field: undefined };
  expect(settingsOf(after, true)).toMatchObject({ on: { event: "no_answer" }, steps: [{ days: 2 }] });
  expect(switched(mixed, false).steps).toEqual(mixed.steps);
});
