import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { expectAccessible, signInAs, visit, words } from "../../testing/render.tsx";
import { ARM, FLOW, JUDGED, PERIOD } from "../../testing/samples.ts";
import routes from "./routes.tsx";

const BASE = { ...ARM, path: "a" };
const BETTER = {
  ...BASE,
  path: "b",
  people: 1010,
  reached: 152,
  share: 0.1505,
  difference: { estimate: 0.0505, low: 0.012, high: 0.089 },
  verdict: "better",
};
const EARLY = { ...BASE, path: "c", people: 12, reached: 1, share: 0.0833, verdict: "too_early" };
const NODE = {
  node_id: "greeting",
  paths: [BASE, BETTER, EARLY],
  people_in_several_paths: 2,
  ...JUDGED,
};
const FOUND = {
  period: PERIOD,
  as_of: "2026-11-29T12:00:00Z",
  goal: "completed",
  smallest_effect: 0.02,
  alpha: 0.05,
  nodes: [NODE],
};
const PATH = "GET /api/v1/flows/menu/experiments";

function open(search = "", changed: Record<string, unknown> = {}) {
  return visit("/measure", routes, `?tab=experiments${search}`, {
    "GET /api/v1/flows": [FLOW],
    [`${PATH}?days=30&goal=completed&smallest_effect=0.02`]: FOUND,
    ...changed,
  });
}

beforeEach(async () => {
  await words("pt", "measure", "comparison");
  signInAs("analyst");
});

test("each path shows its people, its share, the interval, and whether a difference is proved", async () => {
  const { container } = open();
  const node = await screen.findByRole("region", { name: "greeting" });
  const row = (name: string) => within(node).getByRole("row", { name });
  expect(row("a 1.000 100 (10%) – Base da comparação")).toBeVisible();
  expect(row("b 1.010 152 (15,1%) +5,1 (entre +1,2 e +8,9) Melhor que a base: está provado")).toBeVisible();
  expect(row("c 12 1 (8,3%) – Cedo demais para dizer")).toBeVisible();
  expect(within(node).getByText(/Com cerca de 4.321 pessoas em cada grupo, .* de 2 pontos/)).toBeVisible();
  expect(within(node).getByText(/2 pessoas passaram por mais de um caminho/)).toBeVisible();
  expect(screen.getByText(/no máximo 5% mostram uma/)).toBeVisible();
  expect(within(node).queryByRole("alert")).toBeNull();
  await expectAccessible(container);
});

test("a wrong division of people is said, and no difference counts as proved", async () => {
  const doubtful = { ...NODE, sample_ratio_mismatch: true };
  open("", { [`${PATH}?days=30&goal=completed&smallest_effect=0.02`]: { ...FOUND, nodes: [doubtful] } });
  expect(await screen.findByRole("alert")).toHaveTextContent(/não estão divididas como os pesos dizem/);
  expect(screen.queryByText(/está provado/)).toBeNull();
  expect(screen.getAllByText("Não confie nesta comparação")).toHaveLength(2);
});

test("a goal with a name is asked for once it has one, and is in the address", async () => {
  const wanted = `${PATH}?days=30&goal=event%3Apaid&smallest_effect=0.05`;
  const { router, asked } = open("", {
    [`${PATH}?days=30&goal=completed&smallest_effect=0.05`]: FOUND,
    [wanted]: { ...FOUND, nodes: [] },
  });
  await userEvent.selectOptions(await screen.findByLabelText(/Menor diferença/), "5");
  await userEvent.selectOptions(screen.getByLabelText("Objetivo"), "Um evento do fluxo");
  expect(await screen.findByText(/Diga o nome/)).toBeVisible();
  const before = asked.length;
  await userEvent.click(screen.getByLabelText("Nome do evento"));
  await userEvent.paste("paid");
  expect(await screen.findByText(/Ninguém chegou a um sorteio/)).toBeVisible();
  expect(asked.slice(before).filter(({ search }) => search.includes("goal="))).toHaveLength(1);
  await waitFor(() =>
    expect(Object.fromEntries(new URLSearchParams(router.state.location.search))).toMatchObject({
      goal: "event:paid",
      effect: "0.05",
    }),
  );
});

test("an address with a node as its goal is asked as it stands", async () => {
  const found = { ...FOUND, nodes: [] };
  open("&goal=node:thanks", { [`${PATH}?days=30&goal=node%3Athanks&smallest_effect=0.02`]: found });
  expect(await screen.findByDisplayValue("thanks")).toBeVisible();
  expect(await screen.findByText(/Ninguém chegou a um sorteio/)).toBeVisible();
});
