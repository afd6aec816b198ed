"""What a number reports that its owner also uses in the WhatsApp Business app: echoes, history and contacts of the app.

Each becomes an `IncomingMessage` of the person whom it is about, of a type that no person can send: so it takes the way of the
person's messages, in order with them, and never answers a flow. Reading is lenient part by part, as in `inbound`.
Source: WhatsApp Cloud API, "Onboarding WhatsApp Business app users" (November 2026).
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

import msgspec

from pytake.whatsapp.inbound import IncomingMessage, list_of, messages_of
from pytake.whatsapp.input import APP_CONTACT, APP_ECHO, APP_HISTORY
from pytake.whatsapp.json_values import Json, identifier, number_of, objects_of

HISTORY_MESSAGES = 100
HISTORY_BYTES = 200_000
"""Limits for one queue item. Meta posts thousands of messages at once."""


def read_app_messages(
    field: str, value: Any, phone_number_id: str | None, problems: list[str]
) -> list[IncomingMessage]:
    """The messages in a change of one of the fields of coexistence; none for another field. Problems are added to the list."""
    if not isinstance(value, dict):
        return []
    if field == "smb_message_echoes":
        raws = [_echo(raw) for raw in objects_of(list_of(value, "message_echoes", "", problems))]
    elif field == "history":
        raws = list(_history(value, problems))
    elif field == "smb_app_state_sync":
        raws = [_app_contact(raw) for raw in objects_of(list_of(value, "state_sync", "", problems))]
    else:
        return []
    return messages_of({"contacts": value.get("contacts"), "messages": raws}, phone_number_id, problems)


def refused_history(value: Any) -> list[int]:
    """Meta's codes for why there is no history: 2593109, its owner does not share it."""
    entries = value.get("history") if isinstance(value, dict) else None
    errors = [error for entry in objects_of(entries) for error in objects_of(entry.get("errors"))]
    return [int(code) for error in errors if (code := number_of(error.get("code"))) is not None]


def is_of_business(message: Json) -> bool:
    """Whether a message of the history is the business's own: only those name a recipient."""
    return bool(identifier(message.get("to")) or identifier(message.get("to_user_id")))


def _echo(raw: Json) -> Json:
    return {
        **_person(raw, "to"),
        "id": raw.get("id"),
        "timestamp": raw.get("timestamp"),
        "type": APP_ECHO,
        APP_ECHO: raw,
    }


def _app_contact(raw: Json) -> Json:
    """A change of the address book. It has no id: the same change twice has the same one."""
    contact, metadata = raw.get("contact"), raw.get("metadata")
    about = contact if isinstance(contact, dict) else {}
    content = msgspec.json.encode(raw, order="deterministic")
    return {
        **_person({"from": about.get("phone_number"), "from_user_id": about.get("user_id")}, "from"),
        "id": f"{APP_CONTACT}:{sha256(content).hexdigest()}",
        "timestamp": metadata.get("timestamp") if isinstance(metadata, dict) else None,
        "type": APP_CONTACT,
        APP_CONTACT: {**about, "action": raw.get("action")},
    }


def _history(value: Json, problems: list[str]) -> Iterator[Json]:
    by_person: dict[tuple[Any, ...], list[Json]] = {}
    for person, raw in _of_persons(value, problems):
        by_person.setdefault(tuple(person.items()), []).append(raw)
    for sender, raws in by_person.items():
        for chunk in _chunks(raws):
            ids = ",".join(str(raw["id"]) for raw in chunk)
            yield {
                **dict(sender),
                "id": f"{APP_HISTORY}:{sha256(ids.encode()).hexdigest()}",
                "timestamp": str(int(max(number_of(raw.get("timestamp")) or 0 for raw in chunk))),
                "type": APP_HISTORY,
                APP_HISTORY: chunk,
            }


def _of_persons(value: Json, problems: list[str]) -> Iterator[tuple[Json, Json]]:
    """The messages of the history, each with its person. Media that Meta posts later stand outside of the threads."""
    entries = list_of(value, "history", "", problems)
    for entry in [*objects_of(entries), value]:
        for thread in objects_of(entry.get("threads")):
            context = thread.get("context")
            named = _person(context if isinstance(context, dict) else {}, "")
            if not named and (id_ := identifier(thread.get("id"))):
                named = {"from": id_} if id_.lstrip("+").isdecimal() else {"from_user_id": id_}
            for raw in objects_of(thread.get("messages")):
                yield from _with_id(named or _person(raw, "to" if is_of_business(raw) else "from"), raw, problems)
        for raw in (*objects_of(entry.get("messages")), *objects_of(entry.get("message_echoes"))):
            yield from _with_id(_person(raw, "to" if is_of_business(raw) else "from"), raw, problems)


def _with_id(person: Json, raw: Json, problems: list[str]) -> Iterator[tuple[Json, Json]]:
    if identifier(raw.get("id")) is None:
        problems.append("a message of the history has no id")
    else:
        yield person, raw


def _person(raw: Json, side: str) -> Json:
    """The ids of a person as a message's sender has them. `side`: `to`, `from`, or empty for an object about the person."""
    phone, prefix = (raw.get(side), f"{side}_") if side else (raw.get("wa_id"), "")
    found = {
        "from": phone,
        "from_user_id": raw.get(f"{prefix}user_id"),
        "from_parent_user_id": raw.get(f"{prefix}parent_user_id"),
    }
    return {name: id_ for name, id_ in found.items() if isinstance(id_, str) and id_}


def _chunks(raws: Iterable[Json]) -> Iterator[list[Json]]:
    chunk, size = list[Json](), 0
    for raw in raws:
        length = len(msgspec.json.encode(raw))
        if chunk and (len(chunk) == HISTORY_MESSAGES or size + length > HISTORY_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(raw)
        size += length
    if chunk:
        yield chunk
