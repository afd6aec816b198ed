"""Meta's rules for the body of `POST /{version}/{phone_number_id}/messages`.

The checks are sometimes stricter than Meta's and never laxer: a message that passes here also passes there. Source:
WhatsApp Cloud API reference, "Messages" (November 2026). Lengths come from `pytake.whatsapp.limits`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from local.graph_errors import GraphApiError
from pytake.whatsapp import limits

Json = dict[str, Any]

INVALID, MISSING, BAD_VALUE = 100, 131008, 131009


def recipient_of(payload: Json) -> str:
    """The recipient of a message: the digits of a phone number, or a business-scoped user id. Raises `GraphApiError`."""
    to, user_id = payload.get("to"), payload.get("recipient")
    if to is not None and user_id is not None:
        raise GraphApiError(INVALID, "Give either to or recipient, not both")
    if to is not None:
        if not isinstance(to, str) or not re.fullmatch(r"\+[1-9]\d{6,14}", to, re.ASCII):
            raise GraphApiError(BAD_VALUE, 'to must be "+" and 7 to 15 digits')
        return to[1:]
    if user_id is None:
        raise GraphApiError(MISSING, "The parameter to is required")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise GraphApiError(BAD_VALUE, "recipient must be a business-scoped user id such as BR.1A2B3C")
    return user_id


def is_user_id(text: str) -> bool:
    """Whether `text` has the form of a business-scoped user id."""
    return re.fullmatch(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}", text) is not None


def check_product(payload: Json) -> None:
    """Check what every request to this path needs. Raises `GraphApiError`."""
    if payload.get("messaging_product") != "whatsapp":
        raise GraphApiError(INVALID, 'The parameter messaging_product is required and must be "whatsapp"')


def check_read(payload: Json) -> None:
    """Check a read receipt, with or without a typing indicator. Raises `GraphApiError`."""
    _only(payload, "", ("messaging_product", "status", "message_id", "typing_indicator"))
    if payload.get("status") != "read":
        raise GraphApiError(BAD_VALUE, 'status must be "read"')
    _text(payload, "message_id", "", longest=512)
    if "typing_indicator" in payload and payload["typing_indicator"] != {"type": "text"}:
        raise GraphApiError(BAD_VALUE, 'typing_indicator must be {"type": "text"}')


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
    _only(payload, "", (*known, kind))
    _text(payload, "biz_opaque_callback_data", "", longest=limits.CALLBACK_DATA, required=False)
    if "context" in payload:
        _text(_object(payload, "context", ""), "message_id", "context", longest=512)
    check(payload)


def _check_text(payload: Json) -> None:
    text = _object(payload, "text", "")
    _only(text, "text", ("body", "preview_url"))
    _text(text, "body", "text", longest=limits.TEXT_BODY)
    if not isinstance(text.get("preview_url", False), bool):
        raise GraphApiError(INVALID, "Param text['preview_url'] must be a boolean")


def _check_media(kind: str) -> Callable[[Json], None]:
    keys = {"id", "link"}
    keys |= {"caption"} if kind in {"image", "video", "document"} else set()
    keys |= {"filename"} if kind == "document" else {"voice"} if kind == "audio" else set()

    def check(payload: Json) -> None:
        _media(_object(payload, kind, ""), kind, keys)

    return check


def _media(media: Json, path: str, keys: Iterable[str]) -> None:
    _only(media, path, keys)
    _text(media, "caption", path, longest=limits.CAPTION, required=False)
    _text(media, "filename", path, longest=240, required=False)
    if ("id" in media) == ("link" in media):
        raise GraphApiError(INVALID, f"Give exactly one of id and link in {path}")
    if "link" in media:
        _url(media, "link", path)
    else:
        _text(media, "id", path, longest=512)


def _check_location(payload: Json) -> None:
    location = _object(payload, "location", "")
    _only(location, "location", ("latitude", "longitude", "name", "address"))
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
    for at, card in enumerate(_list(payload, "contacts", "", most=257)):
        path = f"contacts[{at}]"
        name = _object(card, "name", path)
        _text(name, "formatted_name", f"{path}.name", longest=1024)


def _check_reaction(payload: Json) -> None:
    reaction = _object(payload, "reaction", "")
    _only(reaction, "reaction", ("message_id", "emoji"))
    _text(reaction, "message_id", "reaction", longest=512)
    if not isinstance(reaction.get("emoji"), str):
        raise GraphApiError(MISSING, "reaction.emoji is required; empty removes the reaction")


def _check_template(payload: Json) -> None:
    template = _object(payload, "template", "")
    _only(template, "template", ("name", "language", "components", "namespace"))
    name = _text(template, "name", "template", longest=512)
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise GraphApiError(132001, f"Template name {name!r} does not exist: names contain only a-z, 0-9 and _")
    language = _object(template, "language", "template")
    _text(language, "code", "template.language", longest=16)
    for at, component in enumerate(_list(template, "components", "template", least=0, required=False)):
        path = f"template.components[{at}]"
        kind = _text(component, "type", path, longest=32).lower()
        if kind not in {"header", "body", "button", "carousel", "limited_time_offer"}:
            raise GraphApiError(BAD_VALUE, f"{path}.type {kind!r} is unknown")
        if kind == "button":
            _text(component, "sub_type", path, longest=32)
            if str(component.get("index")) not in {str(index) for index in range(10)}:
                raise GraphApiError(BAD_VALUE, f"{path}.index must be 0 to 9")
        for number, parameter in enumerate(_list(component, "parameters", path, least=0, required=False)):
            _check_parameter(parameter, f"{path}.parameters[{number}]", in_body=kind == "body")


def _check_parameter(parameter: Json, path: str, *, in_body: bool) -> None:
    kind = _text(parameter, "type", path, longest=32)
    if kind != "text":
        return
    text = _text(parameter, "text", path, longest=32768)
    if in_body and (re.search(r"[\n\t]", text) or " " * 5 in text):
        raise GraphApiError(
            132018, f"{path}.text cannot have new-line/tab characters or more than 4 consecutive spaces"
        )


def _check_interactive(payload: Json) -> None:
    interactive = _object(payload, "interactive", "")
    kind = _text(interactive, "type", "interactive", longest=64)
    check = _INTERACTIVE.get(kind)
    if check is None:
        raise GraphApiError(
            INVALID, f"Param interactive['type'] must be one of {{{', '.join(sorted(_INTERACTIVE))}}}, got {kind}"
        )
    plain = kind == "location_request_message"
    _only(interactive, "interactive", ("type", "body", "action", *(() if plain else ("header", "footer"))))
    body = _object(interactive, "body", "interactive")
    longest = limits.LIST_BODY if kind == "list" else limits.INTERACTIVE_BODY
    _text(body, "text", "interactive.body", longest=longest)
    if "footer" in interactive:
        footer = _object(interactive, "footer", "interactive")
        _text(footer, "text", "interactive.footer", longest=limits.FOOTER)
    if "header" in interactive:
        _header(_object(interactive, "header", "interactive"), text_only=kind == "list")
    check(_object(interactive, "action", "interactive"))


def _header(header: Json, *, text_only: bool) -> None:
    path = "interactive.header"
    kind = _text(header, "type", path, longest=16)
    allowed = ("text",) if text_only else ("text", "image", "video", "document")
    if kind not in allowed:
        raise GraphApiError(BAD_VALUE, f"{path}.type must be one of {', '.join(allowed)}")
    _only(header, path, ("type", kind, "sub_text"))
    if kind == "text":
        _text(header, "text", path, longest=limits.HEADER_TEXT)
    else:
        keys = ("id", "link", "filename") if kind == "document" else ("id", "link")
        _media(_object(header, kind, path), f"{path}.{kind}", keys)


def _buttons(action: Json) -> None:
    path = "interactive.action.buttons"
    replies = []
    for at, button in enumerate(_list(action, "buttons", "interactive.action", most=limits.BUTTONS)):
        if button.get("type") != "reply":
            raise GraphApiError(BAD_VALUE, f'{path}[{at}].type must be "reply"')
        reply = _object(button, "reply", f"{path}[{at}]")
        _text(reply, "id", f"{path}[{at}].reply", longest=limits.BUTTON_ID)
        _text(reply, "title", f"{path}[{at}].reply", longest=limits.BUTTON_TITLE)
        replies.append(reply)
    _unique(replies, "id", path)
    _unique(replies, "title", path)


def _options(action: Json) -> None:
    _text(action, "button", "interactive.action", longest=limits.LIST_BUTTON)
    sections = _list(action, "sections", "interactive.action", most=limits.LIST_ROWS)
    rows = []
    for at, section in enumerate(sections):
        path = f"interactive.action.sections[{at}]"
        _text(section, "title", path, longest=limits.ROW_TITLE, required=len(sections) > 1)
        for number, row in enumerate(_list(section, "rows", path)):
            _only(row, f"{path}.rows[{number}]", ("id", "title", "description"))
            _text(row, "id", f"{path}.rows[{number}]", longest=limits.ROW_ID)
            _text(row, "title", f"{path}.rows[{number}]", longest=limits.ROW_TITLE)
            _text(row, "description", f"{path}.rows[{number}]", longest=limits.ROW_DESCRIPTION, required=False)
            rows.append(row)
    if len(rows) > limits.LIST_ROWS:
        raise GraphApiError(
            BAD_VALUE, f"Total row count exceeds the allowed maximum: {limits.LIST_ROWS}, got {len(rows)}"
        )
    _unique(rows, "id", "interactive.action.sections")


def _cta_url(action: Json) -> None:
    parameters = _named(action, "cta_url")
    _text(parameters, "display_text", "interactive.action.parameters", longest=limits.CTA_DISPLAY_TEXT)
    _url(parameters, "url", "interactive.action.parameters")


def _location_request(action: Json) -> None:
    if action != {"name": "send_location"}:
        raise GraphApiError(BAD_VALUE, 'interactive.action must be {"name": "send_location"}')


def _flow(action: Json) -> None:
    path = "interactive.action.parameters"
    parameters = _named(action, "flow")
    if parameters.get("flow_message_version") != "3":
        raise GraphApiError(BAD_VALUE, f'{path}.flow_message_version must be "3"')
    if ("flow_id" in parameters) == ("flow_name" in parameters):
        raise GraphApiError(INVALID, f"Give exactly one of flow_id and flow_name in {path}")
    _text(parameters, "flow_id" if "flow_id" in parameters else "flow_name", path, longest=200)
    _text(parameters, "flow_cta", path, longest=limits.FLOW_CTA)
    _text(parameters, "flow_token", path, longest=1024, required=False)
    kind = parameters.get("flow_action", "navigate")
    if kind not in ("navigate", "data_exchange"):
        raise GraphApiError(BAD_VALUE, f"{path}.flow_action must be navigate or data_exchange")
    if "flow_action_payload" in parameters:
        start = _object(parameters, "flow_action_payload", path)
        _text(start, "screen", f"{path}.flow_action_payload", longest=200, required=False)
        if "data" in start and (not isinstance(start["data"], dict) or not start["data"]):
            raise GraphApiError(BAD_VALUE, f"{path}.flow_action_payload.data must be a non-empty object")


def _named(action: Json, name: str) -> Json:
    if action.get("name") != name:
        raise GraphApiError(BAD_VALUE, f'interactive.action.name must be "{name}"')
    return _object(action, "parameters", "interactive.action")


def _object(parent: Json, key: str, path: str) -> Json:
    if key not in parent:
        raise GraphApiError(MISSING, f"{_at(path, key)} is required")
    found = parent[key]
    if not isinstance(found, dict):
        raise GraphApiError(INVALID, f"{_at(path, key)} must be a JSON object")
    return found


def _list(
    parent: Json, key: str, path: str, *, least: int = 1, most: int | None = None, required: bool = True
) -> Sequence[Json]:
    found = parent.get(key)
    if found is None:
        if required:
            raise GraphApiError(MISSING, f"{_at(path, key)} is required")
        return ()
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise GraphApiError(INVALID, f"{_at(path, key)} must be a list of JSON objects")
    if len(found) < least or (most is not None and len(found) > most):
        raise GraphApiError(
            BAD_VALUE, f"Invalid count of {_at(path, key)}: {len(found)}. Min: {least}, max: {most or 'none'}"
        )
    return found


def _text(parent: Json, key: str, path: str, *, longest: int, required: bool = True) -> str:
    found = parent.get(key)
    if found is None:
        if required:
            raise GraphApiError(MISSING, f"{_at(path, key)} is required")
        return ""
    if not isinstance(found, str):
        raise GraphApiError(INVALID, f"{_at(path, key)} must be a string")
    if required and not found.strip():
        raise GraphApiError(BAD_VALUE, f"{_at(path, key)} must not be empty")
    if len(found) > longest:
        raise GraphApiError(
            BAD_VALUE, f"{_at(path, key)} length invalid. Min length: 1, max length: {longest}, got {len(found)}"
        )
    return found


def _url(parent: Json, key: str, path: str) -> None:
    if not re.match(r"https?://[^\s/]+", _text(parent, key, path, longest=2048)):
        raise GraphApiError(BAD_VALUE, f"{_at(path, key)} must be an http or https address")


def _unique(items: Iterable[Json], key: str, path: str) -> None:
    values = [item[key] for item in items]
    if len(set(values)) < len(values):
        raise GraphApiError(BAD_VALUE, f"Duplicated {key} in {path}")


def _only(found: Json, path: str, keys: Iterable[str]) -> None:
    unexpected = sorted(set(found) - set(keys))
    if unexpected:
        raise GraphApiError(INVALID, f'Unexpected key "{unexpected[0]}" on param "{path or "message"}"')


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_CHECKS: dict[str, Callable[[Json], None]] = {
    "text": _check_text,
    "interactive": _check_interactive,
    "template": _check_template,
    "location": _check_location,
    "contacts": _check_contacts,
    "reaction": _check_reaction,
    **{kind: _check_media(kind) for kind in ("image", "video", "audio", "document", "sticker")},
}

_INTERACTIVE: dict[str, Callable[[Json], None]] = {
    "button": _buttons,
    "list": _options,
    "cta_url": _cta_url,
    "location_request_message": _location_request,
    "flow": _flow,
}
