import { renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ANA, api, RUI } from "../../testing/inbox.tsx";
import { show, signInAs, words } from "../../testing/render.tsx";
import { useHandoffAlerts } from "./alerts.ts";
import routes from "./routes.tsx";

beforeEach(async () => {
  await words("pt", "inbox");
  signInAs("agent");
});

afterEach(() => {
  for (const name of ["AudioContext", "Notification"]) Reflect.deleteProperty(globalThis, name);
});

test("a new handoff is heard once", async () => {
  const heard = vi.fn<() => void>();
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
  const { rerender } = renderHook(({ waiting }) => useHandoffAlerts(waiting, String), {
    initialProps: { waiting: [RUI] },
  });
  expect(heard).not.toHaveBeenCalled();
  rerender({ waiting: [ANA, RUI] });
  await waitFor(() => expect(heard).toHaveBeenCalledOnce());
  rerender({ waiting: [RUI, ANA] });
  await Promise.resolve();
  expect(heard).toHaveBeenCalledOnce();
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
