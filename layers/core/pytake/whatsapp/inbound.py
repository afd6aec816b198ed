"""What arrives at the webhook: Meta's notification taken apart, and what a person said in engine-neutral form.

Reading is lenient part by part: a malformed message, status or change becomes a problem in words and never costs the
others, and what this module does not know (fields, types, whole changes) is kept, never rejected. Only a body that is
no JSON, or not about WhatsApp, is refused. Source: WhatsApp Cloud API reference, "Webhooks" (November 2026).
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

Json = dict[str, Any]

FORM_TEXT = "response_json"
"""The key under which a form's answer that is no JSON object is kept, as the text it was."""

_MAX_ID = 512  # characters; ids become parts of keys, and Meta's longest (a BSUID) has 131
_MAX_NAME = 65_536  # characters; WhatsApp's own have 25, and a conversation keeps it
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})
_SILENT = frozenset({"reaction", "system", "edit", "revoke", "call_permission"})
_EXPECTED = frozenset({"messaging_product", "metadata", "contacts", "messages", "statuses"})


class NotJsonError(ValueError):
    """The body is no JSON document."""


class NotWhatsAppError(ValueError):
    """The body is JSON, but not a notification of a `whatsapp_business_account`."""


class IncomingMessage(Struct, frozen=True):
    """One message of a person.

    `contact_id` is what to reply to and the key of the conversation: the digits of the phone number (no `+`), else
    the business-scoped user id. `phone` is the number in E.164 (`+5511…`), None when the person hides it; `user_id`
    is the business-scoped id where Meta gave one, also beside a phone. `timestamp` is in seconds, 0 when Meta gave
    none that can be read. `raw` is the message as it came: `read_answer` reads it.
    """

    id: str
    phone_number_id: str
    contact_id: str
    phone: str | None
    user_id: str | None
    profile_name: str | None
    type: str
    timestamp: int
    raw: Json


class Change(Struct, frozen=True):
    """One change of a notification: what one number (or the account) has to tell.

    `statuses` are raw, each a dict with a text `id` and `status`. `others` keeps everything that is neither a message
    to answer nor a status: `{"field": name, "value": raw}` for changes of other fields, copies under `standby`
    (another app owns the thread: observe, never answer), `errors` of the value, and keys this module does not know.
    """

    account_id: str | None
    field: str
    phone_number_id: str | None
    messages: list[IncomingMessage]
    statuses: list[Json]
    others: list[Json]
    problems: list[str]


class Notification(Struct, frozen=True):
    """One POST: its changes in order, and what could not even be read as a change."""

    changes: list[Change]
    problems: list[str]


class AnswerMedia(Struct, frozen=True, omit_defaults=True):
    """A file a person sent: `type` is image, video, audio, document or sticker; Meta keeps the `id` for 7 days."""

    id: str
    type: str
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


