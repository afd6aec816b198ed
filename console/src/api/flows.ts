import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, gotPages } from "./client.ts";

export type FlowSummary = components["schemas"]["FlowSummaryResponse"];

const MOST = 100;

/** The organization's flows, by name. */
export function flowsQuery() {
  return queryOptions({
    queryKey: ["flows"],
    queryFn: ({ signal }) =>
      gotPages((cursor) => api.GET("/api/v1/flows", { signal, params: { query: { limit: MOST, cursor } } })),
  });
}
