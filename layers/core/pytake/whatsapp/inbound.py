"""Meta's webhook notification, taken apart into messages, statuses and other changes.

Reading is lenient part by part. A malformed message, status or change becomes a problem and does not affect the others;
unknown fields, types and changes are kept. Only a body that is not JSON, or not about WhatsApp, is refused.
Source: WhatsApp Cloud API reference, "Webhooks" (November 2026).
"""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.whatsapp.json_values import Json, digits_of, identifier, number_of

_MAX_NAME = 65_536  # characters; WhatsApp allows 25, and the conversation stores the name
_MILLISECONDS_FROM = 100_000_000_000  # as seconds this would be the year 5138
_EXPECTED = frozenset({"messaging_product", "metadata", "contacts", "messages", "statuses"})


class NotJsonError(ValueError):
    """The body is not a JSON document."""


class NotWhatsAppError(ValueError):
    """The body is JSON, but not a notification of a `whatsapp_business_account`."""


class IncomingMessage(Struct, frozen=True):
    """One message of a person.

    `contact_id` is the recipient of a reply and the key of the conversation: the digits of the phone number (without `+`),
    or the business-scoped user id. `phone` is the number in E.164 (`+5511…`), None when the person hides it. `user_id` is the
    business-scoped id, `parent_user_id` that of linked portfolios, `username` the name without `@`, each None if Meta sent none.
    `timestamp` is in seconds, 0 when it is missing or unreadable. `raw` is the message as it came;
    `pytake.whatsapp.message_input` reads it.
    """

    id: str
    phone_number_id: str
    contact_id: str
    phone: str | None
    user_id: str | None
    parent_user_id: str | None
    profile_name: str | None
    username: str | None
    type: str
    timestamp: int
    raw: Json


class Change(Struct, frozen=True):
    """One change of a notification, of one number or of the account. `at` is when Meta reported it, in seconds; 0: not reported.

    `statuses` are raw, each a dict with a text `id` and `status`. `others` holds everything else, as
    `{"field": name, "value": raw}`: changes of other fields, copies under `standby` (another app owns the thread: never
    answer), the value's `errors`, and unknown keys.
    """

    account_id: str | None
    field: str
    phone_number_id: str | None
    messages: list[IncomingMessage]
    statuses: list[Json]
    others: list[Json]
    problems: list[str]
    at: int = 0


class Notification(Struct, frozen=True):
    """One POST: its changes in order, and the problems outside of changes."""

    changes: list[Change]
    problems: list[str]


def read_notification(body: bytes) -> Notification:
    """Read a webhook body.

    Raises `NotJsonError` when it is not JSON, and `NotWhatsAppError` when it is not about a WhatsApp business account. No body
    raises anything else.
    """
    document = _decode(body)
    if not isinstance(document, dict) or document.get("object") != "whatsapp_business_account":
        raise NotWhatsAppError("the body is not a notification of a whatsapp_business_account")
    changes: list[Change] = []
    problems: list[str] = []
    for at_entry, entry in enumerate(list_of(document, "entry", "", problems)):
        where = f"entry[{at_entry}]"
        if not isinstance(entry, dict):
            problems.append(f"{where} is not an object")
            continue
        account_id = identifier(entry.get("id"))
        for at_change, change in enumerate(list_of(entry, "changes", f"{where}.", problems)):
            if isinstance(change, dict):
                changes.append(replace(_change(account_id, change), at=_seconds(entry.get("time"))))
            else:
                problems.append(f"{where}.changes[{at_change}] is not an object")
    return Notification(changes, problems)


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_mended(body)


