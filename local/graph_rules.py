"""Meta's rules for the body of `POST /{version}/{phone_number_id}/messages`.

The checks are sometimes stricter than Meta's and never laxer: a message that passes here also passes there. Source:
WhatsApp Cloud API reference, "Messages" (November 2026). Lengths come from `pytake.whatsapp.limits`.
"""

import re
from collections.abc import Callable

from local.graph_errors import GraphApiError
from local.graph_fields import BAD_VALUE, INVALID, MISSING, Json, check_keys, check_media, list_at, object_at, text_at
from local.graph_interactive import check_interactive
from pytake.whatsapp import limits


def recipient_of(payload: Json) -> str:
    """The recipient of a message: the digits of a phone number, or a business-scoped user id. Raises `GraphApiError`.

    With both `to` and `recipient`, the phone number wins.
    """
    to, user_id = payload.get("to"), payload.get("recipient")
    if to is not None:
        if not isinstance(to, str) or not re.fullmatch(r"\+?[1-9]\d{6,14}", to, re.ASCII):
            raise GraphApiError(BAD_VALUE, "to must be 7 to 15 digits, with or without +")
        return to.removeprefix("+")
    if user_id is None:
        raise GraphApiError(MISSING, "The parameter to is required")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise GraphApiError(BAD_VALUE, "recipient must be a business-scoped user id such as BR.1A2B3C")
    return user_id


def is_user_id(text: str) -> bool:
    """Whether `text` has the form of a business-scoped user id."""
    return re.fullmatch(r"[A-Z]{2}(?:\.ENT)?\.[A-Za-z0-9]{1,128}", text) is not None


def check_product(payload: Json) -> None:
    """Check what every request to this path needs. Raises `GraphApiError`."""
    if payload.get("messaging_product") != "whatsapp":
        raise GraphApiError(INVALID, 'The parameter messaging_product is required and must be "whatsapp"')


def check_read(payload: Json) -> None:
    """Check a read receipt, with or without a typing indicator. Raises `GraphApiError`."""
    check_keys(payload, "", ("messaging_product", "status", "message_id", "typing_indicator"))
    if payload.get("status") != "read":
        raise GraphApiError(BAD_VALUE, 'status must be "read"')
    text_at(payload, "message_id", "", longest=512)
    if "typing_indicator" in payload and payload["typing_indicator"] != {"type": "text"}:
        raise GraphApiError(BAD_VALUE, 'typing_indicator must be {"type": "text"}')


MARKETING_KEYS = ("product_policy", "message_activity_sharing")
"""What a message to `/marketing_messages` may have besides."""


def check_marketing(policies: Json, category: str) -> str:
    """Check a message to `/marketing_messages`, whose template has this category.

    Returns the category that it is priced in. Raises `GraphApiError`.
    """
    policy, sharing = (policies.get(name, other) for name, other in zip(MARKETING_KEYS, ("STRICT", True), strict=True))
    if policy not in ("CLOUD_API_FALLBACK", "STRICT") or not isinstance(sharing, bool):
        raise GraphApiError(
            INVALID, "product_policy is CLOUD_API_FALLBACK or STRICT, message_activity_sharing is a boolean"
        )
    if category != "marketing":
        raise GraphApiError(134100, "Only marketing templates are supported by this endpoint")
    return "marketing_lite"


def check_message(payload: Json) -> None:
    """Check a message against every limit, except its recipient. Raises `GraphApiError`."""
    if payload.get("recipient_type", "individual") != "individual":
        raise GraphApiError(BAD_VALUE, 'recipient_type must be "individual"')
    kind = payload.get("type", "text")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise GraphApiError(
            INVALID, f"Param type must be one of {{{', '.join(sorted(_CHECKS)).upper()}}}, got {kind!r}"
        )
    known = ("messaging_product", "recipient_type", "to", "recipient", "type", "biz_opaque_callback_data", "context")
    check_keys(payload, "", (*known, kind))
    text_at(payload, "biz_opaque_callback_data", "", longest=limits.CALLBACK_DATA, required=False)
    if "context" in payload:
        text_at(object_at(payload, "context", ""), "message_id", "context", longest=limits.META_ID)
        if kind == "reaction":
            raise GraphApiError(INVALID, "A reaction names its message and has no context")
    check(payload)


