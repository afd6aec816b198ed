"""The messages that a conversation can send, in WhatsApp's terms.

The engine produces them, the turn's record stores them, the outbound queue carries them, and `graph.message_payload` converts
each to the JSON of `POST /{phone_number_id}/messages`. As JSON each has its `type`: `{"type": "text", "text": "Hi"}`.
"""

from typing import Any, Literal

from msgspec import Struct

MediaKind = Literal["image", "video", "audio", "document", "sticker"]


class MediaHeader(Struct, frozen=True, gc=False, omit_defaults=True):
    """An image, video or document above an interactive message: by public `link` or uploaded `id`."""

    media: Literal["image", "video", "document"]
    link: str | None = None
    id: str | None = None
    filename: str | None = None


class Button(Struct, frozen=True, gc=False):
    """A reply button. Tapping it sends its `id`; `title` is the visible text."""

    id: str
    title: str


class Row(Struct, frozen=True, gc=False, omit_defaults=True):
    """A row of a list message. Rows with the same `section` stand together under this title."""

    id: str
    title: str
    description: str | None = None
    section: str | None = None


class Text(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="text"):
    """A plain text, at most `limits.TEXT_BODY` characters."""

    text: str
    preview_url: bool = False


class ReplyButtons(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="buttons"):
    """A text with one to three reply buttons."""

    text: str
    buttons: list[Button]
    header: str | MediaHeader | None = None
    footer: str | None = None


class OptionList(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="list"):
    """A text with a button that opens a list of one to ten rows."""

    text: str
    button: str
    rows: list[Row]
    header: str | None = None
    footer: str | None = None


class CtaUrl(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="cta_url"):
    """A text with one button that opens a web page."""

    text: str
    label: str
    url: str
    header: str | MediaHeader | None = None
    footer: str | None = None


class LocationRequest(Struct, frozen=True, gc=False, tag_field="type", tag="location_request"):
    """A text with the button "Send location"."""

    text: str


class Media(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="media"):
    """An image, video, audio, document or sticker, by public `link` or uploaded `id`."""

    media: MediaKind
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None


class Template(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="template"):
    """An approved template; `components` are Meta's own (header, body and button parameters)."""

    name: str
    language: str
    components: list[dict[str, Any]] = []


class FlowForm(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="whatsapp_flow"):
    """A text with a button that opens a WhatsApp Flow (a form inside the chat)."""

    text: str
    flow_id: str
    cta: str
    flow_token: str
    screen: str | None = None
    data: dict[str, Any] | None = None
    header: str | None = None
    footer: str | None = None


OutboundMessage = Text | ReplyButtons | OptionList | CtaUrl | LocationRequest | Media | Template | FlowForm
