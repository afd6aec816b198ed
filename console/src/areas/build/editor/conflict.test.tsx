import { act, renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FlowDocument } from "../../../flow/document.ts";
import { answers, show, signInAs, words } from "../../../testing/render.tsx";
import { Conflict } from "./Conflict.tsx";
import { useDraft } from "./useDraft.ts";

const NOW = 1_770_000_000_000;
const MINE: FlowDocument = { format: 1, id: "clinic", name: "Clínica", nodes: [] };

beforeEach(async () => {
  await words("pt", "build");
  signInAs("builder");
  vi.spyOn(Date, "now").mockReturnValue(NOW);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test("my copy is made as a duplicate, which has the flow's tests, and a second try makes no other", async () => {
  const id = `clinic_${NOW.toString(36)}`;
  const made = Response.json({ flow_id: id }, { headers: { etag: '"7"' } });
  const duplicate = "POST /api/v1/flows/clinic/duplicate";
  const away = Response.json({ code: "temporarily_unavailable", detail: "" }, { status: 503 });
  const failing = answers({ [duplicate]: made, [`PUT /api/v1/flows/${id}`]: away });
  vi.stubGlobal("fetch", failing.fetch);
  const taken = vi.fn<() => void>();
  const { router } = show([
    {
      index: true,
      element: <Conflict document={MINE} onOverwrite={vi.fn<() => Promise<void>>()} onTakeTheirs={taken} />,
    },
    { path: "build/:flowId", element: null },
  ]);
  const button = await screen.findByRole("button", { name: "Guardar as minhas como cópia" });
  await userEvent.click(button);
  expect(await screen.findByText("O servidor não responde agora.", { exact: false })).toBeVisible();
  expect(failing.asked[0]).toMatchObject({ key: duplicate, body: { flow_id: id } });

  const { fetch, asked } = answers({ [`PUT /api/v1/flows/${id}`]: { flow_id: id } });
  vi.stubGlobal("fetch", fetch);
  await userEvent.click(button);
  await waitFor(() => expect(router.state.location.pathname).toBe(`/build/${id}`));
  expect(asked).toHaveLength(1);
  expect(asked[0]!.headers.get("if-match")).toBe('"7"');
  expect(asked[0]!.body).toEqual({ ...MINE, id, name: "Clínica (minhas mudanças)" });
  expect(taken).toHaveBeenCalledOnce();
});

test("a draft that someone else changed is not saved until the person decides", async () => {
  const refused = Response.json({ code: "flow_changed", detail: "" }, { status: 412 });
  const theirs = answers({ "PUT /api/v1/flows/clinic": refused });
  vi.stubGlobal("fetch", theirs.fetch);
  const { result, unmount } = renderHook(() => useDraft(MINE, '"1"'));
  act(() => result.current.edit((before) => ({ ...before, name: "Minha" })));
  await act(() => result.current.state.save());
  expect(result.current.state.saving).toBe("conflict");
  act(() => result.current.edit((before) => ({ ...before, name: "Minha clínica" })));
  await act(() => result.current.state.save());
  expect(theirs.asked).toHaveLength(1);

  const mine = answers({ "PUT /api/v1/flows/clinic": { flow_id: "clinic" } });
  vi.stubGlobal("fetch", mine.fetch);
  await act(() => result.current.state.save('"2"'));
  expect(result.current.state.saving).toBe("saved");
  unmount();
  expect(mine.asked.map(({ headers }) => headers.get("if-match"))).toEqual(['"2"']);
});