class AnswerLocation(Struct, frozen=True, omit_defaults=True):
    """A place a person sent."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Answer(Struct, frozen=True, omit_defaults=True):
    """What a person said or did.

    `type` is one of text, reply (a button, a row of a list, a quick reply of a template), media, location, contacts,
    form, order, reaction, system, edit, revoke, call_permission, unsupported and unknown. `text` is the best plain
    text of it: the body, the title chosen, the caption, the name of the place; empty when there is none. `response`
    is a form's answer (see `FORM_TEXT`). `payload` is Meta's own content of the message, for whoever needs more.
    `is_template_reply`: the reply is a quick reply of a template, which stands beside any flow.
    """

    type: str
    text: str = ""
    reply_id: str | None = None
    media: AnswerMedia | None = None
    location: AnswerLocation | None = None
    response: Json | None = None
    payload: Any = None
    is_template_reply: bool = False


def takes_turn(answer_type: str) -> bool:
    """Whether an answer of this type (`Answer.type`) starts or continues a conversation.

    Reactions, system notices, edits, revocations and call permissions are recorded and take no turn. What Meta or this
    module cannot read does take one: the person wrote something and waits.
    """
    return answer_type not in _SILENT


def read_notification(body: bytes) -> Notification:
    """Take a webhook body apart.

    Raises `NotJsonError` when it is no JSON and `NotWhatsAppError` when it is not about a WhatsApp business account; nothing
    else, whatever the body holds.
    """
    document = _decode(body)
    if not isinstance(document, dict) or document.get("object") != "whatsapp_business_account":
        raise NotWhatsAppError("the body is not a notification of a whatsapp_business_account")
    changes: list[Change] = []
    problems: list[str] = []
    for at_entry, entry in enumerate(_list(document, "entry", "", problems)):
        where = f"entry[{at_entry}]"
        if not isinstance(entry, dict):
            problems.append(f"{where} is not an object")
            continue
        account_id = _identifier(entry.get("id"))
        for at_change, change in enumerate(_list(entry, "changes", f"{where}.", problems)):
            if isinstance(change, dict):
                changes.append(_change(account_id, change))
            else:
                problems.append(f"{where}.changes[{at_change}] is not an object")
    return Notification(changes, problems)


def read_answer(message: Mapping[str, Any]) -> Answer:
    """What the person said with a raw message (`IncomingMessage.raw`), whatever its type; never raises."""
    return _answer(message, original=True)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_mended(body)


def _decode_mended(body: bytes) -> Any:
    """Read JSON with half a surrogate pair in a text, which `msgspec` refuses and a text cut in an emoji has.

    One such text would otherwise cost every message of the POST, again with each of Meta's redeliveries.
    """
    import json  # only this rare path needs it

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(body, parse_constant=refuse)
        mended = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(mended)
    except (ValueError, RecursionError) as error:
        raise NotJsonError("the body is no JSON") from error


def _change(account_id: str | None, change: Json) -> Change:
    value = change.get("value")
    field = change.get("field")
    problems: list[str] = []
    if not isinstance(value, dict):
        name = field if isinstance(field, str) else "unknown"
        others = [{"field": name, "value": value}]
        if name == "messages":
            problems.append("value is not an object")
        return Change(account_id, name, None, [], [], others, problems)
    if not isinstance(field, str):
        field = "messages" if "messages" in value or "statuses" in value else "unknown"
    metadata = value.get("metadata")
    phone_number_id = _identifier(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None
    if field != "messages":
        # Calls have `statuses` and standby copies have `messages` too: neither are ours to settle or to answer.
        return Change(account_id, field, phone_number_id, [], [], [{"field": field, "value": value}], problems)
    return Change(
        account_id,
        field,
        phone_number_id,
        _messages(value, phone_number_id, problems),
        _statuses(value, problems),
        [{"field": key, "value": extra} for key, extra in value.items() if key not in _EXPECTED],
        problems,
    )


def _messages(value: Json, phone_number_id: str | None, problems: list[str]) -> list[IncomingMessage]:
    raws = _list(value, "messages", "", problems)
    if raws and phone_number_id is None:
        problems.append(f"{len(raws)} message(s) without metadata.phone_number_id")
        return []
    senders = _Senders(_list(value, "contacts", "", problems))
    messages = []
    for at, raw in enumerate(raws):
        if not isinstance(raw, dict):
            problems.append(f"messages[{at}] is not an object")
            continue
        message_id = _identifier(raw.get("id"))
        if message_id is None:
            problems.append(f"messages[{at}] has no id")
            continue
        phone, user_id, profile_name = senders.of(raw)
        contact_id = phone or user_id
        if contact_id is None:
            problems.append(f"messages[{at}] ({message_id}) has no sender")
            continue
        kind = raw.get("type")
        messages.append(
            IncomingMessage(
                id=message_id,
                phone_number_id=phone_number_id or "",
                contact_id=contact_id,
                phone=f"+{phone}" if phone else None,
                user_id=user_id,
                profile_name=profile_name,
                type=kind if isinstance(kind, str) and kind else "unknown",
                timestamp=_seconds(raw.get("timestamp")),
                raw=raw,
            )
        )
    return messages


class _Senders:
    """The contacts of one change, found by id; their order says nothing about the messages."""

    def __init__(self, contacts: list[Any]) -> None:
        self._by_id: dict[str, Json] = {}
        hidden: list[Json] = []
        for contact in contacts:
            if not isinstance(contact, dict):
                continue
            phone, user_id = _digits(contact.get("wa_id")), _identifier(contact.get("user_id"))
            if user_id:
                self._by_id[user_id] = contact
            if phone:
                self._by_id[phone] = contact
            elif user_id:
                hidden.append(contact)
        # A message that names no sender at all can only be of the one contact whose number is hidden.
        self._hidden = hidden[0] if len(hidden) == 1 and len(contacts) == 1 else None

    def of(self, raw: Json) -> tuple[str | None, str | None, str | None]:
        """Digits of the phone, business-scoped id and profile name of a message's sender, each None when unknown."""
        sender = raw.get("from")
        phone = _digits(sender)
        user_id = _identifier(raw.get("from_user_id")) or (None if phone else _identifier(sender))
        if not phone and not user_id:
            system = raw.get("system")
            if isinstance(system, dict):
                user_id = _identifier(system.get("previous_user_id")) or _identifier(system.get("user_id"))
        contact = self._by_id.get(phone or "") or self._by_id.get(user_id or "")
        if contact is None and not phone and not user_id:
            contact = self._hidden
        if contact is None:
            return phone, user_id, None
        profile = contact.get("profile")
        name = profile.get("name") if isinstance(profile, dict) else None
        return (
            phone or _digits(contact.get("wa_id")),
            user_id or _identifier(contact.get("user_id")),
            name[:_MAX_NAME] if isinstance(name, str) and name else None,
        )


