import { queryOptions } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";

export type FlowSummary = components["schemas"]["FlowSummaryResponse"];

/** The organization's flows, by name. */
export function flowsQuery() {
  return queryOptions({
    queryKey: ["flows"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/flows", { signal })),
  });
}
