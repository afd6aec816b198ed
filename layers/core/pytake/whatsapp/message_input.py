"""Read a raw message of a person into an `Input`. Source: WhatsApp Cloud API reference, "Webhooks" (November 2026)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pytake.whatsapp.input import APP_ECHO, APP_HISTORY, Input, InputLocation, InputMedia
from pytake.whatsapp.json_values import Json, identifier, number_of, text_of

FORM_TEXT = "response_json"
"""The key that holds a form's answer as text when it is not a JSON object."""

_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
_WITHOUT_TURN = frozenset({"reaction", "system", "edit", "revoke", "call_permission", APP_ECHO, APP_HISTORY})


def takes_turn(input_type: str) -> bool:
    """Whether an input of this type starts or continues a conversation.

    Reactions, system notices, edits, revocations, call permissions and what the phone app reports are only recorded. A message
    that cannot be read does take a turn: the person wrote something and waits.
    """
    return input_type not in _WITHOUT_TURN


def read_input(message: Mapping[str, Any]) -> Input:
    """The input in a raw message (`pytake.whatsapp.inbound.IncomingMessage.raw`) of any type. Never raises."""
    return _input(message, original=True)


def _input(message: Mapping[str, Any], *, original: bool) -> Input:
    kind = message.get("type")
    if not isinstance(kind, str):
        return Input("unknown", payload=dict(message))
    payload = message.get(kind)
    content: Json = payload if isinstance(payload, dict) else {}
    if kind == "text":
        return Input("text", text_of(content.get("body")), payload=payload)
    if kind == "interactive":
        return _interactive(content)
    if kind == "button":
        text = text_of(content.get("text"))
        reply_id = text_of(content.get("payload")) or text or None
        return Input("reply", text, reply_id=reply_id, payload=payload, is_template_reply=True)
    if kind in _MEDIA:
        return _media(kind, content)
    if kind == "location":
        return _location(content)
    if kind == "contacts":
        return Input("contacts", _names(payload), payload=payload)
    if kind == "order":
        return Input("order", text_of(content.get("text")), payload=payload)
    if kind == "reaction":
        return Input("reaction", text_of(content.get("emoji")), payload=payload)
    if kind == "system":
        return Input("system", text_of(content.get("body")), payload=payload)
    if kind == "edit":
        edited = content.get("message")
        text = _input(edited, original=False).text if original and isinstance(edited, dict) else ""
        return Input("edit", text, payload=payload)
    if kind == "revoke":
        return Input("revoke", payload=payload)
    if kind == APP_ECHO:
        said = _input(content, original=False)
        return Input(APP_ECHO, said.text, media=said.media, location=said.location, payload=payload)
    if kind == APP_HISTORY:
        return Input(APP_HISTORY)
    if kind == "unsupported":
        return Input("unsupported", payload={"errors": message.get("errors"), "unsupported": payload})
    return Input("unknown", payload=dict(message))


def _interactive(content: Json) -> Input:
    kind = content.get("type")
    reply = content.get(kind) if isinstance(kind, str) else None
    if not isinstance(reply, dict):
        return Input("unknown", payload=content)
    if kind in {"button_reply", "list_reply"}:
        title = text_of(reply.get("title"))
        return Input("reply", title, reply_id=text_of(reply.get("id")) or title or None, payload=reply)
    if kind == "nfm_reply":
        return Input("form", text_of(reply.get("body")), response=_form(reply.get("response_json")), payload=reply)
    if kind == "call_permission_reply":
        return Input("call_permission", text_of(reply.get("response")), payload=reply)
    return Input("unknown", text_of(reply.get("title")), payload=content)


def _form(response: Any) -> Json:
    if isinstance(response, dict):
        return response
    if not isinstance(response, str):
        return {} if response is None else {FORM_TEXT: msgspec.json.encode(response).decode()}
    try:
        decoded = msgspec.json.decode(response)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decoded = None
    return decoded if isinstance(decoded, dict) else {FORM_TEXT: response}


def _media(kind: str, content: Json) -> Input:
    media_id = identifier(content.get("id"))
    caption = text_of(content.get("caption")) or None
    media = media_id and InputMedia(
        media_id, kind, text_of(content.get("mime_type")) or None, caption, text_of(content.get("filename")) or None
    )
    return Input("media", caption or "", media=media or None, payload=content)


def _location(content: Json) -> Input:
    latitude, longitude = number_of(content.get("latitude")), number_of(content.get("longitude"))
    name, address = text_of(content.get("name")) or None, text_of(content.get("address")) or None
    location = None
    if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
        location = InputLocation(latitude, longitude, name, address)
    text = ", ".join(part for part in (name, address) if part)
    if not text and location:
        text = f"{latitude},{longitude}"
    return Input("location", text, location=location, payload=content)


def _names(contacts: Any) -> str:
    names = []
    for card in contacts if isinstance(contacts, list) else []:
        name = card.get("name") if isinstance(card, dict) else None
        if isinstance(name, dict):
            text = text_of(name.get("formatted_name")) or text_of(name.get("first_name"))
            if text:
                names.append(text)
    return ", ".join(names)
