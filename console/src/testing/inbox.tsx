/** A team's conversations, for the tests of the inbox. */
import { vi } from "vitest";
import type { Assignment, ConversationState, Message, Summary } from "../areas/inbox/queries.ts";
import routes from "../areas/inbox/routes.tsx";
import { answers, show } from "./render.tsx";

export const SOON = new Date(Date.now() + 3_600_000).toISOString();
export const NOW = new Date().toISOString();
export const NUMBER = "100000000000001";

export const ASSIGNMENT = {
  assignee: null,
  team: null,
  priority: null,
  tags: [],
  snoozed: false,
  snoozed_until: null,
  typing_by: null,
  unread: true,
  revision: 3,
} as Assignment;

export function person(contact_id: string, name: string, changed: Partial<Summary> = {}): Summary {
  return {
    contact_id,
    phone_number_id: NUMBER,
    phone: `+${contact_id}`,
    name,
    tags: [],
    language: "pt_BR",
    status: "human",
    mode: "human",
    flow_id: "menu",
    node_id: "agent",
    handoff: { at: NOW, reason: "flow", department: "Vendas", priority: "high", note: "Quer desconto" },
    opted_out: false,
    last_activity_at: NOW,
    last_inbound_at: NOW,
    window_closes_at: SOON,
    turn: 7,
    wait: { since: NOW, seconds: 0, counts_from: NOW },
    assignment: ASSIGNMENT,
    ...changed,
  } as Summary;
}

export const ANA = person("5511999990001", "Ana Júlia", {
  last_message: { speaker: "user", type: "text", text: "E o meu pedido?" },
});
export const RUI = person("5511999990002", "Rui", {
  handoff: null,
  wait: null,
  status: "waiting",
  mode: "bot",
  last_message: { speaker: "bot", type: "image", text: "" },
});
export const STATE = {
  ...ANA,
  session: { id: "s", started_at: NOW, expires_at: SOON },
  flow_version: 3,
  sub_flow_id: null,
  variables: { pedido: "2 pizzas" },
  fields: { cidade: "Recife" },
} as ConversationState;

export function said(
  speaker: Message["speaker"],
  text: string,
  turn: number,
  changed: Partial<Message> = {},
) {
  return {
    speaker,
    text,
    timestamp: NOW,
    type: "text",
    options: [],
    turn,
    session_id: "s",
    flow_id: "menu",
    node_id: null,
    delivery: null,
    delivery_at: null,
    error_code: null,
    reason: null,
    fallback: false,
    labels: [],
    author: null,
    revoked: false,
    media: null,
    ...changed,
  } as Message;
}

export const ONE = `/api/v1/conversations/${ANA.contact_id}`;
export const TRANSCRIPT = `GET /api/v1/whatsapp-analytics/conversations/${ANA.contact_id}/transcript`;
const MESSAGES = [
  said("user", "oi", 1),
  said("bot", "Como posso ajudar?", 1, { options: ["Pedido", "Atendente"], delivery: "read" }),
  said("bot", "Não saiu", 2, { delivery: "dead", error_code: 131_026, reason: "undeliverable" }),
];

/** The API as an agent meets it: one conversation, whose state is `STATE`; with other answers to some requests. */
export function api(changed: Record<string, unknown> = {}) {
  const given = answers({
    "GET /api/v1/conversations?limit=50&status=human&snoozed=false": {
      conversations: [ANA],
      next_cursor: null,
    },
    "GET /api/v1/numbers": [],
    "GET /api/v1/conversation-counts": {
      agents: 1,
      mine: 0,
      unassigned: 1,
      unread: 1,
      snoozed: 0,
      unanswered: 1,
      longest_wait: ANA.wait,
      office: null,
      by_team: {},
      truncated: false,
    },
    [`GET ${ONE}/notes`]: [
      { id: "n1", at: NOW, by: "rita", text: "Cliente antigo", changes: {} },
      { id: "n2", at: NOW, by: "rita", text: null, changes: { priority: [null, "high"] } },
    ],
    [`POST ${ONE}/read`]: { ...ASSIGNMENT, unread: false },
    [`POST ${ONE}/typing`]: ASSIGNMENT,
    "GET /api/v1/teams": { teams: { Vendas: { name: "Equipe de vendas", members: [] } } },
    "GET /api/v1/canned-replies": {
      replies: { r1: { title: "Pedido pronto", text: "Olá {{contact.name}}" } },
    },
    [`GET ${ONE}/canned-replies/r1`]: { text: "Olá Ana, está pronto." },
    "GET /api/v1/conversations?limit=50": { conversations: [ANA, RUI], next_cursor: null },
    [`GET ${ONE}`]: STATE,
    [TRANSCRIPT]: {
      messages: MESSAGES,
      truncated: false,
      contact_id: ANA.contact_id,
      phone_number_id: NUMBER,
    },
    ...changed,
  });
  vi.stubGlobal("fetch", given.fetch);
  return given;
}

/** Show the conversation with Ana. */
export function open() {
  return show([{ path: "/inbox", children: routes }], `/inbox/${NUMBER}/${ANA.contact_id}`);
}
