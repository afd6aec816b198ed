"""Carousels: cards of one kind, each with a file and a link, with a file and options, or with a product."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from pytake.engine.contents import ProductSpec, body, leave_out, product_field
from pytake.engine.execution import Execution, Say
from pytake.engine.field_types import Button
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.options import Choice, Offering, Shown, unique_titles
from pytake.engine.sending import Frame, MediaSpec, check_link, compile_media, media_header, web_address, with_lines
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import Button as WireButton
from pytake.whatsapp.outbound import Card, Carousel, MediaHeader

_NOTHING: frozenset[str] = frozenset()
MakeCard = Callable[[Execution], Card | None]


class CtaSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A button that opens a web page."""

    label: str
    url: str


class CardSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A card: an image or video with a `cta_url` or `buttons`, or a `product`. All cards of a carousel are of one kind."""

    media: MediaSpec | None = None
    text: str | None = None
    cta_url: CtaSpec | None = None
    buttons: list[Button] | None = None
    product: ProductSpec | None = None


def showing_cards(cards: Sequence[CardSpec], text: str | None, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends cards with links or products under a text."""
    make = _cards(cards, text, build)
    body_of = body(text, frame, build)

    def say(run: Execution) -> None:
        under, found = body_of(run), [card for one in make if (card := one(run)) is not None]
        if not under or len(found) < meta.CARDS_LEAST:
            run.say(under)
            leave_out(run, build, "carousel")
            return
        run.send(Carousel(under, found))

    return say


class CardOptions(Offering):
    """The options on the cards of a carousel. A typed answer selects one by its value, or by a label that no other has."""

    def __init__(self, cards: Sequence[CardSpec], text: str | None, build: NodeBuild) -> None:
        super().__init__(build, is_list=False, list_button=None)
        self._build = build
        self._make = _cards(cards, text, build)
        self._buttons = [
            [
                (build.template(button.label, f"{field}.label"), self._choice(button, field))
                for index, button in enumerate(card.buttons or ())
                for field in [f"carousel[{at}].buttons[{index}]"]
            ]
            for at, card in enumerate(cards)
        ]
        self.choices = [choice for card in self._buttons for _, choice in card]
        values = [choice.value for choice in self.choices]
        for value in sorted({value for value in values if values.count(value) > 1}):
            message = f"Two options have the value `{value}`. Give each option its own value."
            build.problem("duplicate_value", "carousel", message)
        self.typed = frozenset(normalize_text(value) for value in values)

    def _choice(self, button: Button, field: str) -> Choice:
        build, value = self._build, button.value or button.label
        build.limit(button.label, self.label_limit, f"{field}.label", "A button's label")
        if not button.label.strip():
            build.problem("invalid_value", f"{field}.label", "The label is empty. Enter one.")
        if len(value) > meta.BUTTON_ID:
            message = f"A value may have {meta.BUTTON_ID} characters; this one has {len(value)}. Shorten it."
            build.problem("too_long", f"{field}.value", message, meta.BUTTON_ID)
        for name in ("description", "section", "show_if"):
            if getattr(button, name) is not None:
                build.problem("conflicting_fields", f"{field}.{name}", f"A card's button has no `{name}`. Remove it.")
        target = build.optional_target(button.next_node_id, f"{field}.next_node_id", f"button:{value}")
        return Choice(value, button.label, target)

    def shown(self, run: Execution) -> list[Shown]:
        """The options of all cards."""
        return [one for card in self._shown(run) for one in card]

    def _shown(self, run: Execution) -> list[list[Shown]]:
        found = []
        for card in self._buttons:
            titles = unique_titles([x if isinstance(x, str) else x(run) for x, _ in card], self.label_limit)
            found.append([Shown(choice, title) for (_, choice), title in zip(card, titles, strict=True)])
        return found

    def find(self, run: Execution, text: str, without: AbstractSet[str] = _NOTHING) -> Choice | None:
        """The option that a typed text selects."""
        left, wanted = self._left(run, without), normalize_text(text)
        named = [one.choice for one in left if normalize_text(one.choice.value) == wanted]
        labelled = [one.choice for one in left if normalize_text(one.title) == wanted]
        return named[0] if named else labelled[0] if len(labelled) == 1 else None

    def offer(
        self,
        run: Execution,
        body: str,
        header: str | MediaHeader | None = None,
        footer: str | None = None,
        without: AbstractSet[str] = _NOTHING,  # noqa: ARG002 (only a choice of several leaves options out)
        extra: str | None = None,  # noqa: ARG002
    ) -> None:
        """Send the cards. If fewer than two have a file, the options are offered as text."""
        text = with_lines(header if isinstance(header, str) else "", body, footer or "")
        text = run.body(text if text.strip() else self._no_body, self.body_limit)
        cards = [
            structs.replace(card, buttons=[WireButton(one.choice.value, one.title) for one in shown])
            for make, shown in zip(self._make, self._shown(run), strict=True)
            if (card := make(run)) is not None
        ]
        if len(cards) >= meta.CARDS_LEAST:
            run.send(Carousel(text, cards))
            return
        leave_out(run, self._build, "carousel")
        run.say("\n".join([text, *(f"- {one.title}" for one in self.shown(run))]))


