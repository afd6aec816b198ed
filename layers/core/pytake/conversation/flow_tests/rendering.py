"""Messages as a person reads them."""

from pytake.whatsapp.outbound import (
    Card,
    Carousel,
    Catalog,
    ContactCards,
    ContactRequest,
    CtaUrl,
    FlowForm,
    Location,
    LocationRequest,
    Media,
    MediaHeader,
    OptionList,
    OutboundMessage,
    Product,
    ProductList,
    Reaction,
    ReplyButtons,
    Template,
    Text,
)


def render_message(message: OutboundMessage) -> str:
    """The message as one text: header, body and footer as paragraphs, then the options in square brackets."""
    match message:
        case Text():
            return message.text
        case ReplyButtons(text, buttons, header, footer):
            return _paragraphs(_header(header), text, footer, _options(*(button.title for button in buttons)))
        case OptionList(text, _, rows, header, footer):
            return _paragraphs(_header(header), text, footer, _options(*(row.title for row in rows)))
        case CtaUrl(text, label, url, header, footer):
            return _paragraphs(_header(header), text, footer, f"[{label}]({url})")
        case LocationRequest(text):
            return _paragraphs(text, "[location]")
        case ContactRequest(text):
            return _paragraphs(text, "[phone number]")
        case FlowForm():
            return _paragraphs(_header(message.header), message.text, message.footer, _options(message.cta))
        case Media():
            return _paragraphs(f"({message.media} {message.link or message.id})", message.caption)
        case Template():
            return f"(template {message.name} {message.language})"
        case Reaction():
            return f"(reaction {message.emoji or 'removed'})"
        case Location():
            return f"(location {message.latitude},{message.longitude} {message.name or ''})".replace(" )", ")")
        case ContactCards():
            return f"(contacts {', '.join(card.name for card in message.cards)})"
        case Product():
            return _paragraphs(message.text, f"(product {message.product_retailer_id})", message.footer)
        case ProductList():
            ids = [id_ for section in message.sections for id_ in section.product_retailer_ids]
            return _paragraphs(message.header, message.text, f"(products {', '.join(ids)})", message.footer)
        case Catalog():
            return _paragraphs(message.text, "(catalog)", message.footer)
        case Carousel():
            return _paragraphs(message.text, *map(_card, message.cards))


def _card(card: Card) -> str:
    if card.product_retailer_id is not None:
        return f"(product {card.product_retailer_id})"
    link = f"[{card.label}]({card.url})" if card.url is not None else None
    buttons = _options(*(button.title for button in card.buttons))
    return "\n".join(part for part in (_header(card.header), card.text, link, buttons) if part)


def _options(*labels: str) -> str:
    return " ".join(f"[{label}]" for label in labels)


def _header(header: str | MediaHeader | None) -> str | None:
    return f"({header.media} {header.link or header.id})" if isinstance(header, MediaHeader) else header


def _paragraphs(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)
