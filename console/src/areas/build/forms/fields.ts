import type { NodeType } from "../../../flow/document.ts";

/** How a field of a node is filled in. */
export type Kind =
  | "line"
  | "text"
  | "variable"
  | "number"
  | "seconds"
  | "switch"
  | "on"
  | "value"
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
  | "parameters"
  | "method"
  | "priority"
  | "strings"
  | "object"
  | "json";

export interface Field {
  name: string;
  kind: Kind;
}

function fields(text: string): Field[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((part) => {
      const [name, kind] = part.split(":");
      return { name: name!, kind: (kind ?? "line") as Kind };
    });
}

/** The fields of each type: those that most people need, and further ones. A test compares them with the flow's schema. */
export const FORMS: Record<NodeType, { main: Field[]; more: Field[] }> = {
  start: { main: fields("greeting:text"), more: fields("parameters:parameters opened_by_template:switch") },
  message: {
    main: fields("text:text buttons:options media:media"),
    more: fields(
      "header footer list_button variable:variable cta_url:object location_request:switch contact_request:switch location:object contacts:json product:object products:json catalog:object carousel:json reaction:object reply_to",
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
  handoff: { main: fields("message:text department priority:priority note:text"), more: [] },
  action: { main: fields("actions:actions"), more: [] },
  api_call: {
    main: fields(
      "method:method url:text headers:pairs query_params:pairs body:json output_variable:variable",
    ),
    more: fields(
      "response_map:pairs status_variable:variable error_body_variable:variable timeout_seconds:number attempts:number run_as_body:switch",
    ),
  },
  ai_prompt: {
    main: fields("model prompt:text output_variable:variable"),
    more: fields("system:text temperature:number max_tokens:number memory:object fields:json"),
  },
  wait_event: { main: fields("name timeout_seconds:seconds output_variable:variable"), more: [] },
  delay: { main: fields("seconds:seconds"), more: [] },
  set_variable: { main: fields("variable:variable value:value"), more: [] },
  random: { main: fields("paths:paths sticky:on"), more: [] },
  template: { main: fields("name language"), more: fields("components:json category") },
  whatsapp_flow: {
    main: fields("flow_id cta text:text variable:variable"),
    more: fields("header footer screen data:json"),
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
  memory: fields("variable:variable turns:number"),
};

/** Fields that belong to an exit, or to a part that shows several fields at once. */
export const ELSEWHERE = new Set(["variable", "operator", "value", "keep_as"]);

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

export const ACTIONS = {
  set_variable: fields("variable:variable value:value"),
  add: fields("variable:variable by:value"),
  append: fields("variable:variable value:value most:number"),
  save_contact: fields("field value:value"),
  add_tag: fields("tag"),
  remove_tag: fields("tag"),
  set_language: fields("language"),
  label: fields("label"),
  emit_event: fields("name data:json"),
  set_consent: fields("purpose state source"),
  send_email: fields("to subject text:text outcome_variable:variable"),
  start_flow: fields("to flow_id:flow parameters:pairs outcome_variable:variable"),
} as const satisfies Record<string, Field[]>;
