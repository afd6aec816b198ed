import { queryOptions } from "@tanstack/react-query";
import { api, got, tagged } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
export type Campaign = Schemas["CampaignResponse"];
export type CampaignEntry = Schemas["CampaignEntry"];
export type CampaignSettings = Schemas["CampaignSettings"];
export type Status = Campaign["status"];

const LIVE_MILLISECONDS = 2_000;
const COUNTED_MILLISECONDS = 30_000;
const MOVING: ReadonlySet<Status> = new Set(["scheduled", "running"]);

function at(campaign_id: string) {
  return { path: { campaign_id } };
}

/** A campaign with its counts and the tag of its version; read again while it runs. */
export function campaignQuery(id: string) {
  return queryOptions({
    queryKey: ["campaign", id],
    queryFn: ({ signal }) => tagged(api.GET("/api/v1/campaigns/{campaign_id}", { params: at(id), signal })),
    refetchInterval: ({ state }) =>
      state.data && MOVING.has(state.data.data.status) ? LIVE_MILLISECONDS : false,
  });
}

export type Goal = Schemas["CampaignResultsResponse"]["goal"];

/** The variants and the holdout of a campaign, compared by a goal; read again while it runs. */
export function resultsQuery(id: string, status: Status, goal: Goal, smallest_effect: number) {
  return queryOptions({
    queryKey: ["campaign", id, "results", goal, smallest_effect],
    queryFn: ({ signal }) => {
      const params = { ...at(id), query: { goal, smallest_effect } };
      return got(api.GET("/api/v1/campaigns/{campaign_id}/results", { params, signal }));
    },
    refetchInterval: MOVING.has(status) ? COUNTED_MILLISECONDS : false,
  });
}

/** Store a campaign; with a tag only over the version that was read. */
export function putCampaign(id: string, body: CampaignSettings, tag?: string) {
  const params = { ...at(id), header: { "if-match": tag } };
  return tagged(api.PUT("/api/v1/campaigns/{campaign_id}", { params, body }));
}

export type Step = "start" | "pause" | "resume" | "cancel";

/** Start a campaign, or steer one that runs. */
export function steer(id: string, step: Step) {
  const params = at(id);
  switch (step) {
    case "start":
      return tagged(api.POST("/api/v1/campaigns/{campaign_id}/start", { params }));
    case "pause":
      return tagged(api.POST("/api/v1/campaigns/{campaign_id}/pause", { params }));
    case "resume":
      return tagged(api.POST("/api/v1/campaigns/{campaign_id}/resume", { params }));
    case "cancel":
      return tagged(api.POST("/api/v1/campaigns/{campaign_id}/cancel", { params }));
  }
}

/** Send the campaign's template to a few people now. */
export function tryOut(id: string, people: string[], variant: string, requestId: string) {
  const params = { ...at(id), header: { "idempotency-key": requestId } };
  return got(api.POST("/api/v1/campaigns/{campaign_id}/test", { params, body: { people, variant } }));
}
