import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { answers, signInAs } from "../../../testing/render.tsx";
import { useDraft, useInspection } from "./useDraft.ts";

const OPENED: FlowDocument = { format: 1, id: "clinic", name: "Clínica", nodes: [] };
const MINE = { ...OPENED, name: "Minha" };
const PUT = "PUT /api/v1/flows/clinic";
const GET = "GET /api/v1/flows/clinic";

const away = () => Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 });
const refused = () => Response.json({ code: "flow_changed", detail: "" }, { status: 412 });
const saved = (tag: string) => Response.json({ flow_id: "clinic" }, { headers: { etag: tag } });

function open(document = OPENED, tag = '"1"') {
  return renderHook(() => useDraft(document, tag));
}

function server(given: Record<string, unknown>) {
  const known = answers(given);
  vi.stubGlobal("fetch", known.fetch);
  return known.asked;
}

beforeEach(() => {
  signInAs("builder");
  localStorage.clear();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("what the server did not take is there when the flow is opened again, as a step that can be undone", async () => {
  server({ [PUT]: away() });
  const { result, unmount } = open();
  act(() => result.current.edit(() => MINE));
  await act(() => result.current.state.save());
  unmount();
  const asked = server({ [PUT]: saved('"2"') });
  const again = open().result;
  expect(again.current.document).toEqual(MINE);
  await act(() => again.current.state.save());
  expect(asked.map(({ body }) => body)).toContainEqual(MINE);
  expect(again.current.state.saving).toBe("saved");
  expect(open(MINE, '"2"').result.current.state.undo).toBeUndefined();
  act(() => again.current.state.undo!());
  expect(again.current.document).toEqual(OPENED);
});

test("leaving the page during a save keeps the changes, and the save does not count as a conflict", async () => {
  let answer: (response: Response) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (answer = resolve)));
  const { result, unmount } = open();
  act(() => result.current.edit(() => MINE));
  act(() => void result.current.state.save());
  const later = { ...OPENED, name: "Minha clínica" };
  act(() => result.current.edit(() => later));
  dispatchEvent(new Event("pagehide"));
  const kept = { ...localStorage };
  answer(saved('"2"'));
  server({ [PUT]: away() });
  unmount();
  await waitFor(() => expect(Object.values({ ...localStorage }).join()).not.toBe(Object.values(kept).join()));
  for (const [key, value] of Object.entries(kept)) localStorage.setItem(key, String(value));
  const asked = server({ [PUT]: saved('"3"') });
  const again = open(MINE, '"2"').result;
  expect(again.current.document).toEqual(later);
  await act(() => again.current.state.save());
  expect(asked.map(({ headers }) => headers.get("if-match"))).toEqual(['"2"']);
});

test("changes that were kept and a draft that someone else changed are a conflict", async () => {
  server({ [PUT]: away() });
  const { result, unmount } = open();
  act(() => result.current.edit(() => MINE));
  await act(() => result.current.state.save());
  unmount();
  server({ [PUT]: refused(), [GET]: { document: { ...OPENED, name: "Delas" } } });
  const again = open({ ...OPENED, name: "Delas" }, '"9"').result;
  await act(() => again.current.state.save());
  expect(again.current.state.saving).toBe("conflict");
  expect(again.current.document).toEqual(MINE);
});

test("a save whose answer was lost does not count as a conflict", async () => {
  server({ [PUT]: away() });
  const { result } = open();
  act(() => result.current.edit(() => MINE));
  await act(() => result.current.state.save());
  const arrived = Response.json({ document: MINE }, { headers: { etag: '"2"' } });
  const asked: (string | null)[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    if (request.method === "GET") return arrived.clone();
    asked.push(request.headers.get("if-match"));
    return asked.length === 1 ? refused() : saved('"3"');
  });
  act(() => result.current.edit(() => ({ ...MINE, name: "Mais" })));
  await act(() => result.current.state.save());
  expect(result.current.state.saving).toBe("saved");
  expect(asked).toEqual(['"1"', '"2"']);
});

test("a failed save is tried again, and what cannot be saved has no tag to publish", async () => {
  vi.useFakeTimers();
  server({ [PUT]: away() });
  const { result } = open();
  act(() => result.current.edit(() => MINE));
  await act(async () => {
    await expect(result.current.state.saveForTag()).rejects.toMatchObject({ status: 503 });
  });
  expect(result.current.state.saving).toBe("failed");
  server({ [PUT]: saved('"2"') });
  await act(() => vi.advanceTimersByTimeAsync(5_000));
  vi.useRealTimers();
  await waitFor(() => expect(result.current.state.saving).toBe("saved"));
  await act(async () => expect(await result.current.state.saveForTag()).toBe('"2"'));
});

test("a change that is undone before it is saved leaves nothing to save", () => {
  const asked = server({});
  const { result } = open();
  act(() => result.current.edit(() => MINE));
  expect(result.current.state.saving).toBe("unsaved");
  act(() => result.current.state.undo!());
  expect(result.current.state.saving).toBe("saved");
  expect(asked).toEqual([]);
});

test("the prover is asked soon after a change, and at most every 220 milliseconds while a person writes", async () => {
  vi.useFakeTimers();
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(((await request.clone().json()) as { document: FlowDocument }).document.name!);
    return Response.json({ publishable: true, problems: [], completion: { variables: [], nodes: [] } });
  });
  const named = (name: string) => ({ ...OPENED, name });
  const { rerender } = renderHook(({ document }) => useInspection(document), {
    initialProps: { document: named("a") },
  });
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(asked).toEqual(["a"]);
  for (const name of ["ab", "abc"]) {
    rerender({ document: named(name) });
    // oxlint-disable-next-line no-await-in-loop -- one key after the other
    await act(() => vi.advanceTimersByTimeAsync(105));
  }
  expect(asked).toEqual(["a"]);
  await act(() => vi.advanceTimersByTimeAsync(100));
  expect(asked).toEqual(["a", "abc"]);
});
