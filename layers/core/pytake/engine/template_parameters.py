"""The parameters of a template message, brought into the form that Meta takes.

Meta refuses the whole message for an empty parameter, and for a line break, a tab or more than four spaces in a text. Source:
WhatsApp Cloud API reference, "Template messages" (November 2026).
"""

import re
from collections.abc import Iterator
from typing import Any

from pytake.engine.facts import FileUse
from pytake.engine.sending import file_name, meta_id, web_address
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.library_files import PARAMETER_KINDS, is_library_file

Json = dict[str, Any]
_BREAKS = re.compile(r"\s*[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\s*| {5,}")
_TEXT_LIMITS = {"body": meta.TEMPLATE_BODY, "header": meta.TEMPLATE_HEADER}
_CODE_LIMITS = {"payload": meta.TEMPLATE_PAYLOAD, "coupon_code": meta.COUPON_CODE}


class UnusableParameterError(ValueError):
    """A parameter is empty or not what Meta takes, and cannot be shortened. `field` is its place in the components."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is empty or not what Meta takes")
        self.field = field


def sendable_components(components: list[Json], where: str = "components") -> list[Json]:
    """The components of a send with parameters that Meta takes. Raises `UnusableParameterError`."""
    return [_component(one, f"{where}[{at}]") for at, one in enumerate(components)]


def library_files(components: list[Json], where: str = "components") -> Iterator[FileUse]:
    """The library files that the parameters name."""
    for at, component in enumerate(components):
        parameters, cards = component.get("parameters"), component.get("cards")
        for number, parameter in enumerate(parameters if isinstance(parameters, list) else ()):
            kind = str(parameter.get("type")) if isinstance(parameter, dict) else ""
            file = parameter.get(kind) if kind in PARAMETER_KINDS else None
            if isinstance(file, dict) and is_library_file(file.get("id")) and "{{" not in file["id"]:
                sent_as = "video" if kind == "gif" else kind
                yield FileUse(file["id"], sent_as, f"{where}[{at}].parameters[{number}].{kind}.id")
        for number, card in enumerate(cards if isinstance(cards, list) else ()):
            if isinstance(card, dict) and isinstance(card.get("components"), list):
                yield from library_files(card["components"], f"{where}[{at}].cards[{number}].components")


def _component(component: Json, where: str) -> Json:
    found = dict(component)
    type_, parameters, cards = component.get("type"), component.get("parameters"), component.get("cards")
    if isinstance(parameters, list):
        found["parameters"] = [
            _parameter(one, str(type_).lower(), f"{where}.parameters[{at}]") if isinstance(one, dict) else one
            for at, one in enumerate(parameters)
        ]
    if isinstance(cards, list):
        found["cards"] = [
            {**card, "components": sendable_components(card["components"], f"{where}.cards[{at}].components")}
            if isinstance(card, dict) and isinstance(card.get("components"), list)
            else card
            for at, card in enumerate(cards)
        ]
    return found


def _parameter(parameter: Json, component: str, where: str) -> Json:
    kind = str(parameter.get("type"))
    value: Any = parameter.get(kind)
    if kind == "text":
        value = _text(value, _TEXT_LIMITS.get(component))
    elif kind in _CODE_LIMITS:
        value = _text(value, None, _CODE_LIMITS[kind])
    elif kind in PARAMETER_KINDS and isinstance(value, dict):
        value = _file(value)
    elif kind in ("currency", "date_time") and isinstance(value, dict):
        text = _text(value.get("fallback_value"), meta.TEMPLATE_BODY)
        value = {**value, "fallback_value": text} if text else None
    elif kind == "location" and isinstance(value, dict):
        texts = {key: _text(value[key], meta.PLACE_TEXT) for key in ("name", "address") if key in value}
        value = {**value, **texts} if all(texts.values()) else None
    else:
        return parameter
    if not value:
        raise UnusableParameterError(f"{where}.{kind}")
    return {**parameter, kind: value}


def _text(value: Any, shorten_to: int | None, longest: int = meta.ADDRESS) -> str | None:
    """The text in one line; None if it is empty, or too long for something that is used as a whole, such as a code."""
    text = _BREAKS.sub(" ", str(value or "")).strip()
    if shorten_to is not None:
        return truncate(text, shorten_to) or None
    return text if 0 < len(text) <= longest else None


def _file(value: Json) -> Json | None:
    found = dict(value)
    for key, usable in (("link", web_address), ("id", meta_id)):
        if key in value:
            found[key] = usable(str(value[key]))
    if "filename" in value:
        found["filename"] = file_name(str(value["filename"]))
    found = {key: one for key, one in found.items() if one is not None}
    return found if "link" in found or "id" in found else None
