import type { FileKind } from "../../../api/files.ts";
import type { Data, NodeType } from "../../../flow/document.ts";

/** How a field of a node is filled in. */
export type Kind =
  | "line"
  | "text"
  | "variable"
  | "number"
  | "seconds"
  | "switch"
  | "on"
  | "any"
  | "group"
  | "flow"
  | "hours"
  | "media"
  | "options"
  | "validation"
  | "comparison"
  | "branches"
  | "pairs"
  | "actions"
  | "paths"
  | "strings"
  | "choices"
  | "choice"
  | "types"
  | "object"
  | "part"
  | "list"
  | "cards"
  | "template";

export interface Field {
  name: string;
  kind: Kind;
  /** What the field is called, if another field of the same name is called otherwise. */
  word?: string;
  /** The types of files that fit. */
  types?: readonly FileKind[];
}

function fields(text: string): Field[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((part) => {
      const [name, kind, word] = part.split(":");
      return { name: name!, kind: (kind || "line") as Kind, ...(word ? { word } : {}) };
    });
}

/** The fields of each type: those that most people need, and further ones. A test compares them with the flow's schema. */
export const FORMS: Record<NodeType, { main: Field[]; more: Field[] }> = {
  start: { main: fields("greeting:text"), more: fields("parameters:list opened_by_template:switch") },
  message: {
    main: fields("text:text buttons:options media:media"),
    more: fields(
      "header footer list_button variable:variable cta_url:object location_request:switch contact_request:switch location:object contacts:list product:object products:object catalog:object carousel:cards reaction:object reply_to",
    ),
  },
  question: {
    main: fields("question:text variable:variable validation:validation buttons:options"),
    more: fields(
      "media:media header footer list_button max_attempts:number timeout_seconds:seconds options_from:object multiple:object reactions:pairs",
    ),
  },
  condition: { main: fields("comparison:comparison branches:branches"), more: [] },
  schedule: { main: fields("hours:hours"), more: fields("timezone holidays:strings") },
  jump: {
    main: fields("target_flow_id:flow return_to_parent:on pass_variables:on"),
    more: fields("target_node_id timeout_seconds:seconds outcome_variable:variable"),
  },
  end: { main: fields("message:text"), more: fields("trigger_handoff:switch") },
  handoff: { main: fields("message:text department priority:choice note:text"), more: [] },
  action: { main: fields("actions:actions"), more: [] },
  api_call: {
    main: fields("method:choice url:text headers:pairs query_params:pairs body:any output_variable:variable"),
    more: fields(
      "response_map:pairs status_variable:variable error_body_variable:variable timeout_seconds:number attempts:number run_as_body:switch",
    ),
  },
  ai_prompt: {
    main: fields("model prompt:text output_variable:variable"),
    more: fields("system:text temperature:number max_tokens:number memory:object fields:types"),
  },
  wait_event: { main: fields("name timeout_seconds:seconds output_variable:variable"), more: [] },
  delay: { main: fields("seconds:seconds"), more: [] },
  set_variable: { main: fields("variable:variable value:any"), more: [] },
  random: { main: fields("paths:paths sticky:on"), more: [] },
  template: { main: fields("components:template"), more: fields("category:choice") },
  whatsapp_flow: {
    main: fields("flow_id cta text:text variable:variable"),
    more: fields("header footer screen data:group"),
  },
};

/** The fields of what is one part of a node. A test compares them with the flow's schema. */
export const OBJECTS: Partial<Record<string, Field[]>> = {
  cta_url: fields("label url"),
  location: fields("latitude longitude name address"),
  product: fields("catalog_id product_retailer_id"),
  catalog: fields("thumbnail"),
  reaction: fields("emoji message_id"),
  options_from: fields("list:variable label value description section item_variable:variable"),
  multiple: fields("least:number most:number done_label"),
  products: fields("catalog_id sections:list"),

  memory: fields("variable:variable turns:number"),
};

/** The fields of an entry of a list, and what a new entry is. */
export const LISTS: Partial<Record<string, { fields: Field[]; fresh: Data }>> = {
  contacts: { fields: fields("name organization phones:strings emails:strings urls:strings"), fresh: {} },
  sections: { fields: fields("title product_retailer_ids:strings"), fresh: {} },
  parameters: { fields: fields("name required:switch default:any"), fresh: { name: "" } },
  buttons: { fields: fields("label value"), fresh: { label: "" } }, // of a card
};

const PICTURE: Field = { name: "media", kind: "media", types: ["image", "video"] };

/** What a card of a carousel shows: all cards of one are alike. */
export const CARDS = {
  cta_url: [PICTURE, ...fields("text:text cta_url:part")],
  buttons: [PICTURE, ...fields("text:text buttons:list")],
  product: fields("product:part"),
} as const;

/** The values that can be chosen; `usual` is the one that a node without any has. */
export const CHOICES: Partial<Record<string, { values: readonly string[]; usual?: string }>> = {
  method: { values: ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"], usual: "GET" },
  priority: { values: ["low", "normal", "high", "urgent"] },
  category: { values: ["utility", "marketing", "authentication"] },
  purpose: { values: ["utility", "marketing"] },
  state: { values: ["granted", "withdrawn"] },
};

export const OPERATORS = [
  "==",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "contains",
  "not_contains",
  "starts_with",
  "ends_with",
  "matches",
  "in",
  "not_in",
  "is_empty",
  "is_not_empty",
  "has_words",
  "has_number",
  "has_phone",
  "has_email",
  "has_date",
] as const;
export const WITHOUT_VALUE: ReadonlySet<string> = new Set([
  "is_empty",
  "is_not_empty",
  "has_number",
  "has_phone",
  "has_email",
  "has_date",
]);

/** The operators whose finding can be kept in a variable. */
export const KEEPING: ReadonlySet<string> = new Set([
  "has_words",
  "has_number",
  "has_phone",
  "has_email",
  "has_date",
]);

export const ACTIONS = {
  set_variable: fields("variable:variable value:any"),
  add: fields("variable:variable by"),
  append: fields("variable:variable value:any most:number"),
  save_contact: fields("field value:any fields:group:contact_fields"),
  add_tag: fields("tag"),
  remove_tag: fields("tag"),
  set_language: fields("language"),
  label: fields("label"),
  emit_event: fields("name data:group:event_data"),
  set_consent: fields("purpose:choice state:choice source"),
  send_email: fields("to subject text:text outcome_variable:variable"),
  start_flow: fields("to flow_id:flow parameters:group:start_parameters outcome_variable:variable"),
} as const satisfies Record<string, Field[]>;
