"""What a message can hold besides text, files and options: a reaction, a place, contact cards, products, the catalog."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from pytake.engine.execution import Execution, Say
from pytake.engine.node_build import NodeBuild
from pytake.engine.rendering import Render
from pytake.engine.sending import Frame, check_body, meta_id, saying, with_lines
from pytake.engine.text_split import truncate
from pytake.engine.values import as_number
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import (
    Catalog,
    ContactCard,
    ContactCards,
    Location,
    Product,
    ProductList,
    ProductSection,
    Reaction,
)


class ReactionSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """An `emoji` on the message `message_id`, by default the one that the person just sent."""

    emoji: str
    message_id: str = "{{input.message_id}}"


class LocationSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A place: `latitude` and `longitude` in degrees, as numbers or templates."""

    latitude: float | str
    longitude: float | str
    name: str | None = None
    address: str | None = None


class ContactSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A contact card. Write phone numbers like `+5511987654321`, so that people can write to them on WhatsApp."""

    name: str
    phones: list[str] | None = None
    emails: list[str] | None = None
    urls: list[str] | None = None
    organization: str | None = None


class ProductSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A product: the id of the catalog, and the product's id in it (the content id in Meta's Commerce Manager)."""

    catalog_id: str
    product_retailer_id: str


class ProductSectionSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """Products under a `title`, which a single section may leave out. A product whose id is empty is left out."""

    product_retailer_ids: list[str]
    title: str | None = None


class ProductsSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 30 products of one catalog, in up to 10 sections."""

    catalog_id: str
    sections: list[ProductSectionSpec]


class CatalogSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """The number's catalog. `thumbnail` is the id of the product whose picture is shown, by default the first one's."""

    thumbnail: str | None = None


def leave_out(run: Execution, build: NodeBuild, field: str) -> None:
    """Report that a part of the message has no usable value in this turn, so that it is not sent."""
    run.emit("content_missing", node_id=build.node_id, field=field)


def reacting(spec: ReactionSpec, build: NodeBuild) -> Say:
    """A function that reacts to a message."""
    if not spec.emoji.strip() or spec.emoji.isascii():
        build.problem("invalid_value", "reaction.emoji", f"`{spec.emoji}` is not an emoji. Enter one.")
    build.limit(spec.emoji, meta.EMOJI, "reaction.emoji", "An emoji")
    message_id, emoji = build.rendering(spec.message_id, "reaction.message_id"), spec.emoji.strip()

    def say(run: Execution) -> None:
        target = meta_id(message_id(run))
        if target is None:
            leave_out(run, build, "reaction.message_id")
            return
        run.send(Reaction(target, emoji))

    return say


def showing_place(spec: LocationSpec, text: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends a place; a text is said before."""
    get = [_coordinate(spec.latitude, 90, "latitude", build), _coordinate(spec.longitude, 180, "longitude", build)]
    name, address = build.rendering(spec.name, "location.name"), build.rendering(spec.address, "location.address")
    before = saying(text, "text", frame, build)

    def say(run: Execution) -> None:
        before(run)
        latitude, longitude = (one(run) for one in get)
        if latitude is None or longitude is None:
            leave_out(run, build, "location")
            return
        named, at = (truncate(part(run).strip(), meta.PLACE_TEXT) or None for part in (name, address))
        run.send(Location(latitude, longitude, named, at))

    return say


def _coordinate(value: float | str, most: int, name: str, build: NodeBuild) -> Any:
    """A function that gives the number of degrees; None if it is not one."""
    field = f"location.{name}"
    if not (isinstance(value, str) and "{{" in value):
        number = as_number(value)
        if number is None or abs(number) > most:
            message = f"A {name} is a number from -{most} to {most}; `{value}` is not. Correct it."
            build.problem("invalid_value", field, message)
        return lambda _: number
    read = build.value(value, field)

    def degrees(run: Execution) -> float | None:
        number = as_number(read(run))
        return float(number) if number is not None and abs(number) <= most else None

    return degrees


