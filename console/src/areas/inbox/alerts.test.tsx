import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ANA, api, person, RUI } from "../../testing/inbox.tsx";
import { show, signInAs, words } from "../../testing/render.tsx";
import { KnownHandoffs } from "./alerts.ts";
import { Handoffs } from "./Handoffs.tsx";
import type { Summary } from "./queries.ts";
import routes from "./routes.tsx";

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
  localStorage.removeItem("pytake.rung");
});

afterEach(() => {
  for (const name of ["AudioContext", "Notification"]) Reflect.deleteProperty(globalThis, name);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const heard = vi.fn<() => void>(); // one for all: the page makes one AudioContext

/** Another area than the inbox, where these wait. Gives how often it rang, and who waits from the next reading on. */
async function elsewhere(...waiting: Summary[]) {
  vi.useFakeTimers({
    shouldAdvanceTime: true,
    toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"],
  });
  heard.mockClear();
  class Sound {
    currentTime = 0;
    resume = () => Promise.resolve();
    createOscillator = () => ({
      frequency: {},
      connect: (next: unknown) => next,
      start: heard,
      stop: () => undefined,
    });
    createGain = () => ({
      gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined },
      connect: () => undefined,
    });
  }
  vi.stubGlobal("AudioContext", Sound);
  const list = { conversations: waiting, next_cursor: null };
  const given = api({ "GET /api/v1/conversations?limit=50&status=human&snoozed=false": list });
  const { router } = show([{ path: "*", element: <Handoffs id="waiting" /> }], "/measure");
  await waitFor(() => expect(given.asked).toHaveLength(1));
  const next = (milliseconds: number, ...now: Summary[]) => {
    list.conversations = now;
    return act(() => vi.advanceTimersByTimeAsync(milliseconds));
  };
  return { next, router, asked: () => given.asked.length };
}

test("in any area the number of people who wait is shown, and a new handoff is heard once", async () => {
  const { next } = await elsewhere(RUI);
  expect(screen.queryByText(/esperando/)).toBeNull();
  await next(5_500, ANA, RUI);
  expect(await screen.findByText("1 pessoa esperando")).toBeInTheDocument();
  await waitFor(() => expect(heard).toHaveBeenCalledOnce());
  await next(5_500, RUI, ANA);
  expect(heard).toHaveBeenCalledOnce();
});

test("a handoff that another tab rang for is not heard again", async () => {
  const { next } = await elsewhere();
  localStorage.setItem("pytake.rung", JSON.stringify([ANA.handoff!.at]));
  await next(5_500, ANA);
  expect(await screen.findByText("1 pessoa esperando")).toBeInTheDocument();
  expect(heard).not.toHaveBeenCalled();
  await next(5_500, ANA, person("2", "Bia", { handoff: { ...ANA.handoff!, at: "2030-01-01T00:00:00Z" } }));
  await waitFor(() => expect(heard).toHaveBeenCalledOnce());
});

test("a hidden page asks less often, and its notification leads to the conversation", async () => {
  const { next, router, asked } = await elsewhere();
  const click = vi.fn<() => void>();
  const shown = vi.fn<(text: string) => void>();
  class Shown {
    static permission = "granted";
    constructor(text: string) {
      shown(text);
    }
    addEventListener(_: string, listener: () => void) {
      click.mockImplementation(listener);
    }
  }
  vi.stubGlobal("Notification", Shown);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  vi.spyOn(globalThis, "focus").mockReturnValue();
  document.dispatchEvent(new Event("visibilitychange"));
  await next(5_500);
  const before = asked();
  await next(14_000, ANA);
  expect(asked()).toBe(before);
  await next(1_500, ANA);
  await waitFor(() => expect(shown).toHaveBeenCalledWith("Ana Júlia está esperando um atendente"));
  click();
  expect(router.state.location.pathname).toBe("/inbox/100000000000001/5511999990001");
});

test("only a later handoff is news, and only once", () => {
  const at = (hour: string) => ({ handoff: { ...ANA.handoff!, at: `2026-11-30T${hour}:00:00Z` } });
  const ana = person("1", "Ana", at("10"));
  const bia = person("2", "Bia", at("11"));
  const known = new KnownHandoffs([ana, RUI]);
  expect(known.arrived([ana, RUI])).toEqual([]);
  expect(known.arrived([bia, ana])).toEqual([bia]);
  expect(known.arrived([ana])).toEqual([]);
  expect(known.arrived([bia, ana])).toEqual([]);
  // The list shows the latest messages: who has waited longer comes into it by writing again.
  expect(known.arrived([person("3", "Cleo", at("09")), bia])).toEqual([]);
  const again = person("1", "Ana", at("12"));
  expect(known.arrived([again])).toEqual([again]);
});

test("the browser asks for its permission when the agent wants notifications, and the offer is gone then", async () => {
  const requestPermission = vi.fn<() => Promise<string>>(() => Promise.resolve("granted"));
  vi.stubGlobal("Notification", { permission: "default", requestPermission });
  api();
  show([{ path: "/inbox", children: routes }], "/inbox");
  const offer = await screen.findByRole("button", { name: "Avisar quando alguém pedir atendimento" });
  expect(requestPermission).not.toHaveBeenCalled();
  await userEvent.click(offer);
  expect(requestPermission).toHaveBeenCalledOnce();
  await waitFor(() => expect(offer).not.toBeInTheDocument());
});
