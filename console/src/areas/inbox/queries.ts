import { infiniteQueryOptions, queryOptions, type QueryClient } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import type { components } from "../../generated/api.ts";
import { plain } from "../../ui/names.ts";

type Schemas = components["schemas"];
/** A conversation of the list, or one that was found by its number: of that the last message is not known. */
export type Summary = Omit<Schemas["ConversationSummary"], "last_message"> &
  Partial<Pick<Schemas["ConversationSummary"], "last_message">>;
export type ConversationState = Schemas["ConversationResponse"];
export type Message = Schemas["TranscriptMessage"];
export type Assignment = Schemas["AssignmentResponse"];
export type AssignmentChange = Schemas["AssignmentRequest"];
type Content = Pick<Schemas["AgentMessage"], "text" | "media" | "template">;
export type Note = Schemas["NoteResponse"];
export type Found = Schemas["FoundMessage"];

const PAGE = 50;
const LIVE_MILLISECONDS = 2_000;
const ELSEWHERE_MILLISECONDS = 5_000;
const HIDDEN_MILLISECONDS = 15_000;
const COUNTED = 100; // conversations

/** The lists that an agent chooses from; each is a filter of the API. */
const FILTERS = {
  human: { status: "human", snoozed: "false" },
  mine: { status: "human", assignee: "me", snoozed: "false" },
  unassigned: { status: "human", assignee: "none", snoozed: "false" },
  snoozed: { status: "human", snoozed: "true" },
  waiting: { status: "waiting" },
  idle: { status: "idle" },
  all: {},
} as const;
export type View = keyof typeof FILTERS;
export const VIEWS = Object.keys(FILTERS) as View[];

/** Which conversation: the person, and the number that they write to. */
export interface Key {
  number: string;
  contact: string;
}

export function keyOf(summary: Summary): Key {
  return { number: summary.phone_number_id, contact: summary.contact_id };
}

/** The name of a person, or the number when no name is known. */
export function nameOf({ name, phone, contact_id }: Pick<Summary, "name" | "phone" | "contact_id">): string {
  return plain(name) || phone || contact_id;
}

/** The path of a conversation below the console's address. */
export function pathOf({ number, contact }: Key): string {
  return `/inbox/${encodeURIComponent(number)}/${encodeURIComponent(contact)}`;
}

/** A list of conversations, the last message first; it is read again while it is shown. The server searches. */
export function listQuery(view: View, search = "") {
  return infiniteQueryOptions({
    queryKey: ["conversations", view, search],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, cursor: pageParam, search: search || undefined, ...FILTERS[view] };
      return got(api.GET("/api/v1/conversations", { params: { query }, signal }));
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // Every page is read again: an agent who looks far back asks for as many pages a second as others.
    refetchInterval: ({ state }) => LIVE_MILLISECONDS * Math.max(1, state.data?.pages.length ?? 0),
  });
}

/** The conversations that wait for agents, read in every area. The inbox reads the same list more often while it shows it. */
export function waitingQuery() {
  return infiniteQueryOptions({
    ...listQuery("human"),
    refetchInterval: ({ state }) =>
      (document.hidden ? HIDDEN_MILLISECONDS : ELSEWHERE_MILLISECONDS) *
      Math.max(1, state.data?.pages.length ?? 0),
    refetchIntervalInBackground: true,
  });
}

/** The messages with a text, in the latest conversations first; each page goes further back. */
export function foundQuery(text: string) {
  return infiniteQueryOptions({
    queryKey: ["message-search", text],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { text, cursor: pageParam };
      return got(api.GET("/api/v1/message-search", { params: { query }, signal }));
    },
    getNextPageParam: (last) => last.next_cursor ?? undefined,
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

/**
 * Write to the person. The same `requestId` sends a message once, however often it is tried. Nothing is sent if there are
 * messages after the turn that the agent has seen.
 */
export function send(key: Key, content: Content, requestId: string, seen: number) {
  const params = { ...at(key), header: { "idempotency-key": requestId } };
  const body = { ...content, expected_turn: seen };
  return got(api.POST("/api/v1/conversations/{phone}/send", { params, body }));
}

/** Read a conversation again after the agent wrote. What they wrote themselves, the latest `turn`, they have seen. */
export function readAgain(queries: QueryClient, key: Key, turn?: number): void {
  if (turn !== undefined)
    queries.setQueryData(
      conversationQuery(key).queryKey,
      (state) => state && { ...state, turn: Math.max(state.turn, turn) },
    );
  void queries.invalidateQueries({ queryKey: ["transcript", key] });
  void queries.invalidateQueries({ queryKey: ["conversation", key] });
}

/** How many conversations agents have, by what is to do. */
export function countsQuery() {
  return queryOptions({
    queryKey: ["conversation-counts"],
    queryFn: ({ signal }) => got(api.GET("/api/v1/conversation-counts", { signal })),
    // The server counts them one by one: many are counted less often.
    refetchInterval: ({ state }) => LIVE_MILLISECONDS * (1 + Math.floor((state.data?.agents ?? 0) / COUNTED)),
    refetchIntervalInBackground: true, // the title has the number
  });
}

/** Say who has a conversation, with its tags and priority; only over the revision that was read. */
export function assign(key: Key, change: AssignmentChange, revision: number) {
  const params = { ...at(key), header: { "if-match": `"${revision}"` } };
  return got(api.PUT("/api/v1/conversations/{phone}/assignment", { params, body: change }));
}

/** The private notes on a conversation, and the changes of its assignment. */
export function notesQuery(key: Key) {
  return queryOptions({
    queryKey: ["notes", key],
    queryFn: ({ signal }) => got(api.GET("/api/v1/conversations/{phone}/notes", { params: at(key), signal })),
    refetchInterval: 5 * LIVE_MILLISECONDS,
  });
}

export function addNote(key: Key, text: string) {
  return got(api.POST("/api/v1/conversations/{phone}/notes", { params: at(key), body: { text } }));
}

/** The agent has seen everything that the person wrote. */
export function markRead(key: Key) {
  return got(api.POST("/api/v1/conversations/{phone}/read", { params: at(key) }));
}

/** Tell colleagues for ten seconds that this agent is writing. */
export function reportTyping(key: Key) {
  return got(api.POST("/api/v1/conversations/{phone}/typing", { params: at(key) }));
}

/** Return the conversation to the bot. */
export function resume(key: Key) {
  return got(api.POST("/api/v1/conversations/{phone}/resume", { params: at(key) }));
}

/** End the session, with a reason if the agent gives one. */
export function close(key: Key, reason: string) {
  const body = { reason: reason.trim() || null };
  return got(api.POST("/api/v1/conversations/{phone}/close", { params: at(key), body }));
}
