"""The repository of segments, and what segments need of the lake."""

from collections.abc import Container, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.contacts.segments import Outcome, Segment, SegmentQuery
from pytake.conversation.change_log import Author


class SegmentUnknownError(Exception):
    """The organization has no such segment."""


class SegmentMember(Struct, frozen=True):
    """A contact of a segment, and its place in the list of the organization's contacts."""

    place: ListPlace
    contact: ContactRecord


class SegmentChunk(Struct, frozen=True):
    """The members among some contacts that follow one another in the list: `seen` contacts, up to `end`."""

    members: list[SegmentMember]
    seen: int
    end: ListPlace


class SegmentCount(Struct, frozen=True, omit_defaults=True):
    """A count of a segment's members, which may be unfinished.

    `revision` is that of the segment. `members` are those among the `seen` contacts up to `end`; `end` is None when all are
    counted. `as_of` is when the count began. `before` is the last finished count of the same segment, with its time.
    """

    revision: int
    as_of: float
    members: int = 0
    seen: int = 0
    end: ListPlace | None = None
    done: bool = False
    before: tuple[int, float] | None = None


class Segments(Protocol):
    """The segments of all organizations."""

    def get(self, organization_id: str, segment_id: str) -> Segment | None:
        """A segment as stored (a consistent read)."""

    def put(self, organization_id: str, segment: Segment, author: Author | None = None) -> Segment:
        """Store a segment, and record who changes it; returns it with its new revision.

        Raises `ConflictError` when the stored segment does not have this segment's `revision`, 0 for one that is not stored.
        """

    def delete(self, organization_id: str, segment_id: str, author: Author | None = None) -> None:
        """Remove a segment, if there is one, and record who removes it."""

    def all(self, organization_id: str) -> list[Segment]:
        """The organization's segments, by id."""

    def count(self, organization_id: str, segment_id: str) -> SegmentCount | None:
        """The count that was last kept."""

    def put_count(self, organization_id: str, segment_id: str, count: SegmentCount) -> None:
        """Keep a count. It is forgotten with the segment."""


class Audiences(Protocol):
    """Sets of people that the lake knows, by their pseudonyms.

    Raises what `LakeQueries.rows` raises: a query may take longer than a caller can wait, read too much, or fail.
    """

    def with_outcome(self, organization_id: str, outcome: Outcome) -> Container[str]:
        """The people whom a flow left in this state."""

    def named_by(self, organization_id: str, query: SegmentQuery) -> Container[str]:
        """The people that a saved query names. Raises `SegmentError` when it does not exist or a parameter is not valid."""

    def check(self, query: SegmentQuery) -> None:
        """Raises `SegmentError` when the query does not exist or a parameter is not valid. Asks nothing of the lake."""


class Pseudonymous(Protocol):
    """The pseudonyms of contacts."""

    def known_pseudonyms(self, organization_id: str, contact_ids: Sequence[str]) -> dict[str, str]:
        """The pseudonym of each contact that has one. A contact without one is not in the lake. Makes none."""
