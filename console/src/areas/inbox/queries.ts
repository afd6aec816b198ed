import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
export type Summary = Schemas["ConversationSummary"];
export type ConversationState = Schemas["ConversationResponse"];
export type Message = Schemas["TranscriptMessage"];

const PAGE = 50;
const LIVE_MILLISECONDS = 2_000;

/** The lists that an agent chooses from; each is a filter of the API. */
export const VIEWS = ["human", "waiting", "idle", "all"] as const;
export type View = (typeof VIEWS)[number];

/** Which conversation: the person, and the number that they write to. */
export interface Key {
  number: string;
  contact: string;
}

export function keyOf(summary: Summary): Key {
  return { number: summary.phone_number_id, contact: summary.contact_id };
}

/** The path of a conversation below the console's address. */
export function pathOf({ number, contact }: Key): string {
  return `/inbox/${encodeURIComponent(number)}/${encodeURIComponent(contact)}`;
}

/** A list of conversations, the last message first; it is read again while it is shown. */
export function listQuery(view: View) {
  return infiniteQueryOptions({
    queryKey: ["conversations", view],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, cursor: pageParam, status: view === "all" ? undefined : view };
      return got(api.GET("/api/v1/conversations", { params: { query }, signal }));
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: LIVE_MILLISECONDS,
  });
}

function at({ number, contact }: Key) {
  return { path: { phone: contact }, query: { phone_number_id: number } };
}

/** One conversation's state. */
export function conversationQuery(key: Key) {
  return queryOptions({
    queryKey: ["conversation", key],
    queryFn: ({ signal }) => got(api.GET("/api/v1/conversations/{phone}", { params: at(key), signal })),
    refetchInterval: LIVE_MILLISECONDS,
  });
}

/** The conversation with a person at any number, by phone number; for a search that the list does not answer. */
export function personQuery(phone: string) {
  return queryOptions({
    queryKey: ["conversation-of", phone],
    queryFn: ({ signal }) =>
      got(api.GET("/api/v1/conversations/{phone}", { params: { path: { phone } }, signal })),
    enabled: phone !== "",
  });
}

const TRANSCRIPT = "/api/v1/whatsapp-analytics/conversations/{phone}/transcript";

/** The messages of a conversation, oldest first. */
export function transcriptQuery(key: Key) {
  return queryOptions({
    queryKey: ["transcript", key],
    queryFn: ({ signal }) => got(api.GET(TRANSCRIPT, { params: at(key), signal })),
    refetchInterval: LIVE_MILLISECONDS,
  });
}

/** Write to the person. The same `requestId` sends a text once, however often it is tried. */
export function send(key: Key, text: string, requestId: string) {
  const params = { ...at(key), header: { "idempotency-key": requestId } };
  return got(api.POST("/api/v1/conversations/{phone}/send", { params, body: { text } }));
}

/** Return the conversation to the bot. */
export function resume(key: Key) {
  return got(api.POST("/api/v1/conversations/{phone}/resume", { params: at(key) }));
}

/** End the session. */
export function close(key: Key) {
  return got(api.POST("/api/v1/conversations/{phone}/close", { params: at(key) }));
}
