"""A wait of goflow as a question of PyTake: the message before it, its quick replies, and its timeout."""

from typing import Any

from msgspec import Struct

from pytake.importers.draft import Ref
from pytake.importers.goflow.bundle import key_of
from pytake.importers.goflow.messages import Said, interactive, say, spoken, translation_table
from pytake.importers.goflow.place import Place
from pytake.importers.goflow.routing import answer_variable, category_target
from pytake.importers.options import Choices, fit_options, with_lines
from pytake.importers.reading import as_dict, as_float, as_text
from pytake.whatsapp import limits as meta

_LONGEST_WAIT = 30 * 24 * 3600


class Asking(Struct):
    """A wait: its node, the message said just before it (if any), and its router."""

    place: Place
    said: dict[str, Any] | None
    router: dict[str, Any]


def ask(asking: Asking, source: Place) -> None:
    """Add the question. The answer is routed by the part of the source that is called `UUID:route`."""
    place, router = asking.place, asking.router
    wait = as_dict(router.get("wait"))
    if as_text(wait.get("type")) == "dial":
        place.lose("dial", "blocker", "WhatsApp cannot forward a call. The bot waits for an answer instead.")
    said = Said()
    if asking.said is not None:
        said = (
            interactive(source, asking.said)
            if asking.said["type"] == "send_interactive_msg"
            else spoken(source, asking.said)
        )
    choices = fit_options(said.options) if said.options else Choices([], [], [], [])
    text = with_lines(said.text, choices)
    limit = meta.LIST_BODY if len(choices.buttons) > meta.BUTTONS else meta.INTERACTIVE_BODY
    if len(said.media) > 1 or (said.media and choices.buttons and said.media[0]["type"] == "audio"):
        say(source, Said(media=said.media))
        said.media = []
    if said.places:
        say(source, Said(places=said.places))
    if choices.buttons and len(text) > limit:
        say(source, Said(text=text, translations=said.translations, media=said.media))
        text, said.translations, said.media = "", {}, []
    data: dict[str, Any] = {"variable": answer_variable(place, router), "validation": {"type": "any"}}
    if text.strip():
        data["question"] = text
    if said.media:
        data["media"] = said.media[0]
    if said.header:
        data["header"] = said.header
    if said.footer:
        data["footer"] = said.footer
    if choices.buttons:
        data["buttons"] = choices.buttons
        _describe(said, choices)
    if said.list_button and len(choices.buttons) > meta.BUTTONS:
        data["list_button"] = said.list_button
    if said.asks_for_location:
        data["validation"] = {"type": "location"}
    hint = as_text(as_dict(wait.get("hint")).get("type"))
    name = as_text(router.get("result_name"))
    if hint in ("image", "audio", "video", "location") and name.strip() and place.flow.bundle.reads(key_of(name)):
        message = (
            "The answer is stored as WhatsApp sends it, with the id of the file or the coordinates, not as an address."
        )
        place.lose("media_value", "loss", message, ahead=True)
    timeout = as_dict(wait.get("timeout"))
    seconds = as_float(timeout.get("seconds"))
    if seconds and seconds > 0:
        data["timeout_seconds"] = min(seconds, _LONGEST_WAIT)
        data["timeout_next_node_id"] = category_target(place, router, as_text(timeout.get("category_uuid")), "")
    node = place.chain.add("question", data, f"ask_{as_text(router.get('result_name')) or 'answer'}")
    place.chain.go(Ref(f"{place.key}:route"))
    _translate(source, said, choices, node)
    for label in choices.shortened:
        source.chain.last = node
        source.lose("label_shortened", "note", f"WhatsApp shows at most 72 characters of an option: `{label[:60]}…`.")


def _describe(said: Said, choices: Choices) -> None:
    for button, description in zip(choices.buttons, said.descriptions, strict=False):
        if description and "description" not in button and len(choices.buttons) > meta.BUTTONS:
            button["description"] = description[: meta.ROW_DESCRIPTION]


def _translate(source: Place, said: Said, choices: Choices, node: dict[str, Any]) -> None:
    """The question's texts in the other languages of the flow."""
    for language, text in said.translations.items():
        if text and "question" in node["data"]:
            translation_table(source, language)[f"{node['id']}.question"] = text
    for language, labels in said.option_translations.items():
        for button, translated in zip(choices.buttons, fit_options(labels).buttons, strict=False):
            key = f"{node['id']}.buttons.{button.get('value', button['label'])}.label"
            translation_table(source, language)[key] = translated["label"]
