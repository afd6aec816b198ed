import type { components } from "../../../generated/api.ts";

type Schemas = components["schemas"];

/** What happens in a turn of a rehearsal. */
export type RehearsalInput = Partial<Schemas["RehearsalInput"]> & { type: Schemas["RehearsalInput"]["type"] };

export const MEDIA = ["image", "video", "audio", "document", "sticker"] as const;
type Media = (typeof MEDIA)[number];

/** What is not a text and not a tap: what a person sends, and the event of a program. */
export type Kind = Media | "reaction" | "location" | "contacts" | "order" | "form" | "event";

export interface Said {
  input: RehearsalInput;
  /** How the phone shows it. */
  said: string;
}

type Values = Readonly<Record<string, unknown>>;

const MIME_TYPES: Record<Media, string> = {
  image: "image/jpeg",
  video: "video/mp4",
  audio: "audio/ogg",
  document: "application/pdf",
  sticker: "image/webp",
};

/** Return what the engine reads when a person sends this, as it does when Meta reports it. */
export function inputOf(kind: Kind, values: Values, event: string): RehearsalInput {
  const given = (name: string) => String(values[name] ?? "").trim();
  const group = (name: string) => (values[name] ?? {}) as Record<string, never>;
  const some = (fields: Record<string, string>) =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
  switch (kind) {
    case "location": {
      const [latitude, longitude] = [Number(values["latitude"]), Number(values["longitude"])];
      const named = some({ name: given("place"), address: given("address") });
      return { type: "location", text: given("place"), location: { latitude, longitude, ...named } };
    }
    case "contacts": {
      const [name, phone] = [given("name"), given("phone")];
      const phones = [{ phone, wa_id: phone.replaceAll(/\D/g, ""), type: "CELL" }];
      return {
        type: "contacts",
        payload: [{ name: { formatted_name: name, first_name: name.split(" ")[0]! }, phones }],
      };
    }
    case "order": {
      const item = {
        product_retailer_id: given("product"),
        quantity: Number(values["quantity"]),
        item_price: Number(values["price"]),
        currency: given("currency"),
      };
      return { type: "order", payload: { catalog_id: "rehearsal", product_items: [item] } };
    }
    case "reaction":
      return { type: "reaction", text: given("emoji") };
    case "form":
      return { type: "form", response: group("response") };
    case "event":
      return { type: "event", text: event, payload: group("payload") };
    default: {
      const more = some({ caption: given("caption"), filename: given("filename") });
      const media = { id: "rehearsal", type: kind, mime_type: MIME_TYPES[kind], ...more };
      return { type: "media", text: given("caption"), media };
    }
  }
}

/** Return an input as a flow test writes it. `timer`: what ended the wait before it. */
export function testInputOf(
  { type, text = "", reply_id, media, location, response, payload }: RehearsalInput,
  timer: Schemas["RehearsalTimer"] | null | undefined,
): unknown {
  switch (type) {
    case "reply":
      return { reply_id, text };
    case "timer":
      return { type: timer?.kind ?? "timeout" };
    case "return":
      return { type: "handed_back" };
    case "reaction":
      return { reaction: text };
    case "media":
      return { media, text };
    case "location":
      return { location, text };
    case "form":
      return { response };
    case "contacts":
    case "order":
      return { type, payload };
    case "event":
      return { type, text, payload };
    default:
      return text;
  }
}
