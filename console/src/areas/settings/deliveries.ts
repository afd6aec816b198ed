import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, got, pageOf } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";

export type Undelivered = components["schemas"]["UndeliveredMessage"];

export const UNDELIVERED = ["dead", "deferred", "held", "ambiguous"] as const;
export type UndeliveredState = (typeof UNDELIVERED)[number];

const PAGE = 50;
const OFTEN_ENOUGH = 5_000; // milliseconds

/** The messages in this state, the newest first. */
export function deliveriesQuery(state: UndeliveredState) {
  return infiniteQueryOptions({
    queryKey: ["deliveries", state],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const query = { state, limit: PAGE, cursor: pageParam };
      const { data, next } = await pageOf(api.GET("/api/v1/deliveries", { params: { query }, signal }));
      return { messages: data, next };
    },
    getNextPageParam: ({ next }) => next,
    refetchInterval: OFTEN_ENOUGH,
  });
}

/** Queue a message again. What Meta has of it is not sent twice. */
export function redrive(delivery_id: string) {
  return got(api.POST("/api/v1/deliveries/{delivery_id}/redrive", { params: { path: { delivery_id } } }));
}
