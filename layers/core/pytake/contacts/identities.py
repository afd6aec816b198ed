"""How WhatsApp names a person, and what a message says about it (ADR 26).

A person has a phone number, a business-scoped user id and, in linked portfolios, a parent id. Each may be missing from a message,
and each may change. Source: WhatsApp Cloud API reference, "Business-scoped user IDs" (November 2026).
"""

import re
from typing import Any

from msgspec import Struct

from pytake.whatsapp.json_values import Json, digits_of, identifier

NUMBER_CHANGED, USER_ID_CHANGED = "user_changed_number", "user_changed_user_id"

_USER_ID = re.compile(r"\b[A-Z]{2}(?:\.ENT)?\.[A-Za-z0-9]{1,128}")


class Sender(Struct, frozen=True):
    """Who wrote a message.

    `ids` are identities of one person: the message says so. `phone` (digits), `user_id` and `parent_user_id` are those that the
    person has from now on, None if the message does not say. `reports_change`: the others are those from before.
    """

    ids: tuple[str, ...]
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    reports_change: bool = False


def is_phone(identity: str) -> bool:
    """Whether an identity is a phone number. Otherwise it is a business-scoped user id."""
    return identity.isascii() and identity.isdecimal()


def sender_of(
    contact_id: str, user_id: str | None, parent_user_id: str | None, username: str | None, message: Json
) -> Sender:
    """The sender of a message. `contact_id` is the phone number or, if the person hides it, the user id.

    A system message that reports a change names the identities before and after it. The answer to a request for contact
    information (`origin: contact_request`) proves the sender's phone number. A contact card with another origin proves nothing.
    """
    phone = contact_id if is_phone(contact_id) else None
    user_id = user_id or (contact_id if phone is None else None)
    system = message.get("system")
    if isinstance(system, dict) and system.get("type") in (NUMBER_CHANGED, USER_ID_CHANGED):
        return _after_change(contact_id, user_id, username, system)
    phone = phone or _shared_phone(message)
    return Sender(_distinct(phone, user_id, parent_user_id), phone, user_id, parent_user_id, username)


def survivor(one: str, other: str) -> tuple[str, str]:
    """Which of two contacts of one person stays, and which is merged into it: by rule, so that every worker decides alike.

    A contact that began with a phone number stays. Otherwise the one with the lesser id.
    """
    first, second = sorted((one, other), key=lambda id_: (not is_phone(id_), id_))
    return first, second


def _after_change(contact_id: str, user_id: str | None, username: str | None, system: Json) -> Sender:
    phone, current = digits_of(system.get("wa_id")), identifier(system.get("user_id"))
    parent = identifier(system.get("parent_user_id"))
    previous = identifier(system.get("previous_user_id"))
    if previous is None and current is not None and system.get("type") == USER_ID_CHANGED:
        previous = _previous_in(system.get("body"), current)
    before = (identifier(system.get("previous_parent_user_id")), previous)
    ids = _distinct(contact_id, user_id, *before, phone, current, parent)
    return Sender(ids, phone, current, parent, username, reports_change=True)


def _previous_in(body: Any, current: str) -> str | None:
    """The former user id in the sentence `User … changed from BR.77a to BR.88c`."""
    found = _USER_ID.findall(body) if isinstance(body, str) else []
    return found[0] if len(found) == 2 and found[1] == current and found[0] != current else None


def _shared_phone(message: Json) -> str | None:
    cards = message.get("contacts")
    if message.get("type") != "contacts" or message.get("origin") != "contact_request" or not isinstance(cards, list):
        return None
    phones = [phone for card in cards if isinstance(card, dict) for phone in card.get("phones") or ()]
    found = {digits_of(phone.get("wa_id")) for phone in phones if isinstance(phone, dict)} - {None}
    return found.pop() if len(found) == 1 else None


def _distinct(*identities: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(identity for identity in identities if identity))
