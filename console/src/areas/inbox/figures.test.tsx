import { render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { components } from "../../generated/api.ts";
import { ANA, api, open } from "../../testing/inbox.tsx";
import { signInAs, words } from "../../testing/render.tsx";
import { Figures } from "./Figures.tsx";

type Counts = components["schemas"]["InboxCounts"];

const COUNTS: Counts = {
  agents: 3,
  mine: 0,
  unassigned: 3,
  unread: 3,
  snoozed: 0,
  unanswered: 0,
  longest_wait: null,
  office: null,
  by_team: {},
  truncated: false,
};

/** A time of the machine's own zone: that is what the page shows. */
function at(text: string): string {
  return new Date(text).toISOString();
}

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-30T10:30:00") }); // a Monday
});
afterEach(() => {
  vi.useRealTimers();
});

function shown(changed: Partial<Counts>) {
  return render(<Figures counts={{ ...COUNTS, ...changed }} />).container;
}

test("while the office is open, the wait goes on from the hours before", () => {
  const longest_wait = { since: at("2026-11-27T17:30"), seconds: 1800, counts_from: at("2026-11-30T09:00") };
  const office = { timetable: "central", is_open: true, changes_at: at("2026-11-30T18:00") };
  const line = shown({ unanswered: 2, longest_wait, office });
  expect(line).toHaveTextContent("Sem resposta: 2maior espera: 2 haberto até 18:00");
  expect(screen.getByText(/maior espera/)).toHaveAttribute("title", "Pediu: sex., 17:30");
});

test("while it is closed, the wait stands still, and the next opening is told with its day", () => {
  const longest_wait = { since: at("2026-11-27T17:30"), seconds: 1800, counts_from: null };
  const office = { timetable: "central", is_open: false, changes_at: at("2026-12-01T09:00") };
  const line = shown({ unanswered: 1000, truncated: true, longest_wait, office });
  expect(line).toHaveTextContent("Sem resposta: 1000+maior espera: 30 minfechado, abre ter., 09:00");
});

test("when nobody waits, the line shows neither a wait nor an opening time", () => {
  expect(shown({})).toHaveTextContent(/^Ninguém espera resposta$/);
  const never = { timetable: "central", is_open: false, changes_at: null };
  expect(shown({ office: never })).toHaveTextContent(/fechado$/);
});

test("a conversation that an agent has answered does not wait", async () => {
  const answered = { ...ANA, wait: null };
  api({
    "GET /api/v1/conversations?limit=50&status=human&snoozed=false": {
      conversations: [answered],
      next_cursor: null,
    },
  });
  open();
  const item = await screen.findByRole("link", { name: /Ana Júlia/ });
  expect(item).toHaveTextContent("Com atendentes");
  expect(item).not.toHaveTextContent("Esperando há");
});
