"""A message as people see it: its text, buttons, file and so on."""

from typing import Any, Literal

import msgspec
from pydantic import ConfigDict, Field

from pytake.whatsapp.outbound import OutboundMessage
from rest.models import ApiModel


class MessageHeader(ApiModel):
    """An image, video or document above a message with buttons."""

    media: Literal["image", "video", "document"]
    link: str | None = None
    id: str | None = None
    filename: str | None = None


class MessageButton(ApiModel):
    """A reply button. `id` is what a tap sends (`reply_id`)."""

    id: str
    title: str


class MessageRow(MessageButton):
    """A row of a list."""

    description: str | None = None
    section: str | None = None


class MessageCard(ApiModel):
    """A contact card (`name` to `organization`), or a card of a carousel: a file with a link or buttons, or a product."""

    name: str | None = None
    phones: list[str] = Field(default_factory=list)
    emails: list[str] = Field(default_factory=list)
    urls: list[str] = Field(default_factory=list)
    organization: str | None = None
    header: MessageHeader | None = None
    text: str | None = None
    label: str | None = None
    url: str | None = None
    buttons: list[MessageButton] = Field(default_factory=list)
    catalog_id: str | None = None
    product_retailer_id: str | None = None


class MessageProducts(ApiModel):
    """A section of a list of products."""

    title: str | None = None
    product_retailer_ids: list[str]


class MessageContent(ApiModel):
    """What a message shows. `type` decides which members have a value:

    `text`; `buttons`: `text`, `buttons`, `header`, `footer`; `list`: `text`, `button` (it opens the list), `rows`; `cta_url`:
    `text`, `label`, `url`; `location_request`, `contact_request`: `text`; `media`: `media`, `link` or `id`, `caption`,
    `filename`; `template`: `name`, `language`, `components` as Meta takes them; `whatsapp_flow`: `text`, `cta` (the button),
    `flow_id`, `screen`; `location`: `latitude`, `longitude`, `name`, `address`; `contacts`: `cards`; `product`: `text`,
    `catalog_id`, `product_retailer_id`; `product_list`: `text`, `header`, `catalog_id`, `sections`; `catalog`: `text`,
    `thumbnail`; `carousel`: `text`, `cards`; `reaction`: `emoji`, `message_id`.
    """

    model_config = ConfigDict(extra="ignore")

    type: Literal[
        "text",
        "buttons",
        "list",
        "cta_url",
        "location_request",
        "contact_request",
        "media",
        "template",
        "whatsapp_flow",
        "location",
        "contacts",
        "product",
        "product_list",
        "catalog",
        "carousel",
        "reaction",
    ]
    text: str | None = None
    header: str | MessageHeader | None = None
    footer: str | None = None
    buttons: list[MessageButton] = Field(default_factory=list)
    button: str | None = None
    rows: list[MessageRow] = Field(default_factory=list)
    label: str | None = None
    url: str | None = None
    media: Literal["image", "video", "audio", "document", "sticker"] | None = None
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None
    name: str | None = None
    language: str | None = None
    components: list[dict[str, Any]] = Field(default_factory=list)
    cta: str | None = None
    flow_id: str | None = None
    screen: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = None
    cards: list[MessageCard] = Field(default_factory=list)
    catalog_id: str | None = None
    product_retailer_id: str | None = None
    sections: list[MessageProducts] = Field(default_factory=list)
    thumbnail: str | None = None
    emoji: str | None = None
    message_id: str | None = None


def message_content(message: OutboundMessage) -> MessageContent:
    """What a message of the engine shows."""
    return MessageContent.model_validate(msgspec.to_builtins(message))
