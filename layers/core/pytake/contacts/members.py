"""The contacts of a segment, read in the order of the list of contacts (ADR 31)."""

from collections.abc import Container, Iterator

from pytake.contacts.ports import Contacts, ListPlace
from pytake.contacts.reading import last_messages, listed_chunks
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import (
    Audiences,
    Pseudonymous,
    SegmentChunk,
    SegmentMember,
    Segments,
    SegmentUnknownError,
)
from pytake.contacts.segments import Person, Segment, Test, asks_activity, compile_segment, outcomes_of
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations


class SegmentMembers:
    """Reads who belongs to a segment. Memory does not grow with the number of contacts."""

    def __init__(
        self,
        segments: Segments,
        contacts: Contacts,
        conversations: Conversations,
        audiences: Audiences,
        pseudonymous: Pseudonymous,
        clock: Clock,
    ) -> None:
        self._segments = segments
        self._contacts = contacts
        self._conversations = conversations
        self._audiences = audiences
        self._pseudonymous = pseudonymous
        self._clock = clock

    def __call__(
        self, organization_id: str, segment_id: str, after: ListPlace | None = None
    ) -> Iterator[SegmentMember]:
        """The members, each once, in the order of the list of contacts (newest first), after a place.

        Raises `SegmentUnknownError` before the first one, and what `chunks` raises.
        """
        segment = self._segments.get(organization_id, segment_id)
        if segment is None:
            raise SegmentUnknownError(segment_id)
        return (member for chunk in self.chunks(organization_id, segment, after) for member in chunk.members)

    def chunks(self, organization_id: str, segment: Segment, after: ListPlace | None = None) -> Iterator[SegmentChunk]:
        """The members among each hundred contacts after a place. A caller can stop between two chunks, and continue after the
        last one's `end`, also when a segment has few members.

        The list is eventually consistent, its contacts are read consistently. A contact that is created meanwhile may be
        missing. Raises what `Audiences` raises, before the first chunk.
        """
        outcomes = {one: self._audiences.with_outcome(organization_id, one) for one in outcomes_of(segment)}
        named: Container[str] | None = None
        if segment.query is not None:
            named = self._audiences.named_by(organization_id, segment.query)
        belongs = compile_segment(segment, self._clock(), outcomes, named)
        asks_pseudonyms = bool(outcomes) or named is not None
        return self._chunks(organization_id, segment, belongs, after, asks_pseudonyms=asks_pseudonyms)

    def _chunks(
        self,
        organization_id: str,
        segment: Segment,
        belongs: Test,
        after: ListPlace | None,
        *,
        asks_pseudonyms: bool,
    ) -> Iterator[SegmentChunk]:
        for chunk in listed_chunks(self._contacts, organization_id, after):
            known = {place: contact for place, contact in chunk if contact is not None}
            latest: dict[str, float] = {}
            pseudonyms: dict[str, str] = {}
            if asks_activity(segment):
                latest = last_messages(self._conversations, organization_id, list(known.values()))
            if asks_pseudonyms:
                ids = [contact.contact_id for contact in known.values()]
                pseudonyms = self._pseudonymous.known_pseudonyms(organization_id, ids)

            def person(
                contact: ContactRecord, latest: dict[str, float] = latest, names: dict[str, str] = pseudonyms
            ) -> Person:
                return Person(contact, latest.get(contact.contact_id, 0), names.get(contact.contact_id))

            members = [SegmentMember(place, contact) for place, contact in known.items() if belongs(person(contact))]
            yield SegmentChunk(members, len(known), chunk[-1][0])
