"""Message templates in Meta's terms, and whether the parameters of a send fit one.

Source: WhatsApp Business Management API, "Message templates" and "Template components" (November 2026).
"""

import re
from collections.abc import Iterator
from typing import Any, Literal, TypeGuard

from msgspec import Struct

from pytake.whatsapp.json_values import identifier, objects_of

Json = dict[str, Any]

NAME = r"^[a-z0-9_]{1,512}$"
LANGUAGE = r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$"

STOPPED_STATUSES = frozenset({"PAUSED", "DISABLED", "REJECTED"})
"""Meta refuses to send these until something changes."""

UNSENDABLE_STATUSES = STOPPED_STATUSES | {
    *("PENDING", "IN_APPEAL", "PENDING_DELETION", "DELETED", "ARCHIVED", "LOCKED", "LIMIT_EXCEEDED")
}
"""With these Meta takes no new message. FLAGGED (bad quality: Meta may disable it), REINSTATED and UNARCHIVED ones are sent, and
so are those with statuses that Meta adds later."""

_VARIABLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_TEXT_TYPES = ("text", "currency", "date_time")
_MEDIA_FORMATS = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document", "GIF": "gif", "LOCATION": "location"}
# What the parameter of a button is, and whether the button cannot be sent without it.
_BUTTONS: dict[str, tuple[str, str, bool]] = {
    "QUICK_REPLY": ("quick_reply", "payload", False),
    "COPY_CODE": ("copy_code", "coupon_code", True),
    "FLOW": ("flow", "action", False),
    "CATALOG": ("catalog", "action", False),
    "MPM": ("mpm", "action", True),
    "ORDER_DETAILS": ("order_details", "action", True),
}


class MessageTemplate(Struct, frozen=True, omit_defaults=True):
    """A template of a WhatsApp Business account. `components` None: not known. `quality`: GREEN, YELLOW, RED or UNKNOWN.

    `reason` is why Meta rejected or stopped it. Only an APPROVED template is certain to be sent.
    """

    name: str
    language: str
    id: str | None = None
    category: str | None = None
    status: str | None = None
    parameter_format: Literal["POSITIONAL", "NAMED"] = "POSITIONAL"
    components: list[Json] | None = None
    quality: str | None = None
    reason: str | None = None


class Mismatch(Struct, frozen=True):
    """A part of a send that does not fit its template. `kind`: Meta refuses a wrong `count` with 132000, a wrong `format` with
    132012. `field` is the place below the send's `components`."""

    kind: Literal["count", "format"]
    field: str
    message: str


def language_code(written: str) -> str:
    """A language as the API writes it: webhooks write `en-US` for `en_US`."""
    return written.replace("-", "_")


def read_template(raw: Any) -> MessageTemplate | None:
    """A template as the Graph API lists it; None if it has no usable name or language."""
    if not isinstance(raw, dict):
        return None
    name, language = raw.get("name"), raw.get("language")
    if not is_name(name) or not is_language(language):
        return None
    components, quality = raw.get("components"), raw.get("quality_score")
    reason = _upper(raw.get("rejected_reason"))
    return MessageTemplate(
        name,
        language_code(language),
        identifier(raw.get("id")),
        _upper(raw.get("category")),
        _upper(raw.get("status")),
        "NAMED" if _upper(raw.get("parameter_format")) == "NAMED" else "POSITIONAL",
        objects_of(components) if isinstance(components, list) else None,
        _upper(quality.get("score")) if isinstance(quality, dict) else None,
        reason if reason != "NONE" else None,
    )


def is_name(value: Any) -> TypeGuard[str]:
    """Whether this is the name of a template."""
    return isinstance(value, str) and re.fullmatch(NAME, value) is not None


def is_language(value: Any) -> TypeGuard[str]:
    """Whether this has the form of a language code."""
    return isinstance(value, str) and re.fullmatch(LANGUAGE, value) is not None


def variables_of(text: Any) -> list[str]:
    """The variables of a text, each once: `1`, `2` … or names."""
    return list(dict.fromkeys(_VARIABLE.findall(text))) if isinstance(text, str) else []


def parts_of(components: list[Json] | None) -> dict[str, Json]:
    """A template's components by type. Meta writes types in upper case and takes both cases."""
    return {str(part.get("type", "")).upper(): part for part in components or []}


def mismatches(template: MessageTemplate, components: list[Json]) -> list[Mismatch]:
    """What does not fit in the `components` of a send. A template whose components are not known fits everything."""
    if template.components is None:
        return []
    return list(_mismatches(template, parts_of(template.components), components, ""))


def _mismatches(template: MessageTemplate, parts: dict[str, Json], sent: list[Json], where: str) -> Iterator[Mismatch]:
    given: dict[str, tuple[str, Json]] = {}
    buttons: dict[str, tuple[str, Json]] = {}
    for at, component in enumerate(sent):
        field, type_ = f"{where}{at}", str(component.get("type", "")).lower()
        if type_ == "button":
            buttons[str(component.get("index"))] = field, component
        elif type_ in ("header", "body", "limited_time_offer", "carousel"):
            given[type_] = field, component
        else:
            yield Mismatch(
                "format", field, f"`{type_}` is not a component of a send: header, body, button or carousel."
            )
    yield from _header(template, parts.get("HEADER"), *given.get("header", (f"{where}header", None)))
    yield from _body(template, parts.get("BODY"), *given.get("body", (f"{where}body", None)))
    yield from _buttons(template, parts.get("BUTTONS"), buttons, where)
    offer = parts.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer")
    if isinstance(offer, dict) and offer.get("has_expiration") and "limited_time_offer" not in given:
        yield Mismatch("count", f"{where}limited_time_offer", "The offer needs the time when it ends.")
    if "CAROUSEL" in parts:
        yield from _cards(template, parts["CAROUSEL"], *given.get("carousel", (f"{where}carousel", None)))


