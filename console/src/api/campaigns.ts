import { queryOptions } from "@tanstack/react-query";
import { api, gotPages } from "./client.ts";

const PAGE = 100;

/** The organization's campaigns. */
export function campaignsQuery() {
  return queryOptions({
    queryKey: ["campaigns"],
    queryFn: ({ signal }) =>
      gotPages((cursor) =>
        api.GET("/api/v1/campaigns", { signal, params: { query: { limit: PAGE, cursor } } }),
      ),
  });
}
