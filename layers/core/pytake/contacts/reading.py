"""Reading many contacts: in the order of their list, and with what only their conversations know."""

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from pytake.contacts.ports import Contacts, ListPlace
from pytake.contacts.records import ContactRecord
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import ConversationKey

LOADED_TOGETHER = 100


def listed_chunks(
    contacts: Contacts,
    organization_id: str,
    after: ListPlace | None = None,
    size: int = LOADED_TOGETHER,
    expected: int | None = None,
) -> Iterator[list[tuple[ListPlace, ContactRecord | None]]]:
    """The places of the list after a position with their contacts, at most `size` at once, read as they are needed.

    `expected`: how many the caller is going to look at. A contact may just have been erased.
    """
    places = iter(contacts.listed(organization_id, after, expected))
    while chunk := list(islice(places, size)):
        found = contacts.load_all(organization_id, [place.contact_id for place in chunk])
        by_id = {contact.contact_id: contact for contact in found}
        yield [(place, by_id.get(place.contact_id)) for place in chunk]


def last_messages(
    conversations: Conversations, organization_id: str, contacts: Sequence[ContactRecord]
) -> dict[str, float]:
    """When each of these contacts last wrote at any number, by their id; those without a conversation are missing."""
    keys = [
        ConversationKey(organization_id, number, contact.contact_id)
        for contact in contacts
        for number in contact.numbers
    ]
    latest: dict[str, float] = {}
    for start in range(0, len(keys), LOADED_TOGETHER):
        for known in conversations.load_all(keys[start : start + LOADED_TOGETHER]):
            contact_id = known.key.contact_id
            latest[contact_id] = max(latest.get(contact_id, 0), known.last_inbound_at)
    return latest


def with_last_messages(
    conversations: Conversations, organization_id: str, contacts: Sequence[ContactRecord]
) -> list[ContactRecord]:
    """The contacts with the time of their last message."""
    latest = last_messages(conversations, organization_id, contacts)
    return [
        replace(contact, last_inbound_at=max(contact.last_inbound_at, latest.get(contact.contact_id, 0)))
        for contact in contacts
    ]