def _header(template: MessageTemplate, part: Json | None, field: str, sent: Json | None) -> Iterator[Mismatch]:
    format_ = str(part.get("format", "TEXT")).upper() if part is not None else ""
    parameters = _parameters(sent)
    if part is not None and format_ == "TEXT":
        yield from _texts(template, "The header", variables_of(part.get("text")), field, parameters)
        return
    kind = _MEDIA_FORMATS.get(format_) or ("product" if format_ == "PRODUCT" else None)
    if kind is None:
        if parameters:
            yield Mismatch("count", field, "The template's header has no parameters.")
    elif len(parameters) != 1:
        yield Mismatch("format" if not parameters else "count", field, f"The header needs one parameter: its {kind}.")
    elif parameters[0].get("type") != kind:
        yield Mismatch("format", f"{field}.parameters.0", f"The header is of type {kind}.")


def _body(template: MessageTemplate, part: Json | None, field: str, sent: Json | None) -> Iterator[Mismatch]:
    names = variables_of(part.get("text")) if part is not None else []
    if part is not None and template.category == "AUTHENTICATION" and "text" not in part:
        names = ["1"]  # Meta writes the text of authentication templates
    yield from _texts(template, "The body", names, field, _parameters(sent))


def _texts(
    template: MessageTemplate, place: str, names: list[str], field: str, parameters: list[Json]
) -> Iterator[Mismatch]:
    """Check the parameters of a text with these variables."""
    if len(parameters) != len(names):
        yield Mismatch("count", field, f"{place} has {len(names)} parameters; {len(parameters)} are given.")
        return
    for at, parameter in enumerate(parameters):
        if parameter.get("type") not in _TEXT_TYPES:
            yield Mismatch("format", f"{field}.parameters.{at}", f"{place} takes text, currency and date_time.")
    if template.parameter_format != "NAMED":
        return
    given = [parameter.get("parameter_name") for parameter in parameters]
    missing = [name for name in names if name not in given]
    if missing:
        yield Mismatch("format", field, f"{place} needs `parameter_name`: {', '.join(missing)}.")


def _buttons(
    template: MessageTemplate, part: Json | None, sent: dict[str, tuple[str, Json]], where: str
) -> Iterator[Mismatch]:
    known = objects_of(part.get("buttons")) if part is not None else []
    for at, button in enumerate(known):
        sub_type, kind, required = _button(template, button)
        found = sent.get(str(at))
        if found is None:
            if required:
                message = f"The button {at} needs a parameter: `sub_type` {sub_type}, `type` {kind}."
                yield Mismatch("count", f"{where}buttons.{at}", message)
            continue
        field, component = found
        if not sub_type:
            yield Mismatch("count", field, f"The button {at} has no parameters.")
        elif str(component.get("sub_type", "")).lower() != sub_type:
            yield Mismatch("format", f"{field}.sub_type", f"The button {at} has the `sub_type` {sub_type}.")
        elif len(parameters := _parameters(component)) != 1:
            yield Mismatch("count", field, f"The button {at} has one parameter.")
        elif parameters[0].get("type") != kind:
            yield Mismatch("format", f"{field}.parameters.0", f"The parameter of the button {at} has the type {kind}.")
    for index, (field, _) in sent.items():
        if not index.isdecimal() or int(index) >= len(known):
            yield Mismatch("count", f"{field}.index", f"The template has no button with the index {index}.")


def _button(template: MessageTemplate, button: Json) -> tuple[str, str, bool]:
    type_ = str(button.get("type", "")).upper()
    if type_ == "URL" and variables_of(button.get("url")):
        return "url", "text", True
    if type_ == "OTP" and template.category == "AUTHENTICATION":  # stored as a URL button
        return "url", "text", True
    return _BUTTONS.get(type_, ("", "", False))


def _cards(template: MessageTemplate, part: Json, field: str, sent: Json | None) -> Iterator[Mismatch]:
    defined = [card for card in part.get("cards") or [] if isinstance(card, dict)]
    given = objects_of(sent.get("cards")) if sent is not None else []
    shapes = [parts_of(card.get("components")) for card in defined]
    sells = any(str(shape.get("HEADER", {}).get("format")).upper() == "PRODUCT" for shape in shapes)
    if len(given) != len(defined) and not (sells and 2 <= len(given) <= 10):
        yield Mismatch("count", f"{field}.cards", f"The carousel has {len(defined)} cards; {len(given)} are given.")
        return
    for at, card in enumerate(given):
        shape = shapes[min(at, len(shapes) - 1)]
        yield from _mismatches(template, shape, objects_of(card.get("components")), f"{field}.cards.{at}.components.")


def _parameters(component: Json | None) -> list[Json]:
    return objects_of(component.get("parameters")) if component is not None else []


def _upper(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) and value else None