def showing_contacts(cards: Sequence[ContactSpec], text: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends contact cards; a text is said before."""
    if len(cards) > meta.CONTACT_CARDS:
        message = f"A message may have {meta.CONTACT_CARDS} contact cards; this one has {len(cards)}. Remove some."
        build.problem("too_many", "contacts", message)
    make = [_card(card, f"contacts[{index}]", build) for index, card in enumerate(cards)]
    before = saying(text, "text", frame, build)

    def say(run: Execution) -> None:
        before(run)
        found = [card for one in make if (card := one(run)) is not None]
        if not found:
            leave_out(run, build, "contacts")
            return
        run.send(ContactCards(found))

    return say


def _card(spec: ContactSpec, field: str, build: NodeBuild) -> Any:
    if not spec.name.strip():
        build.problem("invalid_value", f"{field}.name", "The name is empty. Enter one.")
    build.limit(spec.name, meta.CONTACT_NAME, f"{field}.name", "A name")
    name, organization = (
        build.rendering(spec.name, f"{field}.name"),
        build.rendering(spec.organization, f"{field}.organization"),
    )
    lists = {
        part: [
            build.rendering(text, f"{field}.{part}[{index}]") for index, text in enumerate(getattr(spec, part) or ())
        ]
        for part in ("phones", "emails", "urls")
    }

    def make(run: Execution) -> ContactCard | None:
        shown = truncate(" ".join(name(run).split()), meta.CONTACT_NAME)
        details = {part: _texts(run, renders) for part, renders in lists.items()}
        company = truncate(organization(run).strip(), meta.CONTACT_NAME) or None
        return ContactCard(shown, **details, organization=company) if shown else None

    return make


def _texts(run: Execution, renders: Sequence[Render]) -> list[str]:
    """The texts that are not empty. One that is longer than any address cannot be a detail of a contact."""
    return [text for render in renders if 0 < len(text := render(run).strip()) <= meta.ADDRESS]


def showing_product(spec: ProductSpec, text: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends one product under a text."""
    catalog_id = product_field(spec.catalog_id, "product.catalog_id", build)
    product_id = product_field(spec.product_retailer_id, "product.product_retailer_id", build)
    body_of = body(text, frame, build)

    def say(run: Execution) -> None:
        under, catalog, product = body_of(run), catalog_id(run), product_id(run)
        if not catalog or not product:
            run.say(under)
            leave_out(run, build, "product")
            return
        run.send(Product(under, catalog, product, frame.footer(run) or None))

    return say


def showing_products(spec: ProductsSpec, text: str | None, header: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends a list of products under a header and a text."""
    for name, value in (("text", text), ("header", header)):
        if not (value and value.strip()):
            build.problem("missing_field", name, f"A list of products needs a `{name}`. Enter one.")
    count = sum(len(section.product_retailer_ids) for section in spec.sections)
    for what, found, most in (
        ("products", count, meta.PRODUCTS),
        ("sections", len(spec.sections), meta.PRODUCT_SECTIONS),
    ):
        if found > most:
            message = f"A list may have {most} {what}; this one has {found}. Remove some."
            build.problem("too_many", "products.sections", message)
    if not count:
        build.problem("missing_field", "products.sections", "The list has no products. Add some.")
    catalog_id = product_field(spec.catalog_id, "products.catalog_id", build)
    make = [_section(one, f"products.sections[{index}]", build) for index, one in enumerate(spec.sections)]
    if len(spec.sections) > 1:
        for index, section in enumerate(spec.sections):
            if not (section.title and section.title.strip()):
                message = "Each section of a list with several needs a `title`. Enter one."
                build.problem("missing_field", f"products.sections[{index}].title", message)
    body_of = body(text, frame, build)

    def say(run: Execution) -> None:
        under, top, catalog = body_of(run), frame.header(run), catalog_id(run)
        sections = [section for one in make if (section := one(run)) is not None]
        if not under or not top or not catalog or not sections:
            run.say(with_lines(top, under, frame.footer(run)))
            leave_out(run, build, "products")
            return
        if len(sections) > 1:  # an empty title would be refused
            sections = [
                one if one.title else ProductSection(one.product_retailer_ids, top[: meta.SECTION_TITLE])
                for one in sections
            ]
        run.send(ProductList(under, top, catalog, sections, frame.footer(run) or None))

    return say


def _section(spec: ProductSectionSpec, field: str, build: NodeBuild) -> Any:
    build.limit(spec.title, meta.SECTION_TITLE, f"{field}.title", "The title of a section")
    title = build.rendering(spec.title, f"{field}.title")
    ids = [
        product_field(id_, f"{field}.product_retailer_ids[{index}]", build)
        for index, id_ in enumerate(spec.product_retailer_ids)
    ]

    def make(run: Execution) -> ProductSection | None:
        found = list(dict.fromkeys(_texts(run, ids)))
        return ProductSection(found, truncate(title(run).strip(), meta.SECTION_TITLE) or None) if found else None

    return make


def showing_catalog(spec: CatalogSpec, text: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends the button to the catalog under a text."""
    if not (text and text.strip()):
        build.problem("missing_field", "text", "A catalog needs a `text`. Enter one.")
    thumbnail = product_field(spec.thumbnail or "", "catalog.thumbnail", build, needed=False)
    body_of = body(text, frame, build)

    def say(run: Execution) -> None:
        under = body_of(run)
        if not under:
            leave_out(run, build, "text")
            return
        run.send(Catalog(under, thumbnail(run) or None, frame.footer(run) or None))

    return say


def product_field(text: str, field: str, build: NodeBuild, *, needed: bool = True) -> Render:
    """A function that gives the id of a product or a catalog; empty if it is longer than Meta's are."""
    if needed and not text.strip():
        build.problem("invalid_value", field, "The id is empty. Enter it.")
    if "{{" not in text:
        build.limit(text, meta.PRODUCT_ID, field, "An id")
    render = build.rendering(text, field)

    def get(run: Execution) -> str:
        found = render(run).strip()
        return found if len(found) <= meta.PRODUCT_ID else ""

    return get


def body(text: str | None, frame: Frame, build: NodeBuild) -> Render:
    """A function that sends the node's file and gives the body of the message that follows it."""
    check_body(text, meta.INTERACTIVE_BODY, "text", build)
    render = build.rendering(text, "text")

    def get(run: Execution) -> str:
        sent = frame.media(run) if frame.media is not None else None
        if sent is not None:
            run.send(sent)
        found = render(run)
        return run.body(found, meta.INTERACTIVE_BODY) if found.strip() else ""

    return get
