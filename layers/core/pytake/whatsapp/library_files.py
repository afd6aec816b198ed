"""Library files in messages: the organization's own id stands where Meta's belongs until the message is sent."""

from collections.abc import Callable
from typing import Any, TypeGuard, TypeVar

from msgspec.structs import replace

from pytake.whatsapp.outbound import Carousel, CtaUrl, Media, MediaHeader, OutboundMessage, ReplyButtons, Template

LIBRARY_FILE = "file-"
"""What the id of a library file begins with. No id of Meta's does."""

PARAMETER_KINDS = ("image", "video", "document", "gif")
"""The parameters of templates that are files."""

Json = dict[str, Any]
ToMeta = Callable[[str], str]
_File = TypeVar("_File", Media, MediaHeader)


def with_meta_ids(message: OutboundMessage, to_meta: ToMeta) -> OutboundMessage:
    """The message with Meta's ids in place of those of library files. One without such files is returned as it is."""
    match message:
        case Media():
            return _file(message, to_meta)
        case ReplyButtons(header=MediaHeader() as header) | CtaUrl(header=MediaHeader() as header):
            found = _file(header, to_meta)
            return message if found is header else replace(message, header=found)
        case Carousel():
            headers = [card.header and _file(card.header, to_meta) for card in message.cards]
            if all(header is card.header for header, card in zip(headers, message.cards, strict=True)):
                return message
            cards = [replace(card, header=header) for header, card in zip(headers, message.cards, strict=True)]
            return replace(message, cards=cards)
        case Template(components=[_, *_] as components):
            changed = [_part(component, to_meta) for component in components]
            return message if changed == components else replace(message, components=changed)
        case _:
            return message


def _file(file: _File, to_meta: ToMeta) -> _File:
    return replace(file, id=to_meta(file.id)) if is_library_file(file.id) else file


def is_library_file(id_: Any) -> TypeGuard[str]:
    """Whether this is an id of a library file, and none of Meta's."""
    return isinstance(id_, str) and id_.startswith(LIBRARY_FILE)


def _part(part: Any, to_meta: ToMeta) -> Any:
    """A component of a template, a card of its carousel, or a parameter."""
    if not isinstance(part, dict):
        return part
    found = dict(part)
    for name in ("parameters", "cards", "components"):
        if isinstance(part.get(name), list):
            found[name] = [_part(one, to_meta) for one in part[name]]
    for kind in PARAMETER_KINDS:
        if isinstance(value := part.get(kind), dict) and is_library_file(value.get("id")):
            found[kind] = {**value, "id": to_meta(value["id"])}
    return found
