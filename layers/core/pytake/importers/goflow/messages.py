"""What a flow says: the texts, files and options of `send_msg` and of Glific's interactive messages."""

from typing import Any

import msgspec
from msgspec import Struct, field

from pytake.importers.goflow.place import Place
from pytake.importers.languages import pytake_language
from pytake.importers.reading import as_dict, as_float, as_list, as_text, dicts
from pytake.whatsapp import limits as meta

_KINDS = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "application": "document",
    "document": "document",
    "file": "document",
}
_MEDIA_ENDINGS = {
    "jpg": "image",
    "jpeg": "image",
    "png": "image",
    "mp4": "video",
    "mp3": "audio",
    "ogg": "audio",
    "m4a": "audio",
}


class Said(Struct):
    """A message of the source: its parts as PyTake writes them, and its translations by language of the source."""

    text: str = ""
    media: list[dict[str, Any]] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    translations: dict[str, str] = field(default_factory=dict)
    option_translations: dict[str, list[str]] = field(default_factory=dict)
    file_translations: dict[str, list[str]] = field(default_factory=dict)
    header: str = ""
    footer: str = ""
    list_button: str = ""
    asks_for_location: bool = False
    places: list[dict[str, Any]] = field(default_factory=list)


def spoken(place: Place, action: dict[str, Any]) -> Said:
    """The parts of a `send_msg` (or of a text that is read aloud)."""
    uuid = as_text(action.get("uuid"))
    said = Said(text=place.text(as_text(action.get("text"))))
    if action["type"] == "say_msg":
        place.lose("voice", "loss", "The text was read aloud. It is sent as a message.", ahead=True)
    for attachment in as_list(action.get("attachments")):
        shown = _location(place, as_text(attachment))
        media = _media(place, as_text(attachment)) if shown is None else None
        if media is not None:
            said.media.append(media)
        if shown:
            said.places.append(shown)
    said.options = [
        place.text(_label(label)) for label in as_list(action.get("quick_replies")) if _label(label).strip()
    ]
    for language, texts in place.translations(uuid, "text").items():
        said.translations[language] = place.text(texts[0])
    for language, labels in place.translations(uuid, "quick_replies").items():
        said.option_translations[language] = [place.text(label) for label in labels]
    for language, files in place.translations(uuid, "attachments").items():
        said.file_translations[language] = [place.text(file.partition(":")[2].strip()) for file in files]
    if action.get("all_urns"):
        message = "The message went to all addresses of the person. A contact of PyTake has one conversation."
        place.lose("all_urns", "note", message, ahead=True)
    if action.get("topic"):
        place.lose("message_topic", "note", "WhatsApp needs no topic of a message. It is left out.", ahead=True)
    if dicts(action.get("labels")):
        place.lose("message_label", "note", "PyTake labels the messages of people, not those of the bot.", ahead=True)
    if action.get("templating") or action.get("template"):
        message = "Outside of the 24-hour window, send a template here; within it, the text is sent."
        place.lose("template", "note", message, ahead=True)
    return said


def _label(reply: Any) -> str:
    return as_text(reply) or as_text(as_dict(reply).get("text"))


def _media(place: Place, attachment: str) -> dict[str, Any] | None:
    kind, _, link = attachment.partition(":")
    family = kind.split("/")[0].strip().lower()
    if family.startswith("@") or family in ("http", "https", "expression"):
        link = attachment.removeprefix("expression:")
        ending = link.rpartition(".")[2].lower()
        if ending not in _MEDIA_ENDINGS:
            message = f"The type of the file `{link[:80]}` is known only in the conversation. Check it."
            place.lose("file_type", "loss", message, ahead=True)
        return {"type": _MEDIA_ENDINGS.get(ending, "document"), "link": place.text(link)}
    if family not in _KINDS or not link.strip():
        place.lose("file_type", "loss", f"WhatsApp cannot send a file of type `{kind[:40]}`.", ahead=True)
        return None
    return {"type": _KINDS[family], "link": place.text(link.strip())}


def _location(place: Place, attachment: str) -> dict[str, Any] | None:
    """The place of an attachment such as `geo:-23.55,-46.63`: None if it is none, empty if its coordinates cannot be read."""
    kind, _, written = attachment.partition(":")
    if kind.strip().lower() != "geo":
        return None
    parts = [place.text(part.strip()) for part in written.split(",")[:2]]
    limits = zip(parts, (90, 180), strict=False)
    if len(parts) == 2 and all("{{" in part or _is_coordinate(part, most) for part, most in limits):
        return {"latitude": parts[0], "longitude": parts[1]}
    place.lose("location_message", "loss", f"The coordinates `{written[:60]}` cannot be read.", ahead=True)
    return {}


