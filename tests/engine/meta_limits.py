"""Meta's limits, asserted on messages."""

import msgspec

from local.graph_rules import check_message
from pytake.whatsapp import limits
from pytake.whatsapp.graph import message_payload
from pytake.whatsapp.outbound import (
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


def assert_sendable(message: OutboundMessage) -> None:
    """Fails if Meta would reject this message, by its limits or by the rules of the simulated one."""
    check_message(msgspec.json.decode(msgspec.json.encode(message_payload(message, "+5511987654321", ""))))
    match message:
        case Text(text):
            assert 0 < len(text) <= limits.TEXT_BODY
            assert text.strip()
        case ReplyButtons(text, buttons, header, footer):
            _body(text, limits.INTERACTIVE_BODY, header, footer)
            titles, ids = [button.title for button in buttons], [button.id for button in buttons]
            assert 1 <= len(buttons) <= limits.BUTTONS
            _distinct(titles, limits.BUTTON_TITLE)
            _distinct(ids, limits.BUTTON_ID)
        case OptionList(text, button, rows, header, footer):
            _body(text, limits.LIST_BODY, header, footer)
            assert 0 < len(button) <= limits.LIST_BUTTON
            assert 1 <= len(rows) <= limits.LIST_ROWS
            _distinct([row.title for row in rows], limits.ROW_TITLE)
            _distinct([row.id for row in rows], limits.ROW_ID)
            assert all(row.description is None or 0 < len(row.description) <= limits.ROW_DESCRIPTION for row in rows)
        case CtaUrl(text, label, url, header, footer):
            _body(text, limits.INTERACTIVE_BODY, header, footer)
            assert 0 < len(label) <= limits.CTA_DISPLAY_TEXT
            assert url
        case LocationRequest(text) | ContactRequest(text):
            _body(text, limits.INTERACTIVE_BODY)
        case FlowForm():
            _body(message.text, limits.INTERACTIVE_BODY, message.header, message.footer)
            assert 0 < len(message.cta) <= limits.FLOW_CTA
        case Media():
            assert bool(message.link) != bool(message.id)
            assert message.caption is None or 0 < len(message.caption) <= limits.CAPTION
        case Template():
            assert message.name
        case Reaction():
            assert 0 < len(message.message_id) <= limits.META_ID
            assert 0 < len(message.emoji) <= limits.EMOJI
        case Location():
            assert abs(message.latitude) <= 90
            assert abs(message.longitude) <= 180
        case ContactCards():
            assert 1 <= len(message.cards) <= limits.CONTACT_CARDS
            assert all(0 < len(card.name.strip()) <= limits.CONTACT_NAME for card in message.cards)
        case Product():
            assert len(message.text) <= limits.INTERACTIVE_BODY
            _distinct([message.product_retailer_id], limits.PRODUCT_ID)
        case ProductList():
            _body(message.text, limits.INTERACTIVE_BODY, message.header, message.footer)
            titles = [section.title for section in message.sections]
            assert message.header
            assert 1 <= len(titles) <= limits.PRODUCT_SECTIONS
            assert all(title and len(title) <= limits.SECTION_TITLE for title in titles) or titles == [None]
            ids = [id_ for section in message.sections for id_ in section.product_retailer_ids]
            assert 1 <= len(ids) <= limits.PRODUCTS
            assert all(0 < len(id_) <= limits.PRODUCT_ID for id_ in ids)
        case Catalog():
            _body(message.text, limits.INTERACTIVE_BODY, footer=message.footer)
        case Carousel():
            _body(message.text, limits.INTERACTIVE_BODY)
            _cards(message)


def _cards(message: Carousel) -> None:
    assert limits.CARDS_LEAST <= len(message.cards) <= limits.CARDS
    assert len({len(card.buttons) for card in message.cards}) == 1
    for card in message.cards:
        assert (card.product_retailer_id is None) == (card.header is not None)
        assert (card.product_retailer_id is not None) + (card.url is not None) + bool(card.buttons) == 1
        assert card.text is None or (
            0 < len(card.text) <= limits.CARD_BODY and card.text.count("\n") <= limits.CARD_LINE_BREAKS
        )
        assert len(card.buttons) <= limits.BUTTONS
        _distinct([button.title for button in card.buttons], limits.BUTTON_TITLE)
    ids = [button.id for card in message.cards for button in card.buttons]
    _distinct(ids, limits.BUTTON_ID)


def _body(text: str, limit: int, header: str | MediaHeader | None = None, footer: str | None = None) -> None:
    assert 0 < len(text) <= limit
    assert text.strip()
    assert footer is None or 0 < len(footer) <= limits.FOOTER
    if isinstance(header, str):
        assert 0 < len(header) <= limits.HEADER_TEXT


def _distinct(texts: list[str], limit: int) -> None:
    assert all(0 < len(text) <= limit for text in texts)
    assert len(set(texts)) == len(texts)
