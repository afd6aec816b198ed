"""Meta's limits, asserted on messages."""

from pytake.whatsapp import limits
from pytake.whatsapp.outbound import (
    CtaUrl,
    FlowForm,
    LocationRequest,
    Media,
    MediaHeader,
    OptionList,
    OutboundMessage,
    ReplyButtons,
    Template,
    Text,
)


def assert_sendable(message: OutboundMessage) -> None:
    """Fails if Meta would reject this message."""
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
        case LocationRequest(text):
            _body(text, limits.INTERACTIVE_BODY)
        case FlowForm():
            _body(message.text, limits.INTERACTIVE_BODY, message.header, message.footer)
            assert 0 < len(message.cta) <= limits.FLOW_CTA
        case Media():
            assert bool(message.link) != bool(message.id)
            assert message.caption is None or 0 < len(message.caption) <= limits.CAPTION
        case Template():
            assert message.name


def _body(text: str, limit: int, header: str | MediaHeader | None = None, footer: str | None = None) -> None:
    assert 0 < len(text) <= limit
    assert text.strip()
    assert footer is None or 0 < len(footer) <= limits.FOOTER
    if isinstance(header, str):
        assert 0 < len(header) <= limits.HEADER_TEXT


def _distinct(texts: list[str], limit: int) -> None:
    assert all(0 < len(text) <= limit for text in texts)
    assert len(set(texts)) == len(texts)