def _decode_mended(body: bytes) -> Any:
    """Read JSON with an unpaired surrogate, which `msgspec` refuses. A text that was cut inside an emoji has one.

    Such a text would otherwise block every message of the POST and of Meta's redeliveries.
    """
    import json  # only this rare path needs it

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(body, parse_constant=refuse)
        mended = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.decode(mended)
    except (ValueError, RecursionError) as error:
        raise NotJsonError("the body is not JSON") from error


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
    phone_number_id = identifier(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None
    if field != "messages":
        # Calls have `statuses`, and standby copies have `messages`: neither are ours to process.
        changed = _user_id_updates(value, phone_number_id, problems) if field == "user_id_update" else []
        others = [] if changed else [{"field": field, "value": value}]
        return Change(account_id, field, phone_number_id, changed, [], others, problems)
    return Change(
        account_id,
        field,
        phone_number_id,
        messages_of(value, phone_number_id, problems),
        _statuses(value, problems),
        [{"field": key, "value": extra} for key, extra in value.items() if key not in _EXPECTED],
        problems,
    )


def messages_of(value: Json, phone_number_id: str | None, problems: list[str]) -> list[IncomingMessage]:
    """The messages in a value with `messages` and `contacts`. What is malformed is added to the problems."""
    raws = list_of(value, "messages", "", problems)
    if raws and phone_number_id is None:
        problems.append(f"{len(raws)} message(s) without metadata.phone_number_id")
        return []
    senders = _Senders(list_of(value, "contacts", "", problems))
    messages = []
    for at, raw in enumerate(raws):
        if not isinstance(raw, dict):
            problems.append(f"messages[{at}] is not an object")
            continue
        message_id = identifier(raw.get("id"))
        if message_id is None:
            problems.append(f"messages[{at}] has no id")
            continue
        sender = senders.of(raw)
        contact_id = sender.phone or sender.user_id
        if contact_id is None:
            problems.append(f"messages[{at}] ({message_id}) has no sender")
            continue
        kind = raw.get("type")
        messages.append(
            IncomingMessage(
                id=message_id,
                phone_number_id=phone_number_id or "",
                contact_id=contact_id,
                phone=f"+{sender.phone}" if sender.phone else None,
                user_id=sender.user_id,
                parent_user_id=sender.parent_user_id,
                profile_name=sender.name,
                username=sender.username,
                type=kind if isinstance(kind, str) and kind else "unknown",
                timestamp=_seconds(raw.get("timestamp")),
                raw=raw,
            )
        )
    return messages


def _user_id_updates(value: Json, phone_number_id: str | None, problems: list[str]) -> list[IncomingMessage]:
    """The changes of the field `user_id_update`, as the system message that reports the same.

    Each has an id of its own that follows from its content: Meta gives it none, and posts it again if it is not answered.
    """
    messages: list[Json] = []
    for update in list_of(value, "user_id_update", "", problems):
        if not isinstance(update, dict):
            continue
        previous, current = _before_and_after(update, "user_id")
        previous_parent, parent = _before_and_after(update, "parent_user_id")
        system = {
            "type": "user_changed_user_id",
            "wa_id": update.get("wa_id"),
            "previous_user_id": previous,
            "user_id": current,
            "previous_parent_user_id": previous_parent,
            "parent_user_id": parent,
        }
        # Only both ids say who changed: a phone number alone may be the new one.
        if previous and current:
            key = ":".join(map(str, (phone_number_id, previous, current, update.get("timestamp"))))
            id_ = f"user_id_update:{sha256(key.encode()).hexdigest()}"
            messages.append({"id": id_, "timestamp": update.get("timestamp"), "type": "system", "system": system})
    return messages_of({"messages": messages}, phone_number_id, problems)


def _before_and_after(update: Json, name: str) -> tuple[str | None, str | None]:
    """The ids of a change: `{"user_id": {"previous", "current"}}`, or `previous_user_id` and `user_id` side by side."""
    found = update.get(name)
    if isinstance(found, dict):
        return identifier(found.get("previous")), identifier(found.get("current"))
    return identifier(update.get(f"previous_{name}")), identifier(found)


class _Senders:
    """The contacts of one change by id. Their order is unrelated to the order of the messages."""

    def __init__(self, contacts: list[Any]) -> None:
        self._by_id: dict[str, Json] = {}
        hidden: list[Json] = []
        for contact in contacts:
            if not isinstance(contact, dict):
                continue
            phone, user_id = digits_of(contact.get("wa_id")), identifier(contact.get("user_id"))
            if user_id:
                self._by_id[user_id] = contact
            if phone:
                self._by_id[phone] = contact
            elif user_id:
                hidden.append(contact)
        # A message without a sender can only be from the single contact whose number is hidden.
        self._hidden = hidden[0] if len(hidden) == 1 and len(contacts) == 1 else None

    def of(self, raw: Json) -> "_Sender":
        """The sender of a message."""
        sender = raw.get("from")
        phone = digits_of(sender)
        user_id = identifier(raw.get("from_user_id")) or (None if phone else identifier(sender))
        if not phone and not user_id:
            system = raw.get("system")
            if isinstance(system, dict):
                user_id = identifier(system.get("previous_user_id")) or identifier(system.get("user_id"))
        contact = self._by_id.get(phone or "") or self._by_id.get(user_id or "")
        if contact is None and not phone and not user_id:
            contact = self._hidden
        contact = contact or {}
        profile = contact.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        name, username = profile.get("name"), identifier(profile.get("username"))
        return _Sender(
            phone or digits_of(contact.get("wa_id")),
            user_id or identifier(contact.get("user_id")),
            identifier(raw.get("from_parent_user_id")) or identifier(contact.get("parent_user_id")),
            name[:_MAX_NAME] if isinstance(name, str) and name else None,
            username.removeprefix("@") or None if username else None,
        )


class _Sender(Struct, frozen=True):
    """The digits of the phone, the business-scoped ids, the profile's name and the username; each None when unknown."""

    phone: str | None
    user_id: str | None
    parent_user_id: str | None
    name: str | None
    username: str | None


def _statuses(value: Json, problems: list[str]) -> list[Json]:
    statuses = []
    for at, status in enumerate(list_of(value, "statuses", "", problems)):
        if not isinstance(status, dict):
            problems.append(f"statuses[{at}] is not an object")
        elif identifier(status.get("id")) is None or not isinstance(status.get("status"), str):
            problems.append(f"statuses[{at}] has no id or no status")
        else:
            statuses.append(status)
    return statuses


def list_of(container: Json, key: str, where: str, problems: list[str]) -> list[Any]:
    """The list under a key; empty, and a problem, if something else is there."""
    found = container.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        problems.append(f"{where}{key} is not a list")
        return []
    return found


def _seconds(value: Any) -> int:
    number = number_of(value)
    if number is None or number < 0:
        return 0
    while number >= _MILLISECONDS_FROM:
        number /= 1000
    return int(number)