def _cards(cards: Sequence[CardSpec], text: str | None, build: NodeBuild) -> list[MakeCard]:
    if not (text and text.strip()):
        build.problem("missing_field", "text", "A carousel needs a `text`. Enter one.")
    if len(cards) < meta.CARDS_LEAST:
        build.problem("missing_field", "carousel", "A carousel needs two cards or more. Add some.")
    if len(cards) > meta.CARDS:
        message = f"A carousel may have {meta.CARDS} cards; this one has {len(cards)}. Remove some."
        build.problem("too_many", "carousel", message)
    shapes = {_shape(card) for card in cards}
    if len(shapes) > 1:
        message = (
            "WhatsApp shows only cards of one kind: all images or all videos, and the same number of the same buttons, or all "
            "products of one catalog. Make the cards alike."
        )
        build.problem("conflicting_fields", "carousel", message)
    return [_card(card, f"carousel[{index}]", build) for index, card in enumerate(cards)]


def _shape(card: CardSpec) -> tuple[object, ...]:
    if card.product is not None:
        return ("product", card.product.catalog_id)
    return (card.media.type if card.media else None, card.cta_url is not None, len(card.buttons or ()))


def _card(card: CardSpec, field: str, build: NodeBuild) -> MakeCard:
    if sum((card.product is not None, card.cta_url is not None, bool(card.buttons))) != 1:
        message = "A card has exactly one of `cta_url`, `buttons` and `product`. Keep one of them."
        build.problem("conflicting_fields", field, message)
    if card.product is not None:
        return _product(card, card.product, field, build)
    if card.media is None or card.media.type not in ("image", "video") or card.media.caption or card.media.filename:
        message = "A card needs `media`: an image or a video, without caption and file name."
        build.problem("invalid_value", f"{field}.media", message)
    if len(card.buttons or ()) > meta.BUTTONS:
        message = f"A card may have {meta.BUTTONS} buttons; this one has {len(card.buttons or ())}. Remove some."
        build.problem("too_many", f"{field}.buttons", message)
    if (card.text or "").count("\n") > meta.CARD_LINE_BREAKS:
        message = f"The text of a card may have {meta.CARD_LINE_BREAKS} line breaks. Remove some."
        build.problem("too_long", f"{field}.text", message)
    build.limit(card.text, meta.CARD_BODY, f"{field}.text", "The text of a card")
    media = compile_media(card.media, build, f"{field}.media") if card.media else None
    text, link = build.rendering(card.text, f"{field}.text"), _link(card.cta_url, field, build)

    def make(run: Execution) -> Card | None:
        sent = media(run) if media is not None else None
        label, url = link(run)
        if sent is None or (card.cta_url is not None and not url):
            return None
        *lines, last = text(run).strip().split("\n", meta.CARD_LINE_BREAKS)
        shown = truncate("\n".join([*lines, last.replace("\n", " ")]), meta.CARD_BODY)
        return Card(media_header(sent), shown or None, label, url)

    return make


def _link(cta: CtaSpec | None, field: str, build: NodeBuild) -> Callable[[Execution], tuple[str | None, str | None]]:
    if cta is None:
        return lambda _: (None, None)
    check_link(cta.url, f"{field}.cta_url.url", build)
    build.limit(cta.label, meta.CTA_DISPLAY_TEXT, f"{field}.cta_url.label", "The label of a link")
    label, url = build.rendering(cta.label, f"{field}.cta_url.label"), build.rendering(cta.url, f"{field}.cta_url.url")
    otherwise = build.built_in_text("open_link")

    def get(run: Execution) -> tuple[str | None, str | None]:
        title = truncate(label(run).strip() or otherwise, meta.CTA_DISPLAY_TEXT)
        return title, web_address(url(run))

    return get


def _product(card: CardSpec, product: ProductSpec, field: str, build: NodeBuild) -> MakeCard:
    if card.media is not None or card.text:
        message = "WhatsApp shows the product's own picture and text. Remove `media` and `text` of the card."
        build.problem("conflicting_fields", field, message)
    catalog_id = product_field(product.catalog_id, f"{field}.product.catalog_id", build)
    product_id = product_field(product.product_retailer_id, f"{field}.product.product_retailer_id", build)

    def make(run: Execution) -> Card | None:
        catalog, found = catalog_id(run), product_id(run)
        return Card(catalog_id=catalog, product_retailer_id=found) if catalog and found else None

    return make
