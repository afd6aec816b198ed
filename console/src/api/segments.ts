import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, got, tagged } from "./client.ts";

type Schemas = components["schemas"];
export type Segment = Schemas["SegmentResponse"];
export type SegmentSettings = Schemas["SegmentSettings"];
export type Condition = Schemas["SegmentCondition"];

const COUNTING_MILLISECONDS = 1_000;

function at(segment_id: string) {
  return { path: { segment_id } };
}

/** The organization's segments. */
export function segmentsQuery() {
  return queryOptions({
    queryKey: ["segments"],
    queryFn: async ({ signal }) => (await got(api.GET("/api/v1/segments", { signal }))).segments,
  });
}

/** One segment, with the tag of its version. */
export function segmentQuery(id: string) {
  return queryOptions({
    queryKey: ["segment", id],
    queryFn: ({ signal }) => tagged(api.GET("/api/v1/segments/{segment_id}", { params: at(id), signal })),
  });
}

/** How many people a segment has. A large organization is counted in several requests. */
export function countQuery(id: string) {
  return queryOptions({
    queryKey: ["segment-count", id],
    queryFn: ({ signal }) => got(api.GET("/api/v1/segments/{segment_id}/count", { params: at(id), signal })),
    refetchInterval: ({ state }) => (state.data && state.data.count === null ? COUNTING_MILLISECONDS : false),
    enabled: id !== "",
  });
}

/** The newest people of a segment. */
export function previewQuery(id: string) {
  return queryOptions({
    queryKey: ["segment-preview", id],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/segments/{segment_id}/preview", { params: at(id), signal })),
  });
}

/** Store a segment over the version that was read; without a tag, in any case. */
export function putSegment(id: string, body: SegmentSettings, tag?: string) {
  const params = { ...at(id), header: { "if-match": tag } };
  return tagged(api.PUT("/api/v1/segments/{segment_id}", { params, body }));
}

/** Delete a segment; its people stay. */
export function deleteSegment(id: string) {
  return got(api.DELETE("/api/v1/segments/{segment_id}", { params: at(id) }));
}
