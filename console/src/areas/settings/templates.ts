import { queryOptions } from "@tanstack/react-query";
import { api, got, gotPages } from "../../api/client.ts";
import { variablesOf } from "../../api/templates.ts";
import type { components } from "../../generated/api.ts";

type Schemas = components["schemas"];
type Json = Record<string, unknown>;
export const CATEGORIES = ["UTILITY", "MARKETING", "AUTHENTICATION"] as const;
export const WRITTEN = ["UTILITY", "MARKETING"] as const; // Meta writes the text of the others itself
const PAGE = 100;

/** All templates of the organization's accounts, whatever Meta says of them. */
export function allTemplatesQuery() {
  return queryOptions({
    queryKey: ["templates", "all"],
    queryFn: ({ signal }) =>
      gotPages((cursor) =>
        api.GET("/api/v1/templates", { params: { query: { limit: PAGE, cursor } }, signal }),
      ),
  });
}

/** Copy the templates of these numbers' accounts from Meta. */
export async function syncTemplates(numbers: readonly string[]): Promise<void> {
  for (const phone_number_id of numbers) {
    // One after the other: Meta limits how often an account is asked.
    // oxlint-disable-next-line no-await-in-loop
    await got(api.POST("/api/v1/templates/sync", { body: { phone_number_id } }));
  }
}

export interface NewTemplate {
  phone_number_id: string;
  name: string;
  language: string;
  category: Schemas["NewTemplate"]["category"];
  header: string;
  body: string;
  footer: string;
  buttons: string[];
  /** An example of each variable, by its part and name: `body.1`. */
  examples: Readonly<Record<string, string>>;
}

/** The variables that need an example. */
export function examplesOf({ header, body }: Pick<NewTemplate, "header" | "body">): string[] {
  const texts = { header, body };
  return (["header", "body"] as const).flatMap((part) =>
    variablesOf(texts[part]).map((name) => `${part}.${name}`),
  );
}

/** The parts as Meta takes them. */
export function partsOf({ header, body, footer, buttons, examples }: NewTemplate): Json[] {
  const example = (part: string, text: string) =>
    variablesOf(text).map((name) => examples[`${part}.${name}`] ?? "");
  const [ofHeader, ofBody] = [example("header", header), example("body", body)];
  const parts: Json[] = [];
  if (header)
    parts.push({
      type: "HEADER",
      format: "TEXT",
      text: header,
      ...(ofHeader.length > 0 && { example: { header_text: ofHeader } }),
    });
  parts.push({ type: "BODY", text: body, ...(ofBody.length > 0 && { example: { body_text: [ofBody] } }) });
  if (footer) parts.push({ type: "FOOTER", text: footer });
  if (buttons.length > 0)
    parts.push({ type: "BUTTONS", buttons: buttons.map((text) => ({ type: "QUICK_REPLY", text })) });
  return parts;
}

export function createTemplate(template: NewTemplate) {
  const { phone_number_id, name, language, category } = template;
  const body = { phone_number_id, name, language, category, components: partsOf(template) };
  return got(api.POST("/api/v1/templates", { body: { ...body, parameter_format: "POSITIONAL" } }));
}

/** Delete a template in one language. */
export function deleteTemplate(template_name: string, language: string, phone_number_id: string) {
  const params = { path: { template_name }, query: { language, phone_number_id } };
  return got(api.DELETE("/api/v1/templates/{template_name}", { params }));
}
