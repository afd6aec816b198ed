import { infiniteQueryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, pageOf } from "./client.ts";

export type Change = components["schemas"]["ChangeResponse"];
export type ChangedResource = Change["resource"];

const PAGE = 50;

/** Who changed what the organization has set up, the latest first: these, or all. */
export function changesQuery(resource: ChangedResource | undefined) {
  return infiniteQueryOptions({
    queryKey: ["changes", resource],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { resource, limit: PAGE, cursor: pageParam };
      return pageOf(api.GET("/api/v1/changes", { params: { query }, signal }));
    },
    getNextPageParam: ({ next }) => next,
    staleTime: 0,
  });
}
