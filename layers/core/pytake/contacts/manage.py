"""The use cases behind `/api/v1/contacts`: find, list and change contacts and their consent."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.consent import (
    ERASED_SOURCE,
    TIE_SECONDS,
    ConsentChange,
    ConsentState,
    Purpose,
    consent_after,
)
from pytake.contacts.ports import Contacts, ListPlace
from pytake.contacts.reading import LOADED_TOGETHER, listed_chunks, with_last_messages
from pytake.contacts.records import ContactRecord
from pytake.conversation.people import contact_ids
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.follow_ups import PlansFollowUps, tell_fields
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.records import ConversationKey
from pytake.conversation.turn_contact import update_copy
from pytake.engine import normalize_text
from pytake.engine.values import plain_text

FILTERED_CONTACTS = 500
"""A filtered page looks at no more contacts: a rare tag gives short pages, not slow ones."""

HISTORY_LENGTH = 100
"""How many of the latest changes of consent are shown."""


class UnknownContactError(Exception):
    """The organization has no such contact."""


class ContactChangedError(Exception):
    """The stored contact is not the expected one. `revision` is the stored contact's, None if there is none."""

    def __init__(self, revision: int | None) -> None:
        super().__init__("the stored contact is not the expected one")
        self.revision = revision


class ConsentErasedError(Exception):
    """The person had withdrawn consent and was erased. Only they can grant it again."""


class ContactData(Struct, frozen=True):
    """What a program may set of a contact."""

    name: str
    language: str
    tags: list[str]
    fields: dict[str, Any]


class ContactFilters(Struct, frozen=True):
    """The contacts that a list shows. `text` is part of a name, a username, a phone number or an id; case and accents do not
    count. `fields` are values as text."""

    text: str | None = None
    tag: str | None = None
    fields: dict[str, str] = {}

    def match(self, contact: ContactRecord) -> bool:
        return (
            (self.tag is None or self.tag in contact.tags)
            and all(plain_text(contact.fields.get(name, "")) == value for name, value in self.fields.items())
            and (self.text is None or self._has_text(contact))
        )

    def _has_text(self, contact: ContactRecord) -> bool:
        wanted = normalize_text(self.text or "")
        known = (contact.name, contact.username, contact.phone, contact.user_id, contact.contact_id)
        return any(wanted in normalize_text(part) for part in known if part)


class ContactPage(Struct, frozen=True):
    """A page of the list. `end` is the position after which the next page starts, None on the last page."""

    contacts: list[ContactRecord]
    end: ListPlace | None


