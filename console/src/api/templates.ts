import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, gotPages } from "./client.ts";

export type MessageTemplate = components["schemas"]["TemplateResponse"];
type Json = Record<string, unknown>;

const PAGE = 100;
const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;
const FILES: Record<string, string> = { IMAGE: "image", VIDEO: "video", DOCUMENT: "document" };
const PARTS = new Set(["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"]);

/** A text, or what Meta takes: a file, a place, the end of an offer, the form or the products of a button. */
export type TemplateValue = string | Json;
export type TemplateValues = Readonly<Record<string, TemplateValue>>;

/** One value that a template needs before it can be sent. */
export interface TemplateField {
  /** Unique in the template, such as `body.1` or `card.0.header`. */
  key: string;
  place: "header" | "body" | "button" | "limited_time_offer";
  /** The variable's name, or the text of the button. */
  name: string;
  /** The type of its parameter: `text`, a file, `location`, `coupon_code`, `payload`, `limited_time_offer` or `action`. */
  kind: string;
  /** What an `action` is of: a form, or several products. */
  action?: "flow" | "mpm";
  /** The place of the button. */
  index?: number;
  /** The place of the card in a carousel. */
  card?: number;
  /** It can be left out: what a quick reply answers with. */
  optional?: boolean;
}

/** The approved templates of the organization's accounts, as the server has copied them. */
export function templatesQuery() {
  return queryOptions({
    queryKey: ["templates", "APPROVED"],
    queryFn: ({ signal }) =>
      gotPages((cursor) => {
        const query = { status: "APPROVED", limit: PAGE, cursor };
        return api.GET("/api/v1/templates", { params: { query }, signal });
      }),
    staleTime: 60_000,
  });
}

/** A template's name and language in one text, for lists. */
export function templateId({ waba_id, name, language }: MessageTemplate): string {
  return `${waba_id}/${name}/${language}`;
}

/** The text of a part, such as `BODY`; empty if the template has none. */
export function textOf(template: MessageTemplate, type: string): string {
  const text = partOf(template, type)?.["text"];
  return typeof text === "string" ? text : "";
}

/** Whether a template is the one of this name and language; Meta writes `en-US` and `en_US`. */
export function sameTemplate(name: string, language: string): (template: MessageTemplate) => boolean {
  return (one) => one.name === name && one.language === language.replaceAll("-", "_");
}

/** A template as far as a message tells that was written for it: of one that no account's copy has. */
export function guessed(name: string, sent: readonly Json[]): MessageTemplate {
  const components: Json[] = [];
  const buttons: Json[] = [];
  for (const part of sent) {
    const type = typeOf(part);
    const parameters = listed(part["parameters"]);
    const kind = String(parameters[0]?.["type"] ?? "text");
    const names = parameters.map((one, at) => `{{${String(one["parameter_name"] ?? at + 1)}}}`);
    if (type === "BODY") components.push({ type, text: names.join(" ") });
    else if (type === "HEADER")
      components.push(
        kind === "text" ? { type, text: names.join(" ") } : { type, format: kind.toUpperCase() },
      );
    else if (type === "LIMITED_TIME_OFFER")
      components.push({ type, limited_time_offer: { has_expiration: true } });
    else if (type === "CAROUSEL")
      components.push({
        type,
        cards: listed(part["cards"]).map((card) => guessed(name, listed(card["components"]))),
      });
    else if (type === "BUTTON") {
      const index = Number(part["index"]);
      const sub = String(part["sub_type"] ?? "").toUpperCase();
      for (let at = buttons.length; at <= index; at++) buttons.push({ type: "", text: String(at + 1) });
      buttons[index] = { type: sub, text: String(index + 1), ...(sub === "URL" ? { url: "{{1}}" } : {}) };
    }
  }
  const named = sent.some((part) => listed(part["parameters"]).some((one) => one["parameter_name"]));
  return {
    name,
    parameter_format: named ? "NAMED" : "POSITIONAL",
    components: [...components, ...(buttons.length > 0 ? [{ type: "BUTTONS", buttons }] : [])],
  } as MessageTemplate;
}

/** The texts of the buttons. */
export function buttonsOf(template: MessageTemplate): string[] {
  return buttonParts(template).map(({ text }) => String(text ?? ""));
}

/** The cards of a carousel, each like a template of its own. */
export function cardsOf(template: MessageTemplate): MessageTemplate[] {
  const cards = listed(partOf(template, "CAROUSEL")?.["cards"]);
  return cards.map((card) => ({ ...template, components: listed(card["components"]) }));
}

