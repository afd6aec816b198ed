"""The messages that a conversation can send, in WhatsApp's terms.

The engine produces them, the turn's record stores them, the outbound queue carries them, and `graph.message_payload` converts
each to the JSON of `POST /{phone_number_id}/messages`. As JSON each has its `type`: `{"type": "text", "text": "Hi"}`.
`reply_to` is the id of an earlier message of the conversation that this one quotes.
"""

from typing import Any, Literal

from msgspec import Struct

TemplateCategory = Literal["marketing", "utility", "authentication"]
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
    reply_to: str | None = None


class ReplyButtons(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="buttons"):
    """A text with one to three reply buttons."""

    text: str
    buttons: list[Button]
    header: str | MediaHeader | None = None
    footer: str | None = None
    reply_to: str | None = None


class OptionList(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="list"):
    """A text with a button that opens a list of one to ten rows."""

    text: str
    button: str
    rows: list[Row]
    header: str | None = None
    footer: str | None = None
    reply_to: str | None = None


class CtaUrl(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="cta_url"):
    """A text with one button that opens a web page."""

    text: str
    label: str
    url: str
    header: str | MediaHeader | None = None
    footer: str | None = None
    reply_to: str | None = None


class LocationRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="location_request"):
    """A text with the button "Send location"."""

    text: str
    reply_to: str | None = None


class ContactRequest(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="contact_request"):
    """A text with a button that shares the person's own phone number."""

    text: str
    reply_to: str | None = None


class Media(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="media"):
    """An image, video, audio, document or sticker, by public `link` or uploaded `id`."""

    media: MediaKind
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None
    reply_to: str | None = None


class Template(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="template"):
    """An approved template; `components` are Meta's own (header, body and button parameters).

    `category` decides which consent it needs; None: it is not known.
    """

    name: str
    language: str
    components: list[dict[str, Any]] = []
    category: TemplateCategory | None = None


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
    reply_to: str | None = None


class Reaction(Struct, frozen=True, gc=False, tag_field="type", tag="reaction"):
    """An emoji on a message; an empty `emoji` takes it back."""

    message_id: str
    emoji: str


class Location(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="location"):
    """A place on the map, in degrees."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    reply_to: str | None = None


class ContactCard(Struct, frozen=True, gc=False, omit_defaults=True):
    """A person's or a company's details to save. Phone numbers in E.164 (`+5511…`) can be written to on WhatsApp."""

    name: str
    phones: list[str] = []
    emails: list[str] = []
    urls: list[str] = []
    organization: str | None = None


class ContactCards(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="contacts"):
    """One or more contact cards."""

    cards: list[ContactCard]
    reply_to: str | None = None


class Product(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="product"):
    """One product of a catalog. `text` may be empty."""

    text: str
    catalog_id: str
    product_retailer_id: str
    footer: str | None = None
    reply_to: str | None = None


class ProductSection(Struct, frozen=True, gc=False, omit_defaults=True):
    """Products under a title. Only a list with one section may leave the title out."""

    product_retailer_ids: list[str]
    title: str | None = None


class ProductList(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="product_list"):
    """Products of a catalog to choose from."""

    text: str
    header: str
    catalog_id: str
    sections: list[ProductSection]
    footer: str | None = None
    reply_to: str | None = None


class Catalog(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="catalog"):
    """A button that opens the number's catalog; `thumbnail` is the product whose picture it shows."""

    text: str
    thumbnail: str | None = None
    footer: str | None = None
    reply_to: str | None = None


class Card(Struct, frozen=True, gc=False, omit_defaults=True):
    """A card of a carousel: a product, or an image or video with a link (`label`, `url`) or reply buttons."""

    header: MediaHeader | None = None
    text: str | None = None
    label: str | None = None
    url: str | None = None
    buttons: list[Button] = []
    catalog_id: str | None = None
    product_retailer_id: str | None = None


class Carousel(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="type", tag="carousel"):
    """A text above two to ten cards of one kind, which people scroll sideways."""

    text: str
    cards: list[Card]
    reply_to: str | None = None


QuotingMessage = (
    Text
    | ReplyButtons
    | OptionList
    | CtaUrl
    | LocationRequest
    | ContactRequest
    | Media
    | FlowForm
    | Location
    | ContactCards
    | Product
    | ProductList
    | Catalog
    | Carousel
)
"""The messages that can quote an earlier one (`reply_to`)."""

OutboundMessage = QuotingMessage | Template | Reaction