class ManageContacts:
    """Reads and changes contacts and their consent."""

    def __init__(
        self,
        contacts: Contacts,
        aliases: Aliases,
        conversations: Conversations,
        operator_events: OperatorEvents,
        clock: Clock,
        follow_ups: PlansFollowUps | None = None,
    ) -> None:
        self._follow_ups = follow_ups
        self._contacts = contacts
        self._aliases = aliases
        self._conversations = conversations
        self._operator_events = operator_events
        self._clock = clock

    def get(self, organization_id: str, person: str) -> ContactRecord:
        """The contact, with the time of their last message at any number. Raises `UnknownContactError`."""
        found = self._find(organization_id, person)
        if found is None:
            raise UnknownContactError
        return with_last_messages(self._conversations, organization_id, [found])[0]

    def page(
        self, organization_id: str, limit: int, after: ListPlace | None = None, filters: ContactFilters | None = None
    ) -> ContactPage:
        """At most `limit` contacts after `after`, the newest first.

        With a filter, a page may have fewer before the last one: continue while there is an `end`. A text that is the phone
        number or the id of a contact finds exactly this contact, at once.
        """
        filters = filters or ContactFilters()
        if filters.text is not None and after is None and (found := self._find(organization_id, filters.text)):
            exact = [found] if replace(filters, text=None).match(found) else []
            return ContactPage(with_last_messages(self._conversations, organization_id, exact), None)
        shown: list[ContactRecord] = []
        end, seen = after, 0
        expected = limit + 1 if filters == ContactFilters() else FILTERED_CONTACTS
        size = min(expected, LOADED_TOGETHER)
        chunks = listed_chunks(self._contacts, organization_id, after, size, expected)
        for place, contact in chain.from_iterable(chunks):
            if len(shown) == limit or seen == FILTERED_CONTACTS:
                return ContactPage(with_last_messages(self._conversations, organization_id, shown), end)
            end, seen = place, seen + 1
            if contact is not None and filters.match(contact):
                shown.append(contact)
        return ContactPage(with_last_messages(self._conversations, organization_id, shown), None)

    def put(self, organization_id: str, person: str, data: ContactData, expected: int | None = None) -> ContactRecord:
        """Create the contact or replace what may be set of them; the contact as it is then.

        `expected`: the revision that the stored contact must have, -1 for any. Raises `ContactChangedError` if it has another
        one, and `ConflictError` when others keep writing the contact or their conversations.
        """

        def change(contact: ContactRecord) -> tuple[ContactRecord, list[ConsentChange]]:
            if expected is not None and (not contact.revision or expected not in (-1, contact.revision)):
                raise ContactChangedError(contact.revision or None)
            # The name of the person's profile never replaces a name that is also a field.
            fields = {**data.fields, "name": data.name} if data.name else data.fields
            name = data.name or plain_text(fields.get("name"))
            return replace(contact, name=name, language=data.language, tags=data.tags, fields=fields), []

        saved = self._change(organization_id, person, change)
        return with_last_messages(self._conversations, organization_id, [saved])[0]

    def consent_history(self, organization_id: str, person: str) -> tuple[ContactRecord, list[ConsentChange]]:
        """The contact and the latest changes of their consent, the oldest first. Raises `UnknownContactError`."""
        found = self._find(organization_id, person)
        if found is None:
            raise UnknownContactError
        return found, self._contacts.consent_history(organization_id, found.contact_id, HISTORY_LENGTH)

    def set_consent(
        self, organization_id: str, person: str, states: dict[Purpose, tuple[ConsentState, str]], by: str
    ) -> None:
        """Set the state of purposes, each with its source, from now on. Creates the contact if there is none.

        `by` is the subject of the token of the program or person who does it, for the operator event.
        Raises `ConsentErasedError` when a purpose is to be granted that an erased person had withdrawn, and `ConflictError` when
        others keep writing the contact or their conversations.
        """

        def change(contact: ContactRecord) -> tuple[ContactRecord, list[ConsentChange]]:
            for purpose, (state, _) in states.items():
                if state != "withdrawn" and contact.consent_to(purpose).source == ERASED_SOURCE:
                    raise ConsentErasedError
            now = self._clock()
            changes = [
                ConsentChange(purpose, state, source, max(now, contact.consent_to(purpose).at + TIE_SECONDS))
                for purpose, (state, source) in states.items()
            ]
            return replace(contact, consent=consent_after(contact.consent, changes)), changes

        self._change(organization_id, person, change)
        detail: dict[str, Any] = {purpose: state for purpose, (state, _) in sorted(states.items())}
        self._operator_events.publish(OperatorEvent("contact.consent_changed", organization_id, {"by": by, **detail}))

    def _find(self, organization_id: str, person: str) -> ContactRecord | None:
        ids = contact_ids(self._aliases, organization_id, person)
        found = {contact.contact_id: contact for contact in self._contacts.load_all(organization_id, ids)}
        return next((found[id_] for id_ in (person.removeprefix("+"), *ids) if id_ in found), None)

    def _change(
        self,
        organization_id: str,
        person: str,
        change: Callable[[ContactRecord], tuple[ContactRecord, list[ConsentChange]]],
    ) -> ContactRecord:
        """Change the contact as stored, then the copies that their conversations keep."""

        def write() -> ContactRecord:
            known = self._find(organization_id, person)
            if known is None:
                contact_id = contact_ids(self._aliases, organization_id, person)[0]
                known = self._contacts.load(organization_id, contact_id)
            after, changes = change(known)
            if not known.created_at:
                after = replace(after, created_at=self._clock())
            tell_fields(self._follow_ups, organization_id, known, after)
            return self._contacts.save(organization_id, after, changes)

        saved = until_written(write, "the contact")
        for number in saved.numbers:
            key = ConversationKey(organization_id, number, saved.contact_id)
            update = partial(update_copy, self._conversations, key, saved, saved.revision)
            until_written(update, "the conversation")
        return saved
