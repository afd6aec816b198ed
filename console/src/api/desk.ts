import { queryOptions, useQuery } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, got, tagged } from "./client.ts";

type Schemas = components["schemas"];
export type Teams = Schemas["Teams"]["teams"];
export type CannedReplies = Schemas["CannedReplies"]["replies"];

/** The organization's teams, by the department that a handoff names, with the tag of the list. */
export function teamsQuery() {
  return queryOptions({
    queryKey: ["teams"],
    queryFn: ({ signal }) => tagged(api.GET("/api/v1/teams", { signal })),
  });
}

/** Names teams. A handoff may give a department that is not a team; its name is shown unchanged. */
export function useTeamName(): (department: string) => string {
  const teams = useQuery({ ...teamsQuery(), staleTime: 60_000 }).data?.data.teams;
  return (department) => teams?.[department]?.name ?? department;
}

/** Replace all teams. The API refuses it if they have changed since the tag was read. */
export function putTeams(teams: Teams, tag: string) {
  return tagged(api.PUT("/api/v1/teams", { params: { header: { "if-match": tag } }, body: { teams } }));
}

/** The organization's canned replies, with the tag of the list. */
export function repliesQuery() {
  return queryOptions({
    queryKey: ["canned-replies"],
    queryFn: ({ signal }) => tagged(api.GET("/api/v1/canned-replies", { signal })),
  });
}

/** Replace all canned replies. The API refuses it if they have changed since the tag was read. */
export function putReplies(replies: CannedReplies, tag: string) {
  const params = { header: { "if-match": tag } };
  return tagged(api.PUT("/api/v1/canned-replies", { params, body: { replies } }));
}

/** The text of a canned reply for one person. */
export async function replyFor(number: string, contact: string, reply: string): Promise<string> {
  const path = { phone: contact, reply_id: reply };
  const address = "/api/v1/conversations/{phone}/canned-replies/{reply_id}";
  return (await got(api.GET(address, { params: { path, query: { phone_number_id: number } } }))).text;
}
