import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, got } from "./client.ts";

type Schemas = components["schemas"];
export type Sequence = Schemas["SequenceResponse"];
export type SequenceSettings = Schemas["SequenceRequest"];
export type SequenceStep = Schemas["SequenceStep"];

function at(sequence_id: string) {
  return { path: { sequence_id } };
}

/** The organization's sequences. */
export function sequencesQuery() {
  return queryOptions({
    queryKey: ["sequences"],
    queryFn: async ({ signal }) => (await got(api.GET("/api/v1/sequences", { signal }))).sequences,
  });
}

/** One sequence. */
export function sequenceQuery(id: string) {
  return queryOptions({
    queryKey: ["sequence", id],
    queryFn: ({ signal }) => got(api.GET("/api/v1/sequences/{sequence_id}", { params: at(id), signal })),
  });
}

/** The next follow-ups of a sequence. */
export function followUpsQuery(id: string) {
  return queryOptions({
    queryKey: ["sequence-preview", id],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/sequences/{sequence_id}/preview", { params: at(id), signal })),
  });
}

/** Create or replace a sequence. */
export function putSequence(id: string, body: SequenceSettings) {
  return got(api.PUT("/api/v1/sequences/{sequence_id}", { params: at(id), body }));
}

/** Remove a sequence; its follow-ups are not sent any more. */
export function deleteSequence(id: string) {
  return got(api.DELETE("/api/v1/sequences/{sequence_id}", { params: at(id) }));
}