def _check_text(payload: Json) -> None:
    text = object_at(payload, "text", "")
    check_keys(text, "text", ("body", "preview_url"))
    text_at(text, "body", "text", longest=limits.TEXT_BODY)
    if not isinstance(text.get("preview_url", False), bool):
        raise GraphApiError(INVALID, "Param text['preview_url'] must be a boolean")


def _media_check(kind: str) -> Callable[[Json], None]:
    keys = {"id", "link"}
    keys |= {"caption"} if kind in {"image", "video", "document"} else set()
    keys |= {"filename"} if kind == "document" else {"voice"} if kind == "audio" else set()

    def check(payload: Json) -> None:
        check_media(object_at(payload, kind, ""), kind, keys)

    return check


def _check_location(payload: Json) -> None:
    location = object_at(payload, "location", "")
    check_keys(location, "location", ("latitude", "longitude", "name", "address"))
    for key, most in (("latitude", 90), ("longitude", 180)):
        if key not in location:
            raise GraphApiError(MISSING, f"location.{key} is required")
        try:
            value = float(location[key])
        except (TypeError, ValueError, OverflowError):
            raise GraphApiError(BAD_VALUE, f"location.{key} must be a number") from None
        if not abs(value) <= most:
            raise GraphApiError(BAD_VALUE, f"location.{key} must be between -{most} and {most}")


def _check_contacts(payload: Json) -> None:
    for at, card in enumerate(list_at(payload, "contacts", "", most=limits.CONTACT_CARDS)):
        path = f"contacts[{at}]"
        name = object_at(card, "name", path)
        text_at(name, "formatted_name", f"{path}.name", longest=limits.CONTACT_NAME)


def _check_reaction(payload: Json) -> None:
    reaction = object_at(payload, "reaction", "")
    check_keys(reaction, "reaction", ("message_id", "emoji"))
    text_at(reaction, "message_id", "reaction", longest=limits.META_ID)
    if not isinstance(reaction.get("emoji"), str):
        raise GraphApiError(MISSING, "reaction.emoji is required; empty removes the reaction")
    if reaction["emoji"] and (reaction["emoji"].isascii() or len(reaction["emoji"]) > limits.EMOJI):
        raise GraphApiError(BAD_VALUE, "reaction.emoji must be one emoji")


def _check_template(payload: Json) -> None:
    template = object_at(payload, "template", "")
    check_keys(template, "template", ("name", "language", "components", "namespace"))
    name = text_at(template, "name", "template", longest=512)
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise GraphApiError(132001, f"Template name {name!r} does not exist: names contain only a-z, 0-9 and _")
    language = object_at(template, "language", "template")
    text_at(language, "code", "template.language", longest=16)
    for at, component in enumerate(list_at(template, "components", "template", least=0, required=False)):
        path = f"template.components[{at}]"
        kind = text_at(component, "type", path, longest=32).lower()
        if kind not in {"header", "body", "button", "carousel", "limited_time_offer"}:
            raise GraphApiError(BAD_VALUE, f"{path}.type {kind!r} is unknown")
        if kind == "button":
            text_at(component, "sub_type", path, longest=32)
            if str(component.get("index")) not in {str(index) for index in range(10)}:
                raise GraphApiError(BAD_VALUE, f"{path}.index must be 0 to 9")
        for number, parameter in enumerate(list_at(component, "parameters", path, least=0, required=False)):
            _check_parameter(parameter, f"{path}.parameters[{number}]", in_body=kind == "body")


def _check_parameter(parameter: Json, path: str, *, in_body: bool) -> None:
    kind = text_at(parameter, "type", path, longest=32)
    if kind != "text":
        return
    text = text_at(parameter, "text", path, longest=32768)
    if in_body and (re.search(r"[\n\t]", text) or " " * 5 in text):
        raise GraphApiError(
            132018, f"{path}.text cannot have new-line/tab characters or more than 4 consecutive spaces"
        )


_CHECKS: dict[str, Callable[[Json], None]] = {
    "text": _check_text,
    "interactive": check_interactive,
    "template": _check_template,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    **{kind: _media_check(kind) for kind in ("image", "video", "audio", "document", "sticker")},
}
