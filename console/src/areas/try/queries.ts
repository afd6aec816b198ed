import { queryOptions } from "@tanstack/react-query";
import { api, got } from "../../api/client.ts";
import { ApiError } from "../../api/errors.ts";

const LIVE_MILLISECONDS = 1_000;
const WINDOW = 200; // messages that a phone shows

interface Choice {
  id: string;
  title: string;
  description?: string;
}

/** A message on a simulated phone (docs/simulator.md). */
export interface Entry {
  seq: number;
  direction: "in" | "out";
  timestamp: number;
  type: string;
  text: string;
  status: string;
  buttons?: Choice[];
  rows?: Choice[];
}

export interface Phone {
  phone: string;
  name: string;
}

/** Ask the simulator of the local cloud, which takes no token. */
async function simulator<Data>(path: string, init?: RequestInit): Promise<Data> {
  const response = await fetch(`/_sim${path}`, init);
  if (!response.ok) throw new ApiError(response.status, "simulator_refused", await response.text());
  return (response.status === 204 ? undefined : await response.json()) as Data;
}

export function phonesQuery() {
  return queryOptions({
    queryKey: ["phones"],
    queryFn: async ({ signal }) => (await simulator<{ phones: Phone[] }>("/phones", { signal })).phones,
    refetchInterval: 5 * LIVE_MILLISECONDS,
  });
}

/** What is on the screen of a phone, and whether the business is typing. */
export function screenQuery(phone: string) {
  return queryOptions({
    queryKey: ["screen", phone],
    queryFn: async ({ signal }) => {
      const found = await simulator<{ messages: Entry[]; typing: boolean }>(`/phones/${phone}/messages`, {
        signal,
      });
      return { ...found, messages: found.messages.slice(-WINDOW) };
    },
    refetchInterval: LIVE_MILLISECONDS,
  });
}

/** What a person does: writes, taps a choice, or sends a file or a place. */
export type Act =
  | { text: string }
  | { reply_id: string }
  | { media: { type: "image" | "audio" | "document" } }
  | { location: { latitude: number; longitude: number } };

export function act(phone: string, what: Act, phone_number_id: string) {
  return simulator<{ seq: number }>(`/phones/${phone}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...what, phone_number_id }),
  });
}

/** Remove a phone with its messages. */
export function removePhone(phone: string) {
  return simulator<undefined>(`/phones/${phone}`, { method: "DELETE" });
}

const TURNS = 20;

/** A turn of a conversation, as its audit record has it. What is empty is left out. */
export interface Turn {
  seq: number;
  at: number;
  input: { type?: string; text?: string; reply_id?: string | null };
  message_type?: string;
  path?: { flow_id: string; node_id: string; exit: string }[];
  events?: { type: string; data?: Record<string, unknown> }[];
}

/** The latest turns of a phone's latest conversation, newest first, and the values that are known. `seen`: the last message on its screen. */
export function turnsQuery(phone: string, seen: number) {
  const params = { path: { phone } };
  return queryOptions({
    queryKey: ["turns", phone, seen],
    queryFn: async ({ signal }) => {
      try {
        const [state, records] = await Promise.all([
          got(api.GET("/api/v1/conversations/{phone}", { params, signal })),
          got(api.GET("/api/v1/conversations/{phone}/records", { params, signal, parseAs: "text" })),
        ]);
        const lines = records.split("\n").filter(Boolean).slice(-TURNS);
        return {
          variables: state.variables,
          turns: lines.map((line) => JSON.parse(line) as Turn).toReversed(),
        };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return { variables: {}, turns: [] }; // not yet
        throw error;
      }
    },
  });
}
