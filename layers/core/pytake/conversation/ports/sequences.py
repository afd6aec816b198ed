"""The repositories of sequences and of their follow-ups."""

from collections.abc import Collection, Iterator
from typing import Protocol

from pytake.contacts.ports import ListPlace
from pytake.conversation.change_log import Author
from pytake.conversation.sequences.records import FollowUp, Sequence


class Sequences(Protocol):
    """The sequences of all organizations."""

    def get(self, organization_id: str, sequence_id: str) -> Sequence | None:
        """A sequence as stored (a consistent read)."""

    def all(self, organization_id: str) -> list[Sequence]:
        """The organization's sequences, by id (a consistent read)."""

    def put(self, organization_id: str, sequence: Sequence, *, plan: bool, author: Author | None = None) -> Sequence:
        """Store a sequence, and record who changes it; returns it with its new revision.

        `plan`: the contacts that exist are to be planned from the start.

        Raises `ConflictError` when the stored sequence does not have this sequence's `revision`, 0 for one that is not stored.
        """

    def delete(self, organization_id: str, sequence_id: str, author: Author | None = None) -> None:
        """Remove a sequence, if there is one, and record who removes it."""

    def to_plan(self) -> Iterator[tuple[str, Sequence, ListPlace | None]]:
        """The sequences whose contacts are not planned yet, with their organization and the last place that is."""

    def planned(self, organization_id: str, sequence: Sequence, through: ListPlace | None) -> bool:
        """Remember that the contacts are planned up to a place of their list; None: all are.

        False when the sequence was written meanwhile: its contacts are planned from the start.
        """


class FollowUps(Protocol):
    """The follow-ups of all organizations. Each belongs to its contact: erasing the contact removes it."""

    def add(self, follow_up: FollowUp) -> None:
        """Store a follow-up, unless the same step of the same occurrence is or was there. One that waits for a later time is
        moved to this one's."""

    def steps_before(self, follow_up: FollowUp, contact_ids: Collection[str]) -> set[int]:
        """The earlier steps of the same occurrence that are or were there, for one of these contacts."""

    def due(self, now: float) -> Iterator[FollowUp]:
        """Those that are due, about the earliest first."""

    def move(self, follow_up: FollowUp, due_at: float) -> None:
        """Look at it again at another time, if it is still there."""

    def finish(self, follow_up: FollowUp, now: float) -> None:
        """It is done: it is remembered without being due."""

    def forget(self, follow_up: FollowUp) -> None:
        """Remove one that has no reason. The same step of the same occurrence may be added again."""
