"""The use cases behind `/api/v1/segments`: change segments, count and show their members (ADR 31)."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.members import SegmentMembers
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import Audiences, SegmentCount, Segments, SegmentUnknownError
from pytake.contacts.segments import Segment, checked
from pytake.conversation.change_log import Author
from pytake.conversation.ports.common import Clock, until_written

MOST_SEGMENTS = 500

COUNT_SECONDS = 2.0
"""A request counts no longer. The next one continues."""

KEPT_AFTER_SECONDS = 1.0
"""A faster count is made again for each request, so that it is never old."""

FRESH_SECONDS = 300
"""A kept count that is older is made again, and answers until the new one is complete."""

ABANDONED_SECONDS = 3600
"""A count that began earlier is not continued, and does not answer any more."""

PREVIEW_CONTACTS = 1000
"""A preview looks at no more contacts."""


class SegmentsFullError(Exception):
    """The organization has as many segments as it may have."""


class SegmentChangedError(Exception):
    """The stored segment is not the expected one. `revision` is the stored segment's, None if there is none."""

    def __init__(self, revision: int | None) -> None:
        super().__init__("the stored segment is not the expected one")
        self.revision = revision


class CountState(Struct, frozen=True):
    """A count: of `as_of`, or still going on: `count` is None then, and `seen` contacts are counted."""

    count: int | None
    as_of: float
    seen: int = 0


class Preview(Struct, frozen=True):
    """Some members, the newest contacts first. `complete`: the segment has no others."""

    contacts: list[ContactRecord]
    complete: bool


class ManageSegments:
    """Reads and changes segments, and reads their members."""

    def __init__(
        self,
        segments: Segments,
        members: SegmentMembers,
        audiences: Audiences,
        clock: Clock,
        timer: Callable[[], float],
    ) -> None:
        self._segments = segments
        self._members = members
        self._audiences = audiences
        self._clock = clock
        self._timer = timer

    def all(self, organization_id: str) -> list[Segment]:
        """The organization's segments, by id."""
        return self._segments.all(organization_id)

    def get(self, organization_id: str, segment_id: str) -> Segment:
        """A segment. Raises `SegmentUnknownError`."""
        found = self._segments.get(organization_id, segment_id)
        if found is None:
            raise SegmentUnknownError(segment_id)
        return found

    def put(self, organization_id: str, segment: Segment, author: Author, expected: int | None = None) -> Segment:
        """Create or replace a segment; returns it as stored.

        `expected`: the revision that the stored segment must have, -1 for any. Raises `SegmentError`, `SegmentsFullError`,
        `SegmentChangedError`, and `ConflictError` when others keep writing the segment.
        """
        checked(segment)
        if segment.query is not None:
            self._audiences.check(segment.query)

        def write() -> Segment:
            known = self._segments.get(organization_id, segment.id)
            if expected is not None and (known is None or expected not in (-1, known.revision)):
                raise SegmentChangedError(known.revision if known is not None else None)
            if known is None and len(self._segments.all(organization_id)) >= MOST_SEGMENTS:
                raise SegmentsFullError
            revision = known.revision if known is not None else 0
            new = replace(segment, revision=revision, updated_at=self._clock())
            return self._segments.put(organization_id, new, author)

        return until_written(write, "the segment")

    def delete(self, organization_id: str, segment_id: str, author: Author) -> None:
        """Remove a segment. Raises `SegmentUnknownError`."""
        self.get(organization_id, segment_id)
        self._segments.delete(organization_id, segment_id, author)

    def count(self, organization_id: str, segment_id: str) -> CountState:
        """How many members a segment has.

        A count that takes long goes on with each call, and is kept for five minutes. Raises `SegmentUnknownError`, and what
        `SegmentMembers.chunks` raises.
        """
        segment = self.get(organization_id, segment_id)
        kept = self._segments.count(organization_id, segment_id)
        now = self._clock()
        if kept is not None and (kept.revision != segment.revision or now - kept.as_of > ABANDONED_SECONDS):
            kept = None
        if kept is not None and kept.done:
            if now - kept.as_of < FRESH_SECONDS:
                return CountState(kept.members, kept.as_of, kept.seen)
            kept = SegmentCount(segment.revision, now, before=(kept.members, kept.as_of))
        began = self._timer()
        after = self._counted(organization_id, segment, kept or SegmentCount(segment.revision, now), began)
        if not after.done or after.end is not None or self._timer() - began > KEPT_AFTER_SECONDS:
            self._segments.put_count(organization_id, segment_id, after)
        if after.done:
            return CountState(after.members, after.as_of, after.seen)
        if after.before is not None:
            return CountState(*after.before)
        return CountState(None, after.as_of, after.seen)

    def preview(self, organization_id: str, segment_id: str, limit: int) -> Preview:
        """At most `limit` members among the newest thousand contacts. Raises as `count` does."""
        segment = self.get(organization_id, segment_id)
        found, seen = list[ContactRecord](), 0
        for chunk in self._members.chunks(organization_id, segment):
            found += [member.contact for member in chunk.members]
            seen += chunk.seen
            if len(found) > limit or seen >= PREVIEW_CONTACTS:
                return Preview(found[:limit], complete=False)
        return Preview(found, complete=True)

    def _counted(self, organization_id: str, segment: Segment, so_far: SegmentCount, began: float) -> SegmentCount:
        members, seen, end = so_far.members, so_far.seen, so_far.end
        for chunk in self._members.chunks(organization_id, segment, end):
            members, seen, end = members + len(chunk.members), seen + chunk.seen, chunk.end
            if self._timer() - began > COUNT_SECONDS:
                return replace(so_far, members=members, seen=seen, end=end)
        # `end` stays where an earlier call continued: such a count took long, and is kept.
        return replace(so_far, members=members, seen=seen, end=so_far.end, done=True)