/**
 * The values that a template needs, in the order in which a person reads it. Undefined: it has parts that a form cannot fill,
 * such as an order, or its parts are not known.
 */
export function fieldsOf(template: MessageTemplate): TemplateField[] | undefined {
  if (!template.components?.every((part) => PARTS.has(typeOf(part)))) return undefined;
  const found = [
    headerFields(template),
    textFields("body", template),
    offerFields(template),
    ...buttonParts(template).map(buttonFields),
    ...cardsOf(template).map((card, at) =>
      fieldsOf(card)?.map((field) => ({ ...field, key: `card.${at}.${field.key}`, card: at })),
    ),
  ];
  return found.every((fields) => fields !== undefined) ? found.flat() : undefined;
}

function headerFields(template: MessageTemplate): TemplateField[] | undefined {
  const header = partOf(template, "HEADER");
  const format = String(header?.["format"] ?? "TEXT").toUpperCase();
  if (!header || format === "TEXT") return textFields("header", template);
  const kind = format === "LOCATION" ? "location" : FILES[format];
  return kind ? [{ key: "header", place: "header", name: kind, kind }] : undefined;
}

/** An offer with an end needs the time of it. */
function offerFields(template: MessageTemplate): TemplateField[] {
  const place = "limited_time_offer";
  const offer = partOf(template, "LIMITED_TIME_OFFER")?.[place] as Json | undefined;
  return offer?.["has_expiration"]
    ? [{ key: "offer", place, name: String(offer["text"] ?? ""), kind: place }]
    : [];
}

/** The variables of a part. Meta writes the text of a login code itself; its value is the code. */
function namesOf(place: "header" | "body", template: MessageTemplate): string[] {
  const part = partOf(template, place.toUpperCase());
  const isCode = place === "body" && template.category === "AUTHENTICATION" && part && !part["text"];
  return isCode ? ["1"] : variablesOf(textOf(template, place.toUpperCase()));
}

function textFields(place: "header" | "body", template: MessageTemplate): TemplateField[] {
  return namesOf(place, template).map((name) => ({ key: `${place}.${name}`, place, name, kind: "text" }));
}

function buttonFields(button: Json, index: number): TemplateField[] | undefined {
  const type = typeOf(button);
  const field = (kind: string, more: Partial<TemplateField> = {}): TemplateField[] => [
    { key: `button.${index}`, place: "button", name: String(button["text"] ?? ""), kind, index, ...more },
  ];
  if (type === "COPY_CODE") return field("coupon_code");
  if (type === "QUICK_REPLY") return field("payload", { optional: true });
  if (type === "OTP") return field("text");
  if (type === "URL") return variablesOf(String(button["url"] ?? "")).length ? field("text") : [];
  if (type === "FLOW") return field("action", { action: "flow", optional: true });
  if (type === "MPM") return field("action", { action: "mpm" });
  return type === "ORDER_DETAILS" ? undefined : [];
}

const SUB_TYPES: Record<string, string> = {
  text: "url",
  coupon_code: "copy_code",
  payload: "quick_reply",
};

/** The part of a message that a field belongs to. */
function componentOf({ place, kind, action, index }: TemplateField): Json {
  return place === "button"
    ? { type: place, sub_type: action ?? SUB_TYPES[kind], index: String(index) }
    : { type: place };
}

function isOf(component: Json, field: TemplateField): boolean {
  const of = componentOf(field);
  return component["type"] === of["type"] && String(component["index"]) === String(of["index"]);
}

/**
 * The `components` of a message with these values, as the API and Meta take them. What `sent` has besides, such as a price in the
 * place of a text, stays.
 */
export function componentsOf(
  template: MessageTemplate,
  values: TemplateValues,
  sent: readonly Json[] = [],
): Json[] {
  const fields = (fieldsOf(template) ?? []).filter(({ card }) => card === undefined);
  const named = template.parameter_format === "NAMED";
  const written: Json[] = [];
  for (const field of fields) {
    const { key, kind, name, place, optional } = field;
    if (optional && !Object.keys(values[key] ?? {}).length) continue; // no text, or nothing in it
    const before = parameterOf(template, sent, field)?.parameter;
    const label = named && kind === "text" && place !== "button" ? { parameter_name: name } : {};
    const isOther = values[key] === undefined && before && before["type"] !== kind;
    const parameter = isOther
      ? before
      : { type: kind, [kind]: values[key] ?? (isText(kind) ? "" : {}), ...label };
    const known = written.find((one) => isOf(one, field));
    if (known) (known["parameters"] as Json[]).push(parameter);
    else written.push({ ...componentOf(field), parameters: [parameter] });
  }
  const others = sent.filter((one) => one["type"] === "button" && !fields.some((field) => isOf(one, field)));
  const before = listed(sent.find(({ type }) => type === "carousel")?.["cards"]);
  const cards = cardsOf(template).map((card, at) => ({
    card_index: at,
    components: componentsOf(card, ofCard(values, at), listed(before[at]?.["components"])),
  }));
  return [...written, ...others, ...(cards.length > 0 ? [{ type: "carousel", cards }] : [])];
}

