"""Who gets the next follow-ups of a sequence, as far as the dates of the contacts say."""

from heapq import nsmallest

from msgspec import Struct

from pytake.contacts.ports import Contacts
from pytake.contacts.reading import listed_chunks
from pytake.contacts.records import ContactRecord
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.sequences.records import Sequence
from pytake.conversation.sequences.schedule import due_on_date, zone_of

PREVIEW_CONTACTS = 1000
"""A preview looks at no more contacts, the newest ones."""


class Upcoming(Struct, frozen=True):
    """One step of a sequence for one person, and when it is due."""

    due_at: float
    step: int
    contact: ContactRecord


class Preview(Struct, frozen=True):
    """The next follow-ups, the earliest first. `total`: how many lie ahead. `complete`: all contacts were looked at."""

    follow_ups: list[Upcoming]
    total: int
    complete: bool


class PreviewFollowUps:
    """The use case. It reads contacts and changes nothing."""

    def __init__(self, contacts: Contacts, tenants: TenantRepository, clock: Clock) -> None:
        self._contacts = contacts
        self._tenants = tenants
        self._clock = clock

    def __call__(self, organization_id: str, sequence: Sequence, limit: int) -> Preview:
        """At most `limit` follow-ups of the newest thousand contacts, also of a sequence that is switched off.

        Who opted out is left out; consent and sessions are looked at when a follow-up is due. A silence is not known before it
        happens: a sequence without `field` has none.
        """
        if sequence.field is None:
            return Preview([], 0, complete=True)
        timezone, now = self._tenants.organization(organization_id).timezone, self._clock()
        number = self._tenants.number(sequence.phone_number_id)
        country = number.country if number is not None else None
        found, seen = list[Upcoming](), 0
        for chunk in listed_chunks(self._contacts, organization_id, expected=PREVIEW_CONTACTS + 1):
            for _, contact in chunk[: PREVIEW_CONTACTS - seen]:
                if contact is not None and not contact.opted_out:
                    found += _upcoming(sequence, contact, timezone, country, now)
            seen += len(chunk)
            if seen > PREVIEW_CONTACTS:
                break
        earliest = nsmallest(limit, found, key=lambda one: (one.due_at, one.contact.contact_id, one.step))
        return Preview(earliest, len(found), complete=seen <= PREVIEW_CONTACTS)


def _upcoming(
    sequence: Sequence, contact: ContactRecord, timezone: str, country: str | None, now: float
) -> list[Upcoming]:
    value = contact.fields.get(sequence.field or "")
    if value is None:
        return []
    where = zone_of(contact.fields, timezone)
    times = [(due_on_date(step, value, where, country), index) for index, step in enumerate(sequence.steps)]
    return [Upcoming(due_at, index, contact) for due_at, index in times if due_at is not None and due_at > now]