def _is_coordinate(text: str, most: float) -> bool:
    number = as_float(text)
    return number is not None and abs(number) <= most


def say(place: Place, said: Said) -> None:
    """Add messages without a wait after them."""
    text = said.text
    if said.options:
        text = "\n".join([text, *(f"• {option}" for option in said.options)])
    alone = said.media[:-1] if text.strip() or len(said.media) > 1 else []
    for at, media in enumerate(alone):
        _translate_file(place, said, at, place.chain.add("message", {"media": media}, "message"))
    data: dict[str, Any] = {}
    if text.strip():
        data["text"] = text
    if said.media:
        data["media"] = said.media[-1]
    if data:
        node = place.chain.add("message", data, "message")
        _translate_file(place, said, len(said.media) - 1, node)
        for language, translated in said.translations.items():
            if "text" in data and translated:
                extra = [f"• {label}" for label in said.option_translations.get(language, said.options)]
                translation_table(place, language)[f"{node['id']}.text"] = "\n".join([translated, *extra])
    for shown in said.places:
        place.chain.add("message", {"location": shown}, "place")


def translation_table(place: Place, language: str) -> dict[str, str]:
    """The texts of the flow in a language of the source."""
    return place.flow.draft.texts.setdefault(pytake_language(language, language), {})


def _translate_file(place: Place, said: Said, at: int, node: dict[str, Any]) -> None:
    for language, links in said.file_translations.items():
        if 0 <= at < len(links) and links[at] and links[at] != said.media[at]["link"]:
            translation_table(place, language)[f"{node['id']}.media.link"] = links[at]


def interactive(place: Place, action: dict[str, Any]) -> Said:
    """The parts of one of Glific's interactive messages: quick replies or a list."""
    template = as_dict(place.flow.bundle.templates.get(as_text(action.get("id"))))
    content = _content(action.get("text")) or as_dict(template.get("interactive_content"))
    said = _interactive_parts(place, content)
    uuid = as_text(action.get("uuid"))
    for language, texts in place.translations(uuid, "text").items():
        inner = _interactive_parts(place, _content(texts[0]))
        said.translations[language], said.option_translations[language] = inner.text, inner.options
    return said


def _content(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    try:
        return as_dict(msgspec.json.decode(as_text(value)))
    except (msgspec.DecodeError, RecursionError):
        return {}


def _interactive_parts(place: Place, content: dict[str, Any]) -> Said:
    said = Said()
    inner = as_dict(content.get("content"))
    kind = as_text(content.get("type"))
    body = (
        as_text(inner.get("text")) or as_text(content.get("body")) or as_text(as_dict(content.get("body")).get("text"))
    )
    said.text = place.text(body)
    header, footer = as_text(inner.get("header")) or as_text(content.get("title")), as_text(inner.get("caption"))
    if kind == "list":
        said.list_button = as_text(next(iter(dicts(content.get("globalButtons"))), {}).get("title"))[: meta.LIST_BUTTON]
        for section in dicts(content.get("items")):
            for option in dicts(section.get("options")):
                said.options.append(place.text(as_text(option.get("title"))))
                said.descriptions.append(place.text(as_text(option.get("description"))))
    elif kind == "quick_reply":
        said.options = [place.text(as_text(option.get("title"))) for option in dicts(content.get("options"))]
        if as_text(inner.get("type")) in ("image", "video", "file"):
            media = {
                "type": {"file": "document"}.get(inner["type"], inner["type"]),
                "link": place.text(as_text(inner.get("url"))),
            }
            if media["link"]:
                said.media.append(media)
                header = ""
    elif kind == "location_request_message":
        said.asks_for_location = True
    else:
        message = f"The interactive message of type `{kind or 'unknown'}` cannot be read."
        place.lose("interactive_message", "blocker", message, ahead=True)
    said.options = [option for option in said.options if option.strip()]
    if header and len(header) <= meta.HEADER_TEXT and said.options:
        said.header = place.text(header)
    elif header and header.strip() != said.text.strip():
        said.text = f"*{place.text(header)}*\n{said.text}"
    if footer and said.options:
        said.footer = place.text(footer)[: meta.FOOTER]
    return said