/** The values of one card, by the keys that they have in it. */
export function ofCard(values: TemplateValues, at: number): TemplateValues {
  const prefix = `card.${at}.`;
  const own = Object.entries(values).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** The parameter of a field in the components of a message, and its path in them. */
export function parameterOf(
  template: MessageTemplate,
  sent: readonly Json[],
  field: TemplateField,
): { path: string; parameter: Json } | undefined {
  if (field.card !== undefined) {
    const at = sent.findIndex((one) => one["type"] === "carousel");
    const inner = listed(listed(sent[at]?.["cards"])[field.card]?.["components"]);
    const { card, ...own } = field;
    const found = parameterOf(cardsOf(template)[card!]!, inner, own);
    return found && { ...found, path: `[${at}].cards[${card}].components${found.path}` };
  }
  const at = sent.findIndex((one) => isOf(one, field));
  const parameters = listed(sent[at]?.["parameters"]);
  const named = parameters.findIndex((one) => one["parameter_name"] === field.name);
  const isOne = field.kind !== "text" || field.place === "button";
  const order = isOne ? 0 : namesOf(field.place as "body", template).indexOf(field.name);
  const place = named < 0 ? order : named;
  const parameter = parameters[place];
  return parameter && { path: `[${at}].parameters[${place}]`, parameter };
}

/** The values in the components of a message: the opposite of `componentsOf`. */
export function valuesOf(template: MessageTemplate, sent: readonly Json[]): Record<string, TemplateValue> {
  const found = (fieldsOf(template) ?? []).map((field) => {
    const value = parameterOf(template, sent, field)?.parameter[field.kind];
    return [field.key, value] as const;
  });
  return Object.fromEntries(found.filter((one): one is [string, TemplateValue] => !!one[1]));
}

/** Whether a parameter of this kind is written, and neither a file nor a place. */
export function isText(kind: string): boolean {
  return kind in SUB_TYPES;
}

/** Whether all values of a template are there. */
export function isFilled(template: MessageTemplate, values: TemplateValues): boolean {
  return (fieldsOf(template) ?? []).every(({ key, kind, optional }) => {
    const value = values[key] ?? "";
    if (optional) return true;
    if (typeof value === "string") return value.trim() !== "";
    if (kind === "action")
      return !!value["thumbnail_product_retailer_id"] && sectionsOf(value).every(isSection);
    const needed = NEEDED[kind];
    return needed ? needed.every((name) => value[name]) : ["link", "id"].some((name) => value[name]);
  });
}

const NEEDED: Record<string, readonly string[]> = {
  location: ["latitude", "longitude"],
  limited_time_offer: ["expiration_time_ms"],
};

/** A heading, and the codes of the products below it. */
export interface ProductSection {
  title: string;
  products: string[];
}

/** The sections with products of a button, at least one. */
export function sectionsOf(action: Json): ProductSection[] {
  const known = listed(action["sections"]).map((section) => ({
    title: String(section["title"] ?? ""),
    products: listed(section["product_items"]).map((item) => String(item["product_retailer_id"])),
  }));
  return known.length ? known : [{ title: "", products: [] }];
}

function isSection({ title, products }: ProductSection): boolean {
  return title.trim() !== "" && products.length > 0;
}

/** The sections as Meta takes them. */
export function sentSections(sections: readonly ProductSection[]): Json[] {
  return sections.map(({ title, products }) => ({
    title,
    product_items: products.map((product_retailer_id) => ({ product_retailer_id })),
  }));
}

/** A text of the template with the values that are known. */
export function filled(text: string, place: string, values: TemplateValues): string {
  return text.replaceAll(VARIABLE, (whole, name: string) => String(values[`${place}.${name}`] || whole));
}

function listed(value: unknown): Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}

function typeOf(part: Json): string {
  return String(part["type"] ?? "").toUpperCase();
}

function partOf({ components: known }: MessageTemplate, type: string): Json | undefined {
  return known?.find((part) => typeOf(part) === type);
}

function buttonParts(template: MessageTemplate): Json[] {
  return listed(partOf(template, "BUTTONS")?.["buttons"]);
}

export function variablesOf(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([, name]) => name!))];
}
