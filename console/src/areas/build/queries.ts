import { queryOptions } from "@tanstack/react-query";
import { api, got, tagged } from "../../api/client.ts";
import type { FlowSummary } from "../../api/flows.ts";
import type { Data, FlowDocument } from "../../flow/document.ts";
import { isUnplaced, laidOut } from "../../flow/layout.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
export type Finding = Schemas["FlowProblem"];
export type Inspection = Schemas["FlowInspection"];
export type TestedRequest = Schemas["TestedRequest"];

interface Draft {
  document: FlowDocument;
  tag: string;
}

const asked = new Map<string, Promise<Draft>>();

export async function readDraft(id: string, signal?: AbortSignal): Promise<Draft> {
  const { data, tag } = await tagged(
    api.GET("/api/v1/flows/{flow_id}", {
      ...(signal ? { signal } : {}),
      params: { path: { flow_id: id } },
    }),
  );
  const document = data.document as unknown as FlowDocument;
  if (isUnplaced(document)) laidOut(document).catch(() => undefined); // the canvas handles a failure
  return { document, tag };
}

/** Ask for a draft while the editor is being loaded, which then takes this answer. */
export function askForDraft(id: string): void {
  const draft = readDraft(id);
  draft.catch(() => undefined); // the editor shows it
  asked.set(id, draft);
}

/** A draft and its tag. It is read when the editor opens; from then on the editor has the newest. */
export function draftQuery(id: string) {
  return queryOptions({
    queryKey: ["draft", id],
    queryFn: ({ signal }) => {
      const early = asked.get(id);
      asked.delete(id);
      return early ?? readDraft(id, signal);
    },
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/** Save a draft over the one with this tag; without a tag, only if there is none. Returns the new tag. */
export async function saveDraft(document: FlowDocument, tag: string | undefined): Promise<string> {
  const header = tag === undefined ? { "if-none-match": "*" } : { "if-match": tag };
  const saved = await tagged(
    api.PUT("/api/v1/flows/{flow_id}", {
      params: { path: { flow_id: document.id }, header },
      body: document as unknown as Record<string, never>,
    }),
  );
  return saved.tag;
}

/** File a flow: what is not given stays as it is. */
export function fileFlow(flow: FlowSummary, change: Partial<Schemas["FlowFiling"]>) {
  const { flow_id, folder, tags, archived } = flow;
  const body = { folder, tags, archived, ...change };
  return got(api.PUT("/api/v1/flows/{flow_id}/metadata", { params: { path: { flow_id } }, body }));
}

/** Copy the draft of a flow with its tests, in the same folder. Returns the tag of the copy. */
export async function duplicateFlow(flow_id: string, body: Schemas["FlowCopy"]): Promise<string> {
  const copy = api.POST("/api/v1/flows/{flow_id}/duplicate", { params: { path: { flow_id } }, body });
  return (await tagged(copy)).tag;
}

/** What the prover says of a document, and what an editor can offer. */
export function inspect(document: FlowDocument, signal?: AbortSignal): Promise<Inspection> {
  return got(
    api.POST("/api/v1/flows/validate", {
      ...(signal ? { signal } : {}),
      body: { document: document as unknown as Record<string, never>, documents: {} },
    }),
  );
}

/** Send the request of an API call once, with example values for its variables. */
export function testRequest(data: Data, variables: Record<string, unknown>): Promise<TestedRequest> {
  const body = { data: data as Record<string, never>, variables: variables as Record<string, never> };
  return got(api.POST("/api/v1/flows/test-request", { body }));
}

/** A flow as it was published; a version never changes. */
export function versionQuery(id: string, version: number) {
  return queryOptions({
    queryKey: ["version", id, version],
    queryFn: async ({ signal }) => {
      const path = { flow_id: id, version };
      const found = await got(
        api.GET("/api/v1/flows/{flow_id}/versions/{version}", { signal, params: { path } }),
      );
      return found.document as unknown as FlowDocument;
    },
    staleTime: Infinity,
  });
}

/** The published versions of a flow, newest first. */
export function versionsQuery(id: string) {
  return queryOptions({
    queryKey: ["versions", id],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/flows/{flow_id}/versions", { signal, params: { path: { flow_id: id } } })),
  });
}
