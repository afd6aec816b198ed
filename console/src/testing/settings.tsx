import type { PhoneNumber } from "../api/numbers.ts";
import routes from "../areas/settings/routes.tsx";
import { visit } from "./render.tsx";
import { FLOW } from "./samples.ts";

export const ID = "100000000000001";
export const NUMBER = {
  phone_number_id: ID,
  display_phone_number: "+55 11 4000-0001",
  country: "BR",
  default_flow_id: "menu",
  keywords: { promo: "sales" },
  words: { atendente: "human" },
  apology: null,
  fallback_template: null,
  messages_per_second: 200,
  waba_id: "77",
  mark_read: true,
  typing: true,
  coexists: false,
  marketing_messages: false,
  stopped_reason: null,
  stopped_at: null,
  resuming: false,
} as PhoneNumber;
export const FLOWS = [FLOW, { flow_id: "sales", name: "Vendas", published_version: null }];
export const ORGANIZATION = {
  messages_per_minute: null,
  timezone: "America/Sao_Paulo",
  language: "pt_BR",
  constants: {},
};

const FILES = [
  ["file-2", "contrato.pdf", "application/pdf"],
  ["file-1", "cardápio.png", "image/png"],
].map(([id, filename, mime_type]) => ({
  id,
  filename,
  mime_type,
  size: 2_500,
  created_at: "2026-11-01T00:00:00Z",
  expires_at: null,
}));

/** Open a page of the settings. `sent` gives the bodies of the requests of a kind, `headers` their headers. */
export function open(page: string, changed: Record<string, unknown> = {}) {
  const { sent, ...shown } = visit("/settings", routes, `/${page}`, {
    "GET /api/v1/numbers": [NUMBER],
    "GET /api/v1/flows": FLOWS,
    "GET /api/v1/organization": ORGANIZATION,
    "GET /api/v1/timetables": { timetables: {} },
    "GET /api/v1/media": FILES,
    "GET /api/v1/media/file-1": { url: "https://bucket.example/1", mime_type: "image/png" },
    "GET /api/v1/secrets": [{ name: "crm", hosts: ["crm.example.com"] }],
    ...changed,
  });
  return {
    ...shown,
    sent: (key: string) => sent(key).map(({ body }) => body),
    headers: (key: string) => sent(key).map(({ headers }) => headers),
  };
}
