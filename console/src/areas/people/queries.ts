import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, got, tagged } from "../../api/client.ts";
import { ApiError } from "../../api/errors.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
export type Contact = Schemas["ContactResponse"];
export type ContactChange = Schemas["ContactSettings"];
export type Consent = Schemas["ConsentWithHistory"];

export const PURPOSES = ["service", "utility", "marketing"] as const;
export type Purpose = (typeof PURPOSES)[number];
export const STATES = ["granted", "withdrawn", "unknown"] as const;
export type State = (typeof STATES)[number];

export type ContactImport = Schemas["ImportResponse"];

const PAGE = 50;
const LIVE_MILLISECONDS = 2_000;

/** The organization's contacts, the newest first, or those that the server finds. */
export function contactsQuery(q: string) {
  return infiniteQueryOptions({
    queryKey: ["contacts", q],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, cursor: pageParam, q: q || undefined };
      return got(api.GET("/api/v1/contacts", { params: { query }, signal }));
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

function at(phone: string) {
  return { path: { phone } };
}

/** One contact, with the tag of its version. */
export function contactQuery(contact: string) {
  return queryOptions({
    queryKey: ["contact", contact],
    queryFn: ({ signal }) => tagged(api.GET("/api/v1/contacts/{phone}", { params: at(contact), signal })),
  });
}

/** Store a contact. With a tag, only over the version that was read. */
export function putContact(contact: string, body: ContactChange, tag?: string) {
  const params = { ...at(contact), header: { "if-match": tag } };
  return tagged(api.PUT("/api/v1/contacts/{phone}", { params, body }));
}

/** Add a person; one who is known already stays as they are. */
export async function addContact(phone: string, name: string) {
  try {
    return await tagged(api.GET("/api/v1/contacts/{phone}", { params: at(phone) }));
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "contact_unknown")) throw error;
    return putContact(phone, { name, language: "", tags: [], fields: {} });
  }
}

/** Erase a person, everywhere and for good. */
export function eraseContact(contact: string) {
  return got(api.DELETE("/api/v1/contacts/{phone}", { params: at(contact) }));
}

/** The consent of a person, with its history. */
export function consentQuery(contact: string) {
  return queryOptions({
    queryKey: ["consent", contact],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/contacts/{phone}/consent", { params: at(contact), signal })),
  });
}

export function putConsent(contact: string, purpose: Purpose, state: State, source: string) {
  const body = { [purpose]: { state, source } };
  return got(api.PUT("/api/v1/contacts/{phone}/consent", { params: at(contact), body }));
}

/** The person's conversation at a number, without one the latest; null if there is none. */
async function conversationAt(contact: string, phone_number_id: string | undefined, signal: AbortSignal) {
  try {
    const params = { ...at(contact), query: { phone_number_id } };
    return await got(api.GET("/api/v1/conversations/{phone}", { params, signal }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** A person's conversations at the organization's numbers, the latest first. */
export function conversationsQuery(contact: string, numbers: string[] | undefined) {
  return queryOptions({
    queryKey: ["conversations-of", contact, numbers],
    queryFn: async ({ signal }) => {
      const latest = await conversationAt(contact, undefined, signal); // also at a number that was disconnected
      if (!latest) return [];
      const others = (numbers ?? []).filter((number) => number !== latest.phone_number_id);
      const more = await Promise.all(others.map((number) => conversationAt(contact, number, signal)));
      return [latest, ...more.filter((one) => one !== null)].toSorted((one, other) =>
        (other.last_activity_at ?? "").localeCompare(one.last_activity_at ?? ""),
      );
    },
    enabled: numbers !== undefined,
  });
}

/** The latest imports, the newest first; read again while one of them is worked off. */
export function importsQuery() {
  return queryOptions({
    queryKey: ["imports"],
    queryFn: async ({ signal }) => (await got(api.GET("/api/v1/contacts/imports", { signal }))).imports,
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status === "waiting" || status === "running")
        ? LIVE_MILLISECONDS
        : false,
  });
}

/** The text of a CSV file: in UTF-8, or as spreadsheets in Western languages save it without asking. */
async function textOf(file: File): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Import a CSV file. National phone numbers belong to the country, or to that of the organization's numbers. */
export async function importContacts(file: File, country: string) {
  const body = await textOf(file);
  const params = { query: { country: country || undefined } };
  const headers = { "content-type": "text/csv" };
  return got(api.POST("/api/v1/contacts/import", { params, body, headers, bodySerializer: String }));
}
