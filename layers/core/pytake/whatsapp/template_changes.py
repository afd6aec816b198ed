"""Meta's webhooks about templates: what each says.

Meta's own sample of `message_template_quality_update` carries the name of the status update, so the members decide.
Source: WhatsApp Business Platform, webhook reference (November 2026).
"""

from typing import Any

from msgspec import Struct

from pytake.whatsapp.json_values import identifier
from pytake.whatsapp.templates import Json, is_language, is_name, language_code, parts_of

FIELDS = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "message_template_components_update",
    }
)
_ORDER = ("HEADER", "BODY", "FOOTER", "LIMITED_TIME_OFFER", "BUTTONS", "CAROUSEL")


class TemplateChange(Struct, frozen=True):
    """What one webhook says of a template; a member that it does not say is None.

    `title` tells why the status changed (FIRST_PAUSE, UNPAUSE …). `next_category` is announced for the next day. `texts` is the
    value of a change of components.
    """

    name: str
    language: str
    id: str | None = None
    status: str | None = None
    reason: str | None = None
    title: str | None = None
    category: str | None = None
    next_category: str | None = None
    quality: str | None = None
    texts: Json | None = None


def read_change(value: Any) -> TemplateChange | None:
    """The change of a template; None if the value names no template or says nothing that is kept."""
    if not isinstance(value, dict):
        return None
    name, language = value.get("message_template_name"), value.get("message_template_language")
    if not is_name(name) or not is_language(language):
        return None
    found = TemplateChange(
        name,
        language_code(language),
        identifier(value.get("message_template_id")),
        **_status(value),
        **_categories(value),
        quality=_word(value.get("new_quality_score")),
        texts=value if isinstance(value.get("message_template_element"), str) else None,
    )
    said = (found.status, found.category, found.next_category, found.quality, found.texts)
    return found if any(said) else None


def changed_components(known: list[Json], texts: Json) -> list[Json]:
    """A template's components after a change of its texts.

    The webhook names texts and buttons only: a header with a file, an offer and a carousel stay as they are.
    """
    parts = parts_of(known)
    body, title, footer = (texts.get(f"message_template_{part}") for part in ("element", "title", "footer"))
    parts["BODY"] = {**parts.get("BODY", {}), "type": "BODY", "text": body}
    if isinstance(title, str):
        parts["HEADER"] = {**parts.get("HEADER", {}), "type": "HEADER", "format": "TEXT", "text": title}
    elif str(parts.get("HEADER", {}).get("format", "TEXT")).upper() == "TEXT":
        parts.pop("HEADER", None)
    if isinstance(footer, str):
        parts["FOOTER"] = {**parts.get("FOOTER", {}), "type": "FOOTER", "text": footer}
    else:
        parts.pop("FOOTER", None)
    buttons = texts.get("message_template_buttons")
    if isinstance(buttons, list):
        known_buttons = parts.get("BUTTONS", {}).get("buttons") or []
        parts["BUTTONS"] = {"type": "BUTTONS", "buttons": [_button(one, known_buttons) for one in buttons]}
    else:
        parts.pop("BUTTONS", None)
    return [parts[type_] for type_ in sorted(parts, key=lambda type_: _ORDER.index(type_) if type_ in _ORDER else 99)]


def _button(raw: Any, known: list[Json]) -> Json:
    """A button of the webhook; what it leaves out is taken from the known button with this type and text."""
    said = raw if isinstance(raw, dict) else {}
    names = ("type", "text", "url", "phone_number")
    found = {name: said.get(f"message_template_button_{name}") for name in names}
    button = {name: value for name, value in found.items() if isinstance(value, str)}
    same = next(
        (one for one in known if (one.get("type"), one.get("text")) == (button.get("type"), button.get("text"))), {}
    )
    return {**same, **button}


def _status(value: Json) -> dict[str, str | None]:
    status = _word(value.get("event"))
    if status is None or "new_quality_score" in value:
        return {}
    rejection, other = value.get("rejection_info"), value.get("other_info")
    reason = _word(value.get("reason")) or (_word(rejection.get("reason")) if isinstance(rejection, dict) else None)
    return {
        "status": status,
        "reason": reason if reason != "NONE" else None,
        "title": _word(other.get("title")) if isinstance(other, dict) else None,
    }


def _categories(value: Json) -> dict[str, str | None]:
    """The category now, and the announced one. A status update names the category too."""
    now = _word(value.get("new_category")) or _word(value.get("message_template_category"))
    return {"category": now, "next_category": _word(value.get("correct_category"))}


def _word(value: Any) -> str | None:
    """A word of Meta's vocabulary."""
    return (
        value.upper() if isinstance(value, str) and 0 < len(value) <= 64 and value.replace("_", "").isalnum() else None
    )
