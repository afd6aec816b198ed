"""The JSON of `POST /{version}/{phone_number_id}/messages` for each kind of message.

Source: WhatsApp Cloud API reference, "Messages" (November 2026).
"""

import re
from typing import Any

from pytake.whatsapp import limits
from pytake.whatsapp.outbound import (
    Card,
    Carousel,
    Catalog,
    ContactCard,
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

Json = dict[str, Any]
_Interactive = (
    ReplyButtons
    | OptionList
    | CtaUrl
    | LocationRequest
    | ContactRequest
    | FlowForm
    | Product
    | ProductList
    | Catalog
    | Carousel
)


MARKETING_POLICY: Json = {"product_policy": "CLOUD_API_FALLBACK"}
"""What a marketing template has besides for `POST /{phone_number_id}/marketing_messages`: where Meta cannot optimise delivery,
it is sent as any other template. The endpoint takes nothing but marketing templates."""


def message_payload(message: OutboundMessage, to: str, callback_data: str) -> Json:
    """The request body that sends `message`.

    `to` is a contact id: the digits of a phone number, with or without `+`, or a business-scoped user id.
    Meta echoes `callback_data` in every status of the message, which settles a send whose answer was lost.

    Raises `ValueError` when `to` is empty or `callback_data` is longer than 512 characters.
    """
    if not to:
        raise ValueError("a message needs a recipient")
    if len(callback_data) > limits.CALLBACK_DATA:
        raise ValueError(
            f"callback data has {len(callback_data)} characters, Meta takes at most {limits.CALLBACK_DATA}"
        )
    kind, content = _content(message)
    payload: Json = {"messaging_product": "whatsapp", "recipient_type": "individual", **_recipient(to), "type": kind}
    payload[kind] = content
    quoted = None if isinstance(message, Template | Reaction) else message.reply_to
    if quoted:
        payload["context"] = {"message_id": quoted}
    if callback_data:
        payload["biz_opaque_callback_data"] = callback_data
    return payload


def read_receipt_payload(message_id: str, typing: bool = False) -> Json:
    """The request body that marks a received message as read. With `typing` it also shows the typing indicator.

    The typing indicator disappears with the next message, or after 25 seconds.
    """
    payload: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
    if typing:
        payload["typing_indicator"] = {"type": "text"}
    return payload


def _recipient(to: str) -> Json:
    digits = to.removeprefix("+")
    return {"to": f"+{digits}"} if digits.isascii() and digits.isdigit() else {"recipient": to}


def _content(message: OutboundMessage) -> tuple[str, Any]:
    match message:
        case Text():
            return "text", {"body": message.text, "preview_url": message.preview_url}
        case Media():
            return message.media, _media(message)
        case Template():
            template: Json = {"name": message.name, "language": {"code": message.language}}
            if message.components:
                template["components"] = message.components
            return "template", template
        case ReplyButtons():
            buttons = [{"type": "reply", "reply": {"id": b.id, "title": b.title}} for b in message.buttons]
            return _interactive("button", message, {"buttons": buttons})
        case OptionList():
            sections: dict[str | None, list[dict[str, Any]]] = {}
            for r in message.rows:
                row = _without_none(id=r.id, title=r.title, description=r.description)
                sections.setdefault(r.section, []).append(row)
            found = [_without_none(title=title, rows=rows) for title, rows in sections.items()]
            return _interactive("list", message, {"button": message.button, "sections": found})
        case CtaUrl():
            parameters: Json = {"display_text": message.label, "url": message.url}
            return _interactive("cta_url", message, {"name": "cta_url", "parameters": parameters})
        case LocationRequest():
            return _interactive("location_request_message", message, {"name": "send_location"})
        case ContactRequest():
            return _interactive("request_contact_info", message, {"name": "request_contact_info"})
        case FlowForm():
            return _interactive("flow", message, {"name": "flow", "parameters": _flow(message)})
        case Reaction():
            return "reaction", {"message_id": message.message_id, "emoji": message.emoji}
        case Location():
            return "location", _without_none(
                latitude=message.latitude, longitude=message.longitude, name=message.name, address=message.address
            )
        case ContactCards():
            return "contacts", [_contact_card(card) for card in message.cards]
        case Product() | ProductList() | Catalog() | Carousel():
            return _commerce(message)


def _commerce(message: Product | ProductList | Catalog | Carousel) -> tuple[str, Json]:
    match message:
        case Product():
            action: Json = {"catalog_id": message.catalog_id, "product_retailer_id": message.product_retailer_id}
            return _interactive("product", message, action)
        case ProductList():
            sections = [
                _without_none(
                    title=section.title,
                    product_items=[{"product_retailer_id": id_} for id_ in section.product_retailer_ids],
                )
                for section in message.sections
            ]
            return _interactive("product_list", message, {"catalog_id": message.catalog_id, "sections": sections})
        case Catalog():
            action = {"name": "catalog_message"}
            if message.thumbnail:
                action["parameters"] = {"thumbnail_product_retailer_id": message.thumbnail}
            return _interactive("catalog_message", message, action)
        case Carousel():
            cards = [{"card_index": index, **_card(card)} for index, card in enumerate(message.cards)]
            return _interactive("carousel", message, {"cards": cards})


def _interactive(kind: str, message: _Interactive, action: Json) -> tuple[str, Json]:
    interactive: Json = {"type": kind}
    header: str | MediaHeader | None = getattr(message, "header", None)
    footer: str | None = getattr(message, "footer", None)
    if header:
        interactive["header"] = _header(header)
    if message.text:
        interactive["body"] = {"text": message.text}
    if footer:
        interactive["footer"] = {"text": footer}
    interactive["action"] = action
    return "interactive", interactive


def _card(card: Card) -> Json:
    if card.product_retailer_id is not None:
        action: Json = {"product_retailer_id": card.product_retailer_id, "catalog_id": card.catalog_id}
        return {"type": "product", "action": action}
    if card.url is not None:
        action = {"name": "cta_url", "parameters": {"display_text": card.label, "url": card.url}}
    else:
        action = {
            "buttons": [{"type": "quick_reply", "quick_reply": {"id": b.id, "title": b.title}} for b in card.buttons]
        }
    found: Json = {"type": "cta_url"}  # of every card with a file, also of one with reply buttons
    if card.header is not None:
        found["header"] = _header(card.header)
    if card.text:
        found["body"] = {"text": card.text}
    return {**found, "action": action}


def _contact_card(card: ContactCard) -> Json:
    # Meta wants one more name beside the formatted one.
    found: Json = {"name": {"formatted_name": card.name, "first_name": card.name.split()[0]}}
    if card.phones:
        found["phones"] = [
            _without_none(phone=phone, wa_id=phone[1:] if re.fullmatch(r"\+\d{7,15}", phone, re.ASCII) else None)
            for phone in card.phones
        ]
    if card.emails:
        found["emails"] = [{"email": email} for email in card.emails]
    if card.urls:
        found["urls"] = [{"url": url} for url in card.urls]
    if card.organization:
        found["org"] = {"company": card.organization}
    return found


def _header(header: str | MediaHeader) -> Json:
    if isinstance(header, str):
        return {"type": "text", "text": header}
    filename = header.filename if header.media == "document" else None
    link = None if header.id else header.link
    return {"type": header.media, header.media: _without_none(id=header.id, link=link, filename=filename)}


def _media(message: Media) -> Json:
    # Meta refuses a caption on audio and stickers, and a filename on anything but a document.
    caption = message.caption if message.media not in {"audio", "sticker"} else None
    filename = message.filename if message.media == "document" else None
    link = None if message.id else message.link
    return _without_none(id=message.id, link=link, caption=caption or None, filename=filename)


def _flow(message: FlowForm) -> Json:
    parameters: Json = {
        "flow_message_version": "3",
        "flow_token": message.flow_token,
        "flow_id": message.flow_id,
        "flow_cta": message.cta,
    }
    start = _without_none(screen=message.screen, data=message.data or None)
    if start:
        parameters["flow_action"] = "navigate"
        parameters["flow_action_payload"] = start
    return parameters


def _without_none(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not None}
