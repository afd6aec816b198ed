import { queryOptions } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
export type PhoneNumberWithProblems = Schemas["NumberWithProblems"];
export type Organization = Schemas["OrganizationSettings"];
export type Timetables = Schemas["Timetables"]["timetables"];
export type Timetable = Schemas["TimetableSettings"];

function at(phone_number_id: string) {
  return { path: { phone_number_id } };
}

/** Disconnect a number. */
export function deleteNumber(id: string) {
  return got(api.DELETE("/api/v1/numbers/{phone_number_id}", { params: at(id) }));
}

/** Let a stopped number send again: everything that it held, in as many requests as it takes. */
export async function resumeNumber(id: string): Promise<void> {
  let after: string | undefined;
  do {
    const params = { ...at(id), query: { after } };
    // Each request releases what follows the one before.
    // oxlint-disable-next-line no-await-in-loop
    const { after: next } = await got(api.POST("/api/v1/numbers/{phone_number_id}/resume", { params }));
    after = next ?? undefined;
  } while (after);
}

/** The organization's settings. */
export function organizationQuery() {
  return queryOptions({
    queryKey: ["organization"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/organization", { signal })),
  });
}

export function putOrganization(body: Organization) {
  return got(api.PUT("/api/v1/organization", { body }));
}

/** The organization's timetables, by name. */
export function timetablesQuery() {
  return queryOptions({
    queryKey: ["timetables"],
    queryFn: async ({ signal }) => (await got(api.GET("/api/v1/timetables", { signal }))).timetables,
  });
}

export async function putTimetables(timetables: Timetables): Promise<Timetables> {
  return (await got(api.PUT("/api/v1/timetables", { body: { timetables } }))).timetables;
}

/** The names of the secrets that flows may use, with the hosts that may receive them. */
export function secretsQuery() {
  return queryOptions({
    queryKey: ["secrets"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/secrets", { signal })),
  });
}

export function putSecret({ name, value, hosts }: { name: string; value: string; hosts: string[] }) {
  return got(api.PUT("/api/v1/secrets/{name}", { params: { path: { name } }, body: { value, hosts } }));
}

export function deleteSecret(name: string) {
  return got(api.DELETE("/api/v1/secrets/{name}", { params: { path: { name } } }));
}
