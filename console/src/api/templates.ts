import { queryOptions } from "@tanstack/react-query";
import type { components } from "../generated/api.ts";
import { api, gotPages } from "./client.ts";
import { isLibraryFile, type FileKind } from "./files.ts";

export type MessageTemplate = components["schemas"]["TemplateResponse"];
type Json = Record<string, unknown>;

const PAGE = 100;
const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;
const FILES: Record<string, FileKind> = { IMAGE: "image", VIDEO: "video", DOCUMENT: "document" };

/** One value that a template needs before it can be sent. */
export interface TemplateField {
  /** Unique in the template, such as `body.1`. */
  key: string;
  place: "header" | "body" | "button";
  /** The variable's name, or the text of the button. */
  name: string;
  /** `text`, or the kind of file whose address is needed. */
  kind: "text" | FileKind;
  /** The place of the button. */
  index?: number;
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

/** The texts of the buttons. */
export function buttonsOf(template: MessageTemplate): string[] {
  return buttonParts(template).map(({ text }) => String(text ?? ""));
}

/**
 * The values that a template needs, in the order in which a person reads it. Undefined: it has parts that a form cannot fill,
 * such as a carousel, or its parts are not known.
 */
export function fieldsOf(template: MessageTemplate): TemplateField[] | undefined {
  const known = template.components;
  const types = new Set(["HEADER", "BODY", "FOOTER", "BUTTONS"]);
  if (!known || known.some((part) => !types.has(typeOf(part)))) return undefined;
  const fields: TemplateField[] = [];
  const header = partOf(template, "HEADER");
  const format = String(header?.["format"] ?? "TEXT").toUpperCase();
  if (header && format !== "TEXT") {
    const kind = FILES[format];
    if (!kind) return undefined;
    fields.push({ key: "header", place: "header", name: kind, kind });
  }
  for (const place of ["header", "body"] as const)
    for (const name of variablesOf(textOf(template, place.toUpperCase())))
      fields.push({ key: `${place}.${name}`, place, name, kind: "text" });
  for (const [index, button] of buttonParts(template).entries()) {
    const type = typeOf(button);
    if (type === "COPY_CODE" || type === "OTP" || type === "FLOW") return undefined;
    if (type === "URL" && variablesOf(String(button["url"] ?? "")).length > 0)
      fields.push({
        key: `button.${index}`,
        place: "button",
        name: String(button["text"]),
        kind: "text",
        index,
      });
  }
  return fields;
}

/** The `components` of a message with these values, as the API and Meta take them. */
export function componentsOf(template: MessageTemplate, values: Readonly<Record<string, string>>): Json[] {
  const fields = fieldsOf(template) ?? [];
  const named = template.parameter_format === "NAMED";
  const parameter = ({ key, kind, name }: TemplateField): Json => {
    const value = values[key] ?? "";
    if (kind !== "text")
      return { type: kind, [kind]: isLibraryFile(value) ? { id: value } : { link: value } };
    return { type: "text", text: value, ...(named ? { parameter_name: name } : {}) };
  };
  const sent: Json[] = [];
  for (const place of ["header", "body"] as const) {
    const parameters = fields.filter((field) => field.place === place).map(parameter);
    if (parameters.length > 0) sent.push({ type: place, parameters });
  }
  for (const { key, place, index } of fields)
    if (place === "button")
      sent.push({
        type: "button",
        sub_type: "url",
        index: String(index),
        parameters: [{ type: "text", text: values[key] ?? "" }],
      });
  return sent;
}

/** The values in the components of a message: the opposite of `componentsOf`. */
export function valuesOf(template: MessageTemplate, sent: readonly Json[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const { key, place, kind, name, index } of fieldsOf(template) ?? []) {
    const part = sent.find(
      (one) => one["type"] === place && (index === undefined || String(one["index"]) === String(index)),
    );
    const parameters = Array.isArray(part?.["parameters"]) ? (part["parameters"] as Json[]) : [];
    const names = variablesOf(textOf(template, place.toUpperCase()));
    const found =
      parameters.find((one) => one["parameter_name"] === name) ??
      parameters[kind === "text" && index === undefined ? names.indexOf(name) : 0];
    const file = found?.[kind] as Json | undefined;
    const value = kind === "text" ? found?.["text"] : (file?.["link"] ?? file?.["id"]);
    if (typeof value === "string") values[key] = value;
  }
  return values;
}

/** A text of the template with the values that are known. */
export function filled(text: string, place: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(VARIABLE, (whole, name: string) => values[`${place}.${name}`] || whole);
}

function typeOf(part: Json): string {
  return String(part["type"] ?? "").toUpperCase();
}

function partOf({ components: known }: MessageTemplate, type: string): Json | undefined {
  return known?.find((part) => typeOf(part) === type);
}

function buttonParts(template: MessageTemplate): Json[] {
  const buttons = partOf(template, "BUTTONS")?.["buttons"];
  return Array.isArray(buttons) ? (buttons as Json[]) : [];
}

export function variablesOf(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map(([, name]) => name!))];
}