def _statuses(value: Json, problems: list[str]) -> list[Json]:
    statuses = []
    for at, status in enumerate(_list(value, "statuses", "", problems)):
        if not isinstance(status, dict):
            problems.append(f"statuses[{at}] is not an object")
        elif _identifier(status.get("id")) is None or not isinstance(status.get("status"), str):
            problems.append(f"statuses[{at}] has no id or no status")
        else:
            statuses.append(status)
    return statuses


def _answer(message: Mapping[str, Any], *, original: bool) -> Answer:
    kind = message.get("type")
    if not isinstance(kind, str):
        return Answer("unknown", payload=dict(message))
    payload = message.get(kind)
    content: Json = payload if isinstance(payload, dict) else {}
    if kind == "text":
        return Answer("text", _text(content.get("body")), payload=payload)
    if kind == "interactive":
        return _interactive(content)
    if kind == "button":
        text = _text(content.get("text"))
        reply_id = _text(content.get("payload")) or text or None
        return Answer("reply", text, reply_id=reply_id, payload=payload, is_template_reply=True)
    if kind in _MEDIA:
        return _media(kind, content)
    if kind == "location":
        return _location(content)
    if kind == "contacts":
        return Answer("contacts", _names(payload), payload=payload)
    if kind == "order":
        return Answer("order", _text(content.get("text")), payload=payload)
    if kind == "reaction":
        return Answer("reaction", _text(content.get("emoji")), payload=payload)
    if kind == "system":
        return Answer("system", _text(content.get("body")), payload=payload)
    if kind == "edit":
        edited = content.get("message")
        text = _answer(edited, original=False).text if original and isinstance(edited, dict) else ""
        return Answer("edit", text, payload=payload)
    if kind == "revoke":
        return Answer("revoke", payload=payload)
    if kind == "unsupported":
        return Answer("unsupported", payload={"errors": message.get("errors"), "unsupported": payload})
    return Answer("unknown", payload=dict(message))


def _interactive(content: Json) -> Answer:
    kind = content.get("type")
    reply = content.get(kind) if isinstance(kind, str) else None
    if not isinstance(reply, dict):
        return Answer("unknown", payload=content)
    if kind in {"button_reply", "list_reply"}:
        title = _text(reply.get("title"))
        return Answer("reply", title, reply_id=_text(reply.get("id")) or title or None, payload=reply)
    if kind == "nfm_reply":
        return Answer("form", _text(reply.get("body")), response=_form(reply.get("response_json")), payload=reply)
    if kind == "call_permission_reply":
        return Answer("call_permission", _text(reply.get("response")), payload=reply)
    return Answer("unknown", _text(reply.get("title")), payload=content)


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


def _media(kind: str, content: Json) -> Answer:
    media_id = _identifier(content.get("id"))
    caption = _text(content.get("caption")) or None
    media = media_id and AnswerMedia(
        media_id, kind, _text(content.get("mime_type")) or None, caption, _text(content.get("filename")) or None
    )
    return Answer("media", caption or "", media=media or None, payload=content)


def _location(content: Json) -> Answer:
    latitude, longitude = _number(content.get("latitude")), _number(content.get("longitude"))
    name, address = _text(content.get("name")) or None, _text(content.get("address")) or None
    location = None
    if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
        location = AnswerLocation(latitude, longitude, name, address)
    text = ", ".join(part for part in (name, address) if part)
    if not text and location:
        text = f"{latitude},{longitude}"
    return Answer("location", text, location=location, payload=content)


def _names(contacts: Any) -> str:
    names = []
    for card in contacts if isinstance(contacts, list) else []:
        name = card.get("name") if isinstance(card, dict) else None
        if isinstance(name, dict):
            text = _text(name.get("formatted_name")) or _text(name.get("first_name"))
            if text:
                names.append(text)
    return ", ".join(names)


def _list(container: Json, key: str, where: str, problems: list[str]) -> list[Any]:
    found = container.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        problems.append(f"{where}{key} is not a list")
        return []
    return found


def _identifier(value: Any) -> str | None:
    """An opaque id as text; numbers have been seen where the documents say text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_ID else None


def _digits(value: Any) -> str | None:
    """The digits of a phone number with or without `+`; None for anything else, such as a business-scoped id."""
    text = _identifier(value)
    digits = text.removeprefix("+") if text else ""
    return digits if digits.isascii() and digits.isdigit() else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _seconds(value: Any) -> int:
    number = _number(value)
    if number is None or number < 0:
        return 0
    while number >= _MILLISECONDS_FROM:
        number /= 1000
    return int(number)
