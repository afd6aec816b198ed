"""The identities of people: which contact a phone number or a business-scoped user id leads to (ADR 26)."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.contacts.records import ContactRecord


class Alias(Struct, frozen=True):
    """Where an identity leads.

    The identity that is the contact's own id also knows the contact's other `identities`, and in `merging` the contacts that are
    being merged into this one. `revision` counts the changes of these.
    """

    contact_id: str
    identities: frozenset[str] = frozenset()
    merging: frozenset[str] = frozenset()
    revision: int = 0


class FoundIdentities(Struct, frozen=True):
    """What is known of identities: the alias of each that has one, those that are themselves the id of a conversation at the
    number in question, and the contact of those that are the id of a stored one. A contact that has not written yet has no
    alias, and neither has one from before there were aliases.

    `erased` are those that an erased person had: what is kept of the erasure must be read before the contact.
    """

    aliases: Mapping[str, Alias]
    conversations: frozenset[str] = frozenset()
    contacts: Mapping[str, ContactRecord] = {}
    erased: frozenset[str] = frozenset()


class Aliases(Protocol):
    """The repository of identities. `Conversations.commit` writes what a turn learns."""

    def find(
        self,
        organization_id: str,
        identities: Sequence[str],
        phone_number_id: str | None = None,
        *,
        consistent: bool = False,
    ) -> FoundIdentities:
        """What is known of these identities: one read request, eventually consistent unless `consistent`.

        Conversations, stored contacts and erasures are looked for only with a `phone_number_id`.
        """

    def merge(self, organization_id: str, survivor: str, merged: str) -> None:
        """Let all identities of the contact `merged` lead to `survivor`, which is marked as `merging` it, and what it was
        merging itself: all or nothing.

        Calling it again is safe. Raises `ConflictError` when either of them leads to another contact, or gets an identity at
        the same moment.
        """

    def finish_merge(self, organization_id: str, survivor: str, merged: str) -> None:
        """Remove the mark of `merge`. Calling it again is safe."""
