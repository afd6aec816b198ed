import { useTranslation } from "react-i18next";
import { valueAt, type Data, type FlowNode } from "../../../flow/document.ts";
import { MessageBubble, type Content } from "../rehearsal/MessageBubble.tsx";
import { items } from "./parts.tsx";

/** How what a node says looks in WhatsApp. */
export function Preview({ node }: { node: FlowNode }) {
  const { t } = useTranslation("build");
  const contents = contentsOf(node);
  if (!contents.length) return null;
  return (
    <figure className="build-preview" aria-label={t("form.preview")}>
      {contents.map((content, index) => (
        <MessageBubble key={index} content={content} />
      ))}
    </figure>
  );
}

/** What a node sends, as it is written: values of variables are still their names. */
export function contentsOf({ type, data }: FlowNode): Content[] {
  if (type === "template")
    return data["name"]
      ? [{ ...(data as Partial<Content>), type, ...(data["components"] ? {} : { components: [] }) }]
      : [];
  if (type === "whatsapp_flow") return data["cta"] ? [{ ...(data as Partial<Content>), type }] : [];
  if (type !== "message" && type !== "question") return [];
  const text = String(data["text"] ?? data["question"] ?? "");
  const frame = { text, header: words(data["header"]), footer: words(data["footer"]) };
  const said: Content[] = text ? [{ type: "text", text }] : [];
  const part = (name: string) => data[name] as Data | undefined;
  const media = part("media");
  const file = media ? [{ ...media, media: media["type"], type: "media" } as Content] : [];
  if (Array.isArray(data["carousel"]))
    return [...file, { type: "carousel", text, cards: items(data["carousel"]).map(cardOf) }];
  if (part("products")) {
    const sections = items(part("products")!["sections"]).map(sectionOf);
    return [...file, { type: "product_list", ...frame, sections }];
  }
  if (part("product")) return [...file, { ...part("product"), type: "product", ...frame }];
  if (part("catalog")) return [...file, { ...part("catalog"), type: "catalog", ...frame }];
  if (part("cta_url"))
    return [{ ...part("cta_url"), type: "cta_url", ...frame, ...headed(media, frame.header) }];
  if (Array.isArray(data["contacts"]))
    return [...said, { type: "contacts", cards: data["contacts"] as NonNullable<Content["cards"]> }];
  if (part("location")) return [...said, { ...(part("location") as Partial<Content>), type: "location" }];
  if (data["location_request"]) return [{ type: "location_request", text }];
  if (data["contact_request"]) return [{ type: "contact_request", text }];
  const reaction = part("reaction");
  const reacting: Content[] = reaction ? [{ type: "reaction", emoji: words(reaction["emoji"]) }] : [];
  const buttons = items(data["buttons"]).map(choiceOf);
  if (!text && !media && !buttons.length) return reacting;
  return [...reacting, { type: "buttons", ...frame, ...headed(media, frame.header), buttons }];
}

function words(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function headed(
  media: Data | undefined,
  header: string | null,
): Pick<Content, "header" | "media" | "link" | "id"> {
  return media ? { header, ...fileOf(media) } : { header };
}

function fileOf({ type, link, id }: Data) {
  return { media: type as "image", link: words(link), id: words(id) };
}

function choiceOf({ label, value }: Data) {
  return { id: String(value ?? label ?? ""), title: String(label ?? "") };
}

function sectionOf({ title, product_retailer_ids }: Data) {
  return { title: words(title), product_retailer_ids: (product_retailer_ids ?? []) as string[] };
}

function cardOf(card: Data) {
  const media = card["media"] as Data | undefined;
  return {
    text: words(card["text"]),
    header: media ? fileOf(media) : null,
    label: words(valueAt(card, "cta_url.label")),
    buttons: items(card["buttons"]).map(choiceOf),
    product_retailer_id: words(valueAt(card, "product.product_retailer_id")),
  };
}
