import { queryOptions, useQuery } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { plain } from "../ui/names.ts";
import { api, got } from "./client.ts";

type Colleague = components["schemas"]["ColleagueResponse"];

const FRESH_MILLISECONDS = 60_000;
const ANSWERING: ReadonlySet<Colleague["role"]> = new Set(["agent", "admin"]);

/** The organization's people. */
function colleaguesQuery() {
  return queryOptions({
    queryKey: ["colleagues"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/colleagues", { signal })),
    staleTime: FRESH_MILLISECONDS,
  });
}

/** Tell colleagues the name in the person's token. Those who never did are shown by their account. */
export async function tellName(): Promise<void> {
  await got(api.PUT("/api/v1/colleagues/me"));
}

/**
 * Names for accounts. A name that several people have is followed by the account. `agents` are the accounts of those who can
 * answer people.
 */
export function useColleagues() {
  const known = useQuery(colleaguesQuery()).data ?? [];
  const shared = (name: string) => known.filter((one) => one.name === name).length > 1;
  const names = new Map(
    known.map(({ subject, name }) => [subject, plain(shared(name) ? `${name} (${subject})` : name)]),
  );
  return {
    nameOf: (account: string) => names.get(account) ?? account,
    /** The account of a name, or of what was written instead of one. */
    accountOf: (name: string) => [...names].find(([, one]) => one === name)?.[0] ?? name,
    agents: known.filter(({ role }) => ANSWERING.has(role)).map(({ subject }) => subject),
  };
}
