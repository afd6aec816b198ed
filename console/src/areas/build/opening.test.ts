import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inARow, laidOut } from "../../flow/layout.ts";
import { answers, signInAs } from "../../testing/render.tsx";
import { askForDraft, draftQuery } from "./queries.ts";

const FLOW = { format: 1, id: "clinic", nodes: [{ id: "start", type: "start", data: {} }] };

beforeEach(() => signInAs("builder"));
afterEach(() => vi.unstubAllGlobals());

test("the editor takes the draft that was asked for while it was loaded, and lays it out once", async () => {
  let layouts = 0;
  class Layout extends EventTarget {
    postMessage() {
      layouts++;
      this.dispatchEvent(new MessageEvent("message", { data: inARow(FLOW as never) }));
    }
    terminate() {}
  }
  vi.stubGlobal("Worker", Layout);
  const body = { flow_id: "clinic", document: FLOW };
  const { fetch, asked } = answers({ "GET /api/v1/flows/clinic": body });
  vi.stubGlobal("fetch", fetch);
  const client = new QueryClient();
  askForDraft("clinic");
  const opened = await client.fetchQuery(draftQuery("clinic"));
  expect(asked).toHaveLength(1);
  expect(layouts).toBe(1);
  expect([...(await laidOut(opened.document)).keys()]).toEqual(["start"]);
  expect(layouts).toBe(1);
  await client.resetQueries({ queryKey: ["draft", "clinic"] });
  await client.fetchQuery(draftQuery("clinic"));
  expect(asked).toHaveLength(2);
});

test("a draft that cannot be laid out is still opened", async () => {
  vi.stubGlobal("Worker", undefined);
  vi.stubGlobal(
    "fetch",
    answers({ "GET /api/v1/flows/clinic": { flow_id: "clinic", document: FLOW } }).fetch,
  );
  const { document } = await new QueryClient().fetchQuery(draftQuery("clinic"));
  expect(document).toEqual(FLOW);
  await expect(laidOut(document)).rejects.toThrow("Worker is not a constructor");
});
