"""The repository of contacts."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.contacts.consent import ConsentChange
from pytake.contacts.records import ContactRecord


class ListPlace(Struct, frozen=True, order=True):
    """The position of a contact in the list of its organization: the newest first, then by id.

    `at` is about when the contact was created: contacts of the same millisecond are spread over it.
    """

    at: float
    contact_id: str


class Contacts(Protocol):
    """The contacts of all organizations."""

    def load(self, organization_id: str, contact_id: str) -> ContactRecord:
        """The contact as stored (a consistent read), or a new one with the revision 0.

        A new one of a person who was erased knows which consent was withdrawn before (`consent.ERASED_SOURCE`). One read
        request for a stored contact, two for a new one.
        """

    def load_all(self, organization_id: str, contact_ids: Sequence[str]) -> list[ContactRecord]:
        """The contacts that are stored, in any order (consistent reads)."""

    def save(
        self, organization_id: str, contact: ContactRecord, changes: Sequence[ConsentChange] = ()
    ) -> ContactRecord:
        """Store a contact and add `changes` to the history of its consent, all or nothing; returns it with its new revision.

        One write request. Raises `ConflictError` when the stored contact does not have this contact's `revision`.
        """

    def merge(self, organization_id: str, contact: ContactRecord, merged: ContactRecord) -> ContactRecord:
        """Store the contact that two became, and empty the one that was `merged` into it; returns it with its new revision.

        The history of the consent of both is then that of the contact. The empty contact is in no list. Raises `ConflictError`
        when one of the stored contacts does not have the revision that was read, and when the contact was merged itself.
        """

    def consent_history(self, organization_id: str, contact_id: str, most: int) -> list[ConsentChange]:
        """The latest changes of the contact's consent, the oldest first. A change that was repeated is there once."""

    def listed(
        self, organization_id: str, after: ListPlace | None = None, expected: int | None = None
    ) -> Iterable[ListPlace]:
        """The organization's contacts, newest first, after a position. Read lazily, eventually consistent.

        `expected`: how many the caller is going to read, so that few more are read than that.
        """
