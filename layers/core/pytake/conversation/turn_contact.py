"""What a turn changes of the stored contact: its events are applied to the contact as it is stored now (ADR 24)."""

import msgspec
from msgspec.structs import replace

from pytake.contacts.consent import PURPOSES, TIE_SECONDS, ConsentChange, ConsentState, Purpose, consent_after
from pytake.contacts.records import ContactRecord, ContactWrite
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import NON_MESSAGE_TYPES, Conversation, ConversationKey, TurnRecord
from pytake.engine import Contact
from pytake.engine.contact_changes import contact_after

CONTACT_BYTES = 60_000
"""Limit for a contact as flows see it: it is part of the conversation's item, and of records."""

STOP_SOURCE, MESSAGE_SOURCE = "stop", "message"
"""The source of consent that the command `stop` withdrew, and that writing again granted."""

_CONSENT_EVENTS = frozenset({"opted_out", "consent_set"})


def changes_contact(before: Conversation | None, after: Conversation, record: TurnRecord) -> bool:
    """Whether a turn must store the contact.

    It must if it changed the contact, their identities or their consent, if it began the conversation, and if a message
    continued a conversation whose contact was never stored.
    """
    if before is None or (not before.contact_revision and record.message_type not in NON_MESSAGE_TYPES):
        return True
    return (
        after.contact != before.contact
        or _identity(after) != _identity(before)
        or after.opted_out != before.opted_out
        or any(event.type in _CONSENT_EVENTS for event in record.events)
    )


def update_copy(conversations: Conversations, key: ConversationKey, contact: ContactRecord, revision: int) -> None:
    """Bring the copy of a contact up to date that a conversation keeps. `revision` is that of the contact as it is stored.

    Raises `ConflictError` when another worker writes the conversation.
    """
    loaded = conversations.load(key)
    if loaded is None or loaded.merged_into is not None or loaded.contact_revision >= revision:
        return
    known, opted_out = contact.for_flows(), contact.opted_out
    after = replace(loaded, contact=known, contact_revision=revision, opted_out=opted_out)
    conversations.update_contact(loaded, after)


def contact_write(
    stored: ContactRecord, before: Conversation | None, after: Conversation, record: TurnRecord
) -> tuple[ContactWrite, bool]:
    """The stored contact after a turn, and whether it has what the turn saved: that may be too large to be stored."""
    known = contact_after(_before_turn(stored, before), record.events)
    profile_name = after.contact.name
    if "name" not in known.fields and profile_name != (before.contact.name if before is not None else stored.name):
        known = replace(known, name=profile_name)
    saved = replace(
        _identified(stored, before, after),
        name=known.name,
        language=known.language,
        fields=known.fields,
        tags=list(dict.fromkeys(known.tags)),
    )
    fits = saved == stored or len(msgspec.json.encode(saved.for_flows())) <= CONTACT_BYTES
    changes, number = _consent_changes(stored, after, record), after.key.phone_number_id
    contact = replace(
        saved if fits else _identified(stored, before, after),
        consent=consent_after(stored.consent, changes),
        numbers=stored.numbers if number in stored.numbers else [*stored.numbers, number],
        created_at=stored.created_at or record.at,
        last_inbound_at=max(stored.last_inbound_at, after.last_inbound_at),
    )
    return ContactWrite(contact, changes), fits


def _identity(conversation: Conversation) -> tuple[str | None, ...]:
    contact = conversation.contact
    return contact.phone, conversation.user_id, conversation.parent_user_id, conversation.username


def _identified(stored: ContactRecord, before: Conversation | None, after: Conversation) -> ContactRecord:
    """The stored contact with the identities that the turn changed, or that it does not know."""
    known = stored.phone, stored.user_id, stored.parent_user_id, stored.username
    was = _identity(before) if before is not None else (None, None, None, None)
    phone, user_id, parent_user_id, username = (
        new if new is not None and (new != old or one is None) else one
        for one, old, new in zip(known, was, _identity(after), strict=True)
    )
    return replace(stored, phone=phone, user_id=user_id, parent_user_id=parent_user_id, username=username)


def _before_turn(stored: ContactRecord, before: Conversation | None) -> Contact:
    """The contact before the turn. A conversation whose contact was never stored adds what it knows."""
    known = stored.for_flows()
    if before is None or before.contact_revision:
        return known
    copy = before.contact
    return replace(
        known,
        name=known.name or copy.name,
        language=known.language or copy.language,
        fields={**copy.fields, **known.fields},
        tags=[*known.tags, *copy.tags],
    )


def _consent_changes(stored: ContactRecord, after: Conversation, record: TurnRecord) -> list[ConsentChange]:
    changes: list[ConsentChange] = []

    # A late message says nothing new.
    said_at = record.at if record.sent_at is None else min(record.at, record.sent_at)

    def add(purpose: Purpose, state: ConsentState, source: str, at: float = said_at) -> None:
        known_at = stored.consent_to(purpose).at
        # Meta's times are whole seconds, and the turns of a second are in order.
        if at == known_at or (at == said_at and int(at) == int(known_at)):
            at = max(at, known_at) + TIE_SECONDS
        changes.append(ConsentChange(purpose, state, source, at))

    for event in record.events:
        if event.type == "opted_out" and "at" in event.data:
            add("marketing", "withdrawn", event.data["source"], event.data["at"])
        elif event.type == "opted_out":
            for purpose in PURPOSES:
                add(purpose, "withdrawn", STOP_SOURCE)
        elif event.type == "consent_set":
            add(event.data["purpose"], event.data["state"], event.data["source"])
    writes_again = record.message_type not in (*NON_MESSAGE_TYPES, "reaction")
    if stored.opted_out and not after.opted_out and writes_again:
        add("service", "granted", MESSAGE_SOURCE)
    return changes
