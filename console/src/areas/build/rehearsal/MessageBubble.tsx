import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { components } from "../../../generated/api.ts";
import { later } from "../../../ui/later.tsx";
import type { Kind } from "./answers.ts";
import { Bubble } from "./Bubble.tsx";

type Schemas = components["schemas"];
export type Content = Schemas["MessageContent"];

/** What the button of a message asks for. */
const ASKED_FOR: Partial<Record<Content["type"], Kind>> = {
  location_request: "location",
  contact_request: "contacts",
  whatsapp_flow: "form",
};

/** The button that WhatsApp itself writes below a message. */
const OPENS = { product: "product", product_list: "products", catalog: "catalog" } as const;

const TemplateBubble = later(async () => (await import("./TemplateBubble.tsx")).TemplateBubble);

interface MessageBubbleProps {
  content: Content;
  /** Without them the message is only looked at. */
  onReply?: (id: string, title: string) => void;
  onGive?: (kind: Kind) => void;
}

/** A message of the bot as a phone shows it. */
export function MessageBubble({ content, onReply, onGive }: MessageBubbleProps) {
  const { t } = useTranslation("build");
  const { type } = content;
  const asked = ASKED_FOR[type];
  if (type === "template") return <TemplateBubble {...content} />;
  if (type === "carousel") return <Carousel content={content} onReply={onReply} />;
  const choices = [...(content.buttons ?? []), ...(content.rows ?? [])];
  const header = content.header;
  const file = content.media ? content : typeof header === "object" ? header : undefined;
  const written = [content.label, content.cta].filter((one): one is string => !!one);
  const opens = type in OPENS ? [t(`bubble.${OPENS[type as "product"]}`)] : written;
  const options = choices.length
    ? choices.map(({ title }) => title)
    : asked
      ? [content.cta ?? t(`give.${asked}`)]
      : opens;
  const answer = choices.length
    ? onReply && ((index: number) => onReply(choices[index]!.id, choices[index]!.title))
    : asked && onGive && (() => onGive(asked));
  return (
    <Bubble
      from="bot"
      text={content.text ?? content.caption ?? content.emoji ?? content.filename ?? ""}
      header={typeof header === "string" ? header : undefined}
      footer={content.footer ?? undefined}
      media={file ? mediaOf(file) : undefined}
      options={options}
      onOption={answer}
    >
      <Held content={content} />
    </Bubble>
  );
}

function mediaOf({ media, link, id }: Pick<Content, "media" | "link" | "id">) {
  return { type: media!, link: link ?? undefined, id: id ?? undefined };
}

/** What a message holds besides its text: contacts, a place, products. */
function Held({ content }: { content: Content }) {
  switch (content.type) {
    case "contacts":
      return (content.cards ?? []).map(({ name, organization, phones, emails, urls }, index) => (
        <Detail
          key={index}
          title={name}
          lines={[organization, ...(phones ?? []), ...(emails ?? []), ...(urls ?? [])]}
        />
      ));
    case "location":
      return (
        <Detail
          title={content.name}
          lines={[content.address, content.name ? "" : `${content.latitude}, ${content.longitude}`]}
        />
      );
    case "product":
      return <Detail title={content.product_retailer_id} />;
    case "product_list":
      return (content.sections ?? []).map(({ title, product_retailer_ids }, index) => (
        <Detail key={index} title={title} lines={product_retailer_ids} />
      ));
    case "catalog":
      return content.thumbnail && <Detail title={content.thumbnail} />;
    default:
      return null;
  }
}

interface DetailProps {
  title: string | null | undefined;
  lines?: readonly (string | null | undefined)[] | undefined;
}

function Detail({ title, lines }: DetailProps) {
  return (
    <div className="build-bubble-detail">
      <strong>{title || "…"}</strong>
      {lines?.map((line, index) => line && <span key={index}>{line}</span>)}
    </div>
  );
}

function Carousel({ content, onReply }: MessageBubbleProps) {
  return (
    <>
      <Bubble from="bot" text={content.text ?? ""} />
      <Cards>
        {(content.cards ?? []).map(({ header, text, label, buttons, product_retailer_id }, index) => (
          <Bubble
            key={index}
            from="bot"
            text={text ?? ""}
            media={header ? mediaOf(header) : undefined}
            options={buttons?.length ? buttons.map(({ title }) => title) : label ? [label] : []}
            onOption={
              onReply && buttons?.length ? (at) => onReply(buttons[at]!.id, buttons[at]!.title) : undefined
            }
          >
            {product_retailer_id && <Detail title={product_retailer_id} />}
          </Bubble>
        ))}
      </Cards>
    </>
  );
}

/** Cards that people scroll sideways. */
export function Cards({ children }: { children: ReactNode }) {
  const { t } = useTranslation("build");
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- people scroll it by keyboard
    <div className="build-bubble-cards" role="group" aria-label={t("form.cards")} tabIndex={0}>
      {children}
    </div>
  );
}
