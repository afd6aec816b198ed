import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import type { Change } from "../../api/changes.ts";
import { expectAccessible, signInAs, words } from "../../testing/render.tsx";
import { open } from "../../testing/settings.tsx";
import { changeLines } from "./changeLines.ts";

const TEAM: Change = {
  at: "2026-11-03T12:00:00Z",
  by: "a-1",
  resource: "teams",
  action: "changed",
  name: null,
  fields: {
    sales: [
      { name: "Vendas", members: ["a-1"] },
      { name: "Vendas", members: ["a-1", "a-2"] },
    ],
  },
};
const OPEN = [
  { days: ["mon", "sat"], opens: "09:00", closes: "18:00" },
  { days: ["sun"], opens: "10:00", closes: "12:00" },
];
const HOURS: Change = {
  ...TEAM,
  by: "a-3",
  resource: "timetables",
  fields: { loja: [null, { hours: OPEN }] },
};
const COLLEAGUES = [
  { subject: "a-1", name: "Bia Lima", role: "admin" },
  { subject: "a-2", name: "Rui", role: "agent" },
];

beforeEach(async () => {
  await words("pt", "settings", "files");
  signInAs("admin");
});

test("a change says by name who made it, and what was and is", async () => {
  const secret = { at: TEAM.at, by: "gone", resource: "secrets", action: "created", name: "crm" };
  open("changes", {
    "GET /api/v1/changes?limit=50": [
      TEAM,
      HOURS,
      { ...secret, fields: { value: [], hosts: [null, ["x.io"]] } },
    ],
    "GET /api/v1/colleagues": COLLEAGUES,
  });
  const [team, hours, crm] = await waitFor(() => {
    const items = screen.getAllByText(/·.*2026|·.*26/).map((one) => one.closest("li"));
    expect(items).toHaveLength(3);
    expect(screen.getByText(/Bia Lima · /)).toBeVisible();
    return items;
  });
  expect(team).toHaveTextContent("Vendas · Atendentes: antes: Bia Lima → agora: Bia Lima, Rui");
  expect(hours).toHaveTextContent("loja · Aberto: seg., sáb. 09:00–18:00; dom. 10:00–12:00");
  expect(crm).toHaveTextContent("Segredos: crm");
  expect(crm).toHaveTextContent("Valor: alterado (o valor não é guardado)");
  expect(within(crm!).getByText("x.io")).toBeVisible();
  expect(crm).toHaveTextContent(/gone · /);
  expect(document.querySelector("p div")).toBeNull(); // a paragraph has no blocks
  await expectAccessible();
});

test("older changes are asked for, and one kind is chosen by the address or the list", async () => {
  const link = '</api/v1/changes?resource=teams&limit=50&cursor=c2>; rel="next"';
  const { asked } = open("changes?resource=teams", {
    "GET /api/v1/changes?resource=teams&limit=50": Response.json([TEAM], { headers: { link } }),
    "GET /api/v1/changes?resource=teams&limit=50&cursor=c2": [{ ...TEAM, by: "old-one" }],
    "GET /api/v1/changes?resource=numbers&limit=50": [],
    "GET /api/v1/colleagues": COLLEAGUES,
  });
  await userEvent.click(await screen.findByRole("button", { name: "Mostrar mais" }));
  expect(await screen.findByText(/old-one/)).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText("Mostrar"), "Números");
  expect(await screen.findByText("Nenhuma alteração foi registrada ainda.")).toBeVisible();
  expect(asked.filter(({ key }) => key.endsWith("/changes"))).toHaveLength(3);
});

test("a settings page links to its changes for administrators only", async () => {
  const teams = { "GET /api/v1/teams": { teams: {} }, "GET /api/v1/colleagues": [] };
  const { unmount } = open("teams", teams);
  const link = await screen.findByRole("link", { name: "Quem alterou isto?" });
  expect(link).toHaveAttribute("href", "/settings/changes?resource=teams");
  expect(screen.getByRole("link", { name: "Alterações" })).toBeVisible();
  unmount();
  signInAs("builder");
  open("teams", teams);
  expect(await screen.findByRole("heading", { name: "Equipes" })).toBeVisible();
  expect(screen.queryByRole("link", { name: /Quem alterou|Alterações/ })).toBeNull();
});

test("agents of a team are chosen and shown by name, and stored by account", async () => {
  const given = { teams: { sales: { name: "Vendas", members: ["a-1"] } } };
  const { sent } = open("teams", {
    "GET /api/v1/teams": Response.json(given, { headers: { etag: '"4"' } }),
    "PUT /api/v1/teams": Response.json(given, { headers: { etag: '"5"' } }),
    "GET /api/v1/colleagues": [...COLLEAGUES, { subject: "a-3", name: "Rui", role: "agent" }],
  });
  expect(await screen.findByText("Bia Lima")).toBeVisible();
  await userEvent.type(
    screen.getByRole("combobox", { name: "Atendentes" }),
    "Rui (a-3){Enter}nova-conta{Enter}",
  );
  await userEvent.click(screen.getByRole("button", { name: "Salvar" }));
  const stored = { sales: { name: "Vendas", members: ["a-1", "a-3", "nova-conta"] } };
  await waitFor(() => expect(sent("PUT /api/v1/teams")).toEqual([{ teams: stored }]));
  expect(await screen.findByText("Salvo.")).toBeVisible();
});

test("a constant is found by its name, and no word of a person is taken for a field", () => {
  const fields = {
    constants: [
      { name: 1, fee: 2 },
      { name: 1, fee: 3 },
    ],
    language: ["en", "es"],
  };
  expect(changeLines({ resource: "organization", fields })).toEqual([
    { entry: undefined, field: "constants", inside: ["fee"], before: 2, after: 3, hidden: false },
    { entry: undefined, field: "language", inside: [], before: "en", after: "es", hidden: false },
  ]);
  const reply = { title: "Pronto", text: "a" };
  const replies = { r1: [reply, { ...reply, text: "b" }] };
  expect(changeLines({ resource: "canned_replies", fields: replies })).toEqual([
    { entry: "Pronto", field: "text", inside: [], before: "a", after: "b", hidden: false },
  ]);
});
