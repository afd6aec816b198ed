"""In-memory implementations of `pytake.conversation.ports`. They pass `tests/contracts` like the adapters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from pytake.aws.contacts import list_place
from pytake.contacts.consent import ERASED_SOURCE, Consent, ConsentChange, Purpose
from pytake.contacts.import_ports import FoundContact, Identities, ImportedContact
from pytake.contacts.imports import Import, erased_mark
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord, ContactWrite, emptied, new_contact
from pytake.contacts.segment_ports import SegmentCount
from pytake.contacts.segments import Segment
from pytake.conversation.assignments import Note
from pytake.conversation.business_events import BusinessEvent, events_of_turn, type_of
from pytake.conversation.change_log import Author
from pytake.conversation.flow_names import listed_name
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.lake_records import PendingErasure
from pytake.conversation.ports.aliases import Alias, FoundIdentities
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.conversations import AlreadyCommittedError, EffectSlot, RecentPosition
from pytake.conversation.ports.delivery_reads import DeliveryRead
from pytake.conversation.ports.messaging import OperatorEvent, OutboxEntry
from pytake.conversation.ports.templates import ChangeTemplate
from pytake.conversation.ports.tenants import ChangeFlowSecrets, DraftChangedError, ExpectedDraft, FlowSecret
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem
from pytake.conversation.rate_limits import (
    EXACT_UP_TO,
    DayLimit,
    RateWindow,
    SlotBlock,
    SlowDown,
    block_of,
    bulk_per_minute,
    depart,
    reserve,
)
from pytake.conversation.recorded_erasures import RecordedErasure, erasure_digest
from pytake.conversation.records import (
    Conversation,
    ConversationKey,
    Delivery,
    DueConversation,
    FlowChange,
    FlowMetadata,
    FlowSummary,
    FlowVersion,
    HeldTurn,
    Number,
    NumberSecrets,
    Organization,
    StoredDraft,
    TurnRecord,
)
from pytake.conversation.status_filter import STATUS_RANK
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.engine.timetable import Timetable
from pytake.whatsapp.pricing import Pricing
from pytake.whatsapp.sending import AcceptedMessage
from tests.fakes.copies import copied


class FrozenClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, now: float = 1_770_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class MemoryContacts:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], ContactRecord] = {}
        self.history: dict[tuple[str, str], set[ConsentChange]] = {}
        self.withdrawn: dict[tuple[str, str], dict[Purpose, Consent]] = {}
        self.merged: set[tuple[str, str]] = set()
        self.aliases: MemoryAliases | None = None

    def load(self, organization_id: str, contact_id: str) -> ContactRecord:
        place = organization_id, contact_id
        fresh = replace(new_contact(contact_id), consent=self.withdrawn.get(place, {}))
        return copied(self.stored.get(place, fresh))

    def load_all(self, organization_id: str, contact_ids: Sequence[str]) -> list[ContactRecord]:
        places = {(organization_id, contact_id) for contact_id in contact_ids}
        return [copied(self.stored[place]) for place in places if place in self.stored]

    def save(
        self, organization_id: str, contact: ContactRecord, changes: Sequence[ConsentChange] = ()
    ) -> ContactRecord:
        place = organization_id, contact.contact_id
        if (self.stored[place].revision if place in self.stored else 0) != contact.revision:
            raise ConflictError
        after = copied(replace(contact, revision=contact.revision + 1))
        self.stored[place] = after
        self.history.setdefault(place, set()).update(changes)
        return copied(after)

    def merge(self, organization_id: str, contact: ContactRecord, merged: ContactRecord) -> ContactRecord:
        for one in (contact, merged):
            known = self.stored.get((organization_id, one.contact_id))
            if (known.revision if known else 0) != one.revision:
                raise ConflictError
        if self.aliases is not None:
            self.aliases.check(ConversationKey(organization_id, "", contact.contact_id), ())
        stays = self.history.setdefault((organization_id, contact.contact_id), set())
        stays.update(self.history.get((organization_id, merged.contact_id), set()))
        self.save(organization_id, emptied(merged))
        self.merged.add((organization_id, merged.contact_id))
        return self.save(organization_id, contact)

    def consent_history(self, organization_id: str, contact_id: str, most: int) -> list[ConsentChange]:
        known = self.history.get((organization_id, contact_id), set())
        return sorted(known, key=lambda change: change.at)[-most:]

    def listed(
        self,
        organization_id: str,
        after: ListPlace | None = None,
        expected: int | None = None,
    ) -> list[ListPlace]:
        places = [
            list_place(contact)
            for place, contact in self.stored.items()
            if place[0] == organization_id and place not in self.merged
        ]
        places.sort(key=lambda place: (-place.at, place.contact_id))
        return [one for one in places if after is None or one.at < after.at or (one.at == after.at and one > after)]

    def erase(self, organization_id: str, contact_id: str) -> int:
        place = organization_id, contact_id
        known = self.load(*place)
        withdrawn = {purpose: one for purpose, one in known.consent.items() if one.state == "withdrawn"}
        if withdrawn:
            kept = {purpose: Consent("withdrawn", ERASED_SOURCE, one.at) for purpose, one in withdrawn.items()}
            self.withdrawn[place] = kept
        changes = self.history.pop(place, set())
        return len(changes) + (self.stored.pop(place, None) is not None)


class MemorySegments:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Segment] = {}
        self.counts: dict[tuple[str, str], SegmentCount] = {}

    def get(self, organization_id: str, segment_id: str) -> Segment | None:
        return self.stored.get((organization_id, segment_id))

    def put(self, organization_id: str, segment: Segment, author: Author | None = None) -> Segment:
        known = self.stored.get((organization_id, segment.id))
        if (known.revision if known else 0) != segment.revision:
            raise ConflictError
        after = copied(replace(segment, revision=segment.revision + 1))
        self.stored[organization_id, segment.id] = after
        return after

    def delete(self, organization_id: str, segment_id: str, author: Author | None = None) -> None:
        self.stored.pop((organization_id, segment_id), None)
        self.counts.pop((organization_id, segment_id), None)

    def count(self, organization_id: str, segment_id: str) -> SegmentCount | None:
        return self.counts.get((organization_id, segment_id))

    def put_count(self, organization_id: str, segment_id: str, count: SegmentCount) -> None:
        self.counts[organization_id, segment_id] = count

    def all(self, organization_id: str) -> list[Segment]:
        found = [segment for (owner, _), segment in self.stored.items() if owner == organization_id]
        return sorted(found, key=lambda segment: segment.id)


class MemoryImports:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Import] = {}

    def get(self, organization_id: str, import_id: str) -> Import | None:
        return self.stored.get((organization_id, import_id))

    def put(self, about: Import) -> Import:
        known = self.stored.get((about.organization_id, about.id))
        if (known.revision if known else 0) != about.revision:
            raise ConflictError
        after = copied(replace(about, revision=about.revision + 1))
        self.stored[about.organization_id, about.id] = after
        return after

    def latest(self, organization_id: str, most: int) -> list[Import]:
        found = [about for about in self.stored.values() if about.organization_id == organization_id]
        return sorted(found, key=lambda about: about.id, reverse=True)[:most]

    def running(self) -> list[tuple[str, str]]:
        return sorted(place for place, about in self.stored.items() if about.status == "running")

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> None:
        marks = [erased_mark(organization_id, contact_id) for contact_id in contact_ids]
        for (owner, _), about in list(self.stored.items()):
            if owner == organization_id and about.status in ("waiting", "running"):
                self.put(replace(about, erased=list(dict.fromkeys([*about.erased, *marks]))))


class MemoryImportFiles:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], bytes] = {}

    def put(self, organization_id: str, import_id: str, content: bytes) -> None:
        self.stored[organization_id, import_id] = content

    def read(self, organization_id: str, import_id: str, offset: int) -> list[bytes] | None:
        content = self.stored.get((organization_id, import_id))
        return None if content is None else [content[offset : offset + 7], content[offset + 7 :]]

    def delete(self, organization_id: str, import_id: str) -> None:
        self.stored.pop((organization_id, import_id), None)

    def upload_link(self, organization_id: str, import_id: str, seconds: int) -> str:
        return f"https://bucket/{organization_id}/{import_id}"


class MemoryContactBatches:
    def __init__(self, contacts: MemoryContacts) -> None:
        self.contacts = contacts
        self.learned: dict[tuple[str, str], str] = {}

    def _leads(self, organization_id: str, identity: str) -> str:
        if self.contacts.aliases is not None:
            found = self.contacts.aliases.find(organization_id, [identity]).aliases
            if identity in found:
                return found[identity].contact_id
        return self.learned.get((organization_id, identity), identity)

    def find(self, organization_id: str, people: Sequence[Identities]) -> list[FoundContact]:
        return [self._found(organization_id, person) for person in people]

    def _found(self, organization_id: str, person: Identities) -> FoundContact:
        by_phone = [self._leads(organization_id, phone) for phone in person.phones]
        by_user = [self._leads(organization_id, person.user_id)] if person.user_id is not None else []
        ids = [*person.phones[:1], *by_phone, *by_user]
        id_ = next((one for one in ids if (organization_id, one) in self.contacts.stored), [*by_phone, *by_user][0])
        other = by_user[0] if by_user and by_phone else id_
        taken = other != person.user_id or (organization_id, other) in self.contacts.stored
        return FoundContact(self.contacts.load(organization_id, id_), disputed=taken and other != id_)

    def save(self, organization_id: str, writes: Sequence[ImportedContact]) -> set[str]:
        stored = set()
        for one in writes:
            id_ = one.contact.contact_id
            if one.learned is not None and self._leads(organization_id, one.learned) not in (one.learned, id_):
                continue
            try:
                self.contacts.save(organization_id, one.contact, one.changes)
            except ConflictError:
                continue
            stored.add(id_)
            if one.learned is not None:
                self.learned[organization_id, one.learned] = id_
        return stored


class MemoryConversations:
    def __init__(self, contacts: MemoryContacts | None = None) -> None:
        self.contacts = contacts or MemoryContacts()
        self.stored: dict[ConversationKey, Conversation] = {}
        self.records: dict[ConversationKey, dict[int, TurnRecord]] = {}
        self.markers: dict[tuple[ConversationKey, str], int] = {}
        self.erased: dict[str, float] = {}  # by digest
        self.untold: set[tuple[ConversationKey, int]] = set()
        """The turns whose events are not published yet."""
        self.taken_over: dict[tuple[str, str], dict[str, str]] = {}
        """By contact, the sessions that began in a conversation that was merged into its own, with the contacts there."""
        self.aliases = self.contacts.aliases = MemoryAliases(self)

    def erased_at(self, key: ConversationKey) -> float:
        return self.erased.get(erasure_digest(key), 0)

    def load(self, key: ConversationKey) -> Conversation | None:
        return copied(self.stored.get(key))

    def load_all(self, keys: Sequence[ConversationKey]) -> list[Conversation]:
        return [copied(self.stored[key]) for key in set(keys) if key in self.stored]

    def recent(
        self, organization_id: str, until: float | None = None, *, with_agents: bool = False
    ) -> list[RecentPosition]:
        places = []
        for key, known in self.stored.items():
            human = known.session is not None and known.session.human
            at = known.active_at if human else known.active_at // 600 * 600
            if (
                key.organization_id == organization_id
                and known.merged_into is None
                and at
                and human is with_agents
                and (until is None or at <= until)
            ):
                places.append(RecentPosition(key, at))
        return sorted(places, key=lambda place: (-place.at, place.key))

    def commit(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        contact: ContactWrite | None = None,
        learned: Sequence[str] = (),
    ) -> None:
        key = conversation.key
        if turn.message_id is not None and (key, turn.message_id) in self.markers:
            raise AlreadyCommittedError(turn.message_id)
        known = self.stored.get(key)
        if (known.seq if known else 0) != turn.seq - 1:
            raise ConflictError
        if turn.seq == 1 and self.erased_at(key) > conversation.erased_at:
            raise ConflictError
        if known is not None and known.contact_revision != conversation.contact_revision:
            raise ConflictError
        if learned or turn.seq == 1:
            self.aliases.check(key, learned)
        self.stored[key] = copied(conversation)
        if contact is not None:
            try:
                saved = self.contacts.save(key.organization_id, contact.contact, contact.changes)
            except ConflictError:
                del self.stored[key]
                if known is not None:
                    self.stored[key] = known
                raise
            self.stored[key].contact_revision = saved.revision
        if learned or turn.seq == 1:
            self.aliases.learn(key, learned)
        self.records.setdefault(key, {})[turn.seq] = copied(turn)
        if turn.message_id is not None:
            self.markers[key, turn.message_id] = turn.seq

    def merge(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        left: Conversation,
        left_turn: TurnRecord,
        contact_revision: int | None = None,
    ) -> None:
        for one, record in ((conversation, turn), (left, left_turn)):
            known = self.stored.get(one.key)
            at = (known.seq, known.contact_revision) if known else (0, 0)
            if at != (record.seq - 1, one.contact_revision):
                raise ConflictError
        if turn.seq == 1:
            self.aliases.check(conversation.key, ())
            self.aliases.learn(conversation.key, ())
        self.stored |= {one.key: copied(one) for one in (conversation, left)}
        if left_turn.session_id:
            place = conversation.key.organization_id, conversation.key.contact_id
            self.taken_over.setdefault(place, {})[left_turn.session_id] = left.key.contact_id
        if contact_revision is not None:
            self.stored[conversation.key].contact_revision = contact_revision
        for key, record in ((conversation.key, turn), (left.key, left_turn)):
            self.records.setdefault(key, {})[record.seq] = copied(record)
            if events_of_turn(key, record):
                self.untold.add((key, record.seq))

    def update_contact(self, loaded: Conversation, after: Conversation) -> None:
        known = self.stored.get(loaded.key)
        if known is None or (known.seq, known.contact_revision) != (loaded.seq, loaded.contact_revision):
            raise ConflictError
        known.contact, known.opted_out = after.contact, after.opted_out
        known.contact_revision = after.contact_revision

    def turn(self, key: ConversationKey, seq: int) -> TurnRecord | None:
        return copied(self.records.get(key, {}).get(seq))

    def latest_turns(self, conversations: Sequence[Conversation]) -> dict[ConversationKey, TurnRecord]:
        found = {one.key: self.turn(one.key, one.seq) for one in conversations}
        return {key: record for key, record in found.items() if record is not None}

    def turn_of_message(self, key: ConversationKey, message_id: str) -> TurnRecord | None:
        seq = self.markers.get((key, message_id))
        return self.turn(key, seq) if seq is not None else None

    def turns(self, key: ConversationKey) -> list[TurnRecord]:
        return [copied(record) for _, record in sorted(self.records.get(key, {}).items())]

    def due(self, now: float) -> list[DueConversation]:
        found = []
        for key, conversation in self.stored.items():
            session = conversation.session
            if session is not None:
                at = session.expires_at if session.timer_at is None else min(session.expires_at, session.timer_at)
                if at <= now:
                    found.append((at, key))
        return [DueConversation(key, at) for at, key in sorted(found)]


class MemoryAliases:
    """The identities of `conversations`, whose commits write them."""

    def __init__(self, conversations: MemoryConversations) -> None:
        self._conversations = conversations
        self.stored: dict[tuple[str, str], Alias] = {}

    def find(
        self,
        organization_id: str,
        identities: Sequence[str],
        phone_number_id: str | None = None,
        *,
        consistent: bool = False,
    ) -> FoundIdentities:
        keys = {identity: ConversationKey(organization_id, phone_number_id or "", identity) for identity in identities}
        stored, contacts, erased = (
            self._conversations.stored,
            self._conversations.contacts,
            {one for one, key in keys.items() if phone_number_id and self._conversations.erased_at(key)},
        )
        return FoundIdentities(
            {one: self.stored[organization_id, one] for one in identities if (organization_id, one) in self.stored},
            frozenset(one for one, key in keys.items() if key in stored and stored[key].merged_into is None),
            {
                one: contacts.load(organization_id, one)
                for one in keys
                if phone_number_id and (organization_id, one) in contacts.stored
            },
            frozenset(erased | {one for one in keys if (organization_id, one) in contacts.withdrawn}),
        )

    def check(self, key: ConversationKey, learned: Sequence[str]) -> None:
        owner, contact_id = key.organization_id, key.contact_id
        if any(self._leads(owner, identity) not in (None, contact_id) for identity in (contact_id, *learned)):
            raise ConflictError

    def learn(self, key: ConversationKey, learned: Sequence[str]) -> None:
        owner, contact_id = key.organization_id, key.contact_id
        own = self.stored.get((owner, contact_id), Alias(contact_id))
        if learned:
            own = replace(own, identities=own.identities | set(learned), revision=own.revision + 1)
        self.stored[owner, contact_id] = own
        self.stored |= {(owner, identity): Alias(contact_id) for identity in learned}

    def merge(self, organization_id: str, survivor: str, merged: str) -> None:
        stays = self.stored.get((organization_id, survivor), Alias(survivor))
        goes = self.stored.get((organization_id, merged), Alias(merged))
        if goes.contact_id == survivor:
            return
        if (stays.contact_id, goes.contact_id) != (survivor, merged):
            raise ConflictError
        moved = {merged, *goes.identities}
        self.stored |= {(organization_id, identity): Alias(survivor) for identity in moved}
        self.stored[organization_id, survivor] = replace(
            stays,
            identities=stays.identities | moved,
            merging=stays.merging | {merged} | goes.merging,
            revision=stays.revision + 1,
        )

    def finish_merge(self, organization_id: str, survivor: str, merged: str) -> None:
        known = self.stored[organization_id, survivor]
        self.stored[organization_id, survivor] = replace(
            known, merging=known.merging - {merged}, revision=known.revision + 1
        )

    def _leads(self, organization_id: str, identity: str) -> str | None:
        known = self.stored.get((organization_id, identity))
        return known.contact_id if known is not None else None


class MemoryDeliveryReads:
    def __init__(
        self, conversations: "MemoryConversations", contacts: "MemoryContacts", deliveries: "MemoryDeliveries"
    ) -> None:
        self._conversations = conversations
        self._contacts = contacts
        self._deliveries = deliveries

    def load(self, key: ConversationKey, turn: int, index: int) -> DeliveryRead:
        stored = self._contacts.load_all(key.organization_id, [key.contact_id])
        entry = self._deliveries.load(key, turn, index)
        return DeliveryRead(entry, self._conversations.load(key), stored[0] if stored else None)


class MemoryDeliveries:
    def __init__(self) -> None:
        self.entries: dict[tuple[ConversationKey, int, int], Delivery] = {}
        self.failed_sends: dict[tuple[ConversationKey, int, int], int] = {}
        self.status_ids: dict[tuple[ConversationKey, int, int], str | None] = {}

    def load(self, key: ConversationKey, turn: int, index: int) -> Delivery | None:
        known = self.entries.get((key, turn, index))
        return replace(known) if known is not None else None

    def of_turns(self, turns: Sequence[tuple[ConversationKey, int]]) -> dict[tuple[ConversationKey, int], Delivery]:
        found = {(key, turn): self.load(key, turn, 0) for key, turn in turns}
        return {place: entry for place, entry in found.items() if entry is not None}

    def claim(self, key: ConversationKey, delivery: Delivery, previous: Delivery | None) -> Delivery:
        known = self.expect_revision(key, delivery, previous.revision if previous else 0)
        if known is not None and previous is not None and previous.status is not None and delivery.status is None:
            known = replace(known, status=None, status_at=None, message_id=None, error_code=None, pricing=None)
            self.failed_sends[key, delivery.turn, delivery.index] = delivery.sends
            self.status_ids.pop((key, delivery.turn, delivery.index), None)
        return self._write(key, delivery, known)

    def settle(self, key: ConversationKey, delivery: Delivery) -> Delivery:
        return self._write(key, delivery, self.expect_revision(key, delivery, delivery.revision))

    def expect_revision(self, key: ConversationKey, delivery: Delivery, revision: int) -> Delivery | None:
        known = self.entries.get((key, delivery.turn, delivery.index))
        if (known.revision if known else 0) != revision:
            raise ConflictError
        return known

    def _write(self, key: ConversationKey, delivery: Delivery, known: Delivery | None) -> Delivery:
        known = known or Delivery(delivery.turn, delivery.index, "waiting")
        written = replace(
            delivery,
            status=known.status,
            status_at=known.status_at,
            pricing=known.pricing,
            message_id=delivery.message_id or known.message_id,
            revision=known.revision + 1,
        )
        self.entries[key, delivery.turn, delivery.index] = written
        return replace(written)

    def record_status(
        self,
        key: ConversationKey,
        turn: int,
        index: int,
        *,
        send: int,
        status: str,
        at: float,
        message_id: str | None,
        code: int | None,
        pricing: Pricing | None = None,
    ) -> Delivery | None:
        known = self.entries.get((key, turn, index))
        if known is None:
            return None
        another_id = self.status_ids.get((key, turn, index)) != message_id
        newer = known.status == status == "sent" and send == known.sends and another_id
        if known.status is not None and STATUS_RANK[known.status] >= STATUS_RANK[status] and not newer:
            is_same = message_id in (None, known.message_id, self.status_ids.get((key, turn, index)))
            if known.pricing is None and known.status in ("read", "played") and send == known.sends and is_same:
                known.pricing = pricing if status != "sent" else None
            return self._doubled((key, turn, index), send, message_id) if status != "failed" else None
        if status == "failed" and send < known.sends and not self._take_back((key, turn, index), send, message_id):
            return None
        if status in ("failed", "sent") and send <= self.failed_sends.get((key, turn, index), 0):
            return None
        if status == "sent" and self.is_accepted(key, turn, index, send=send, message_id=message_id):
            return None
        told = self.status_ids.get((key, turn, index))
        another = known.message_id is not None and message_id not in (None, known.message_id, told)
        if another and (known.state, known.sends) == ("accepted", send):
            return None
        self.status_ids[key, turn, index] = message_id or told
        after = replace(known, status=status, status_at=at, message_id=known.message_id or message_id)
        after.pricing = pricing or known.pricing
        if status == "failed" and code is not None:
            after.error_code = code
        self.entries[key, turn, index] = after
        return replace(after)

    def _doubled(self, place: tuple[ConversationKey, int, int], send: int, message_id: str | None) -> Delivery | None:
        known = self.entries[place]
        is_another = message_id not in (None, known.message_id)
        is_doubled = self.failed_sends.get(place, 0) < send < known.sends and known.state == "accepted" and is_another
        return replace(known) if is_doubled else None

    def _take_back(self, place: tuple[ConversationKey, int, int], send: int, message_id: str | None) -> bool:
        """Whether the failure of an earlier send is the message's. If that send's status is the only one, it is removed; one
        that has not arrived will not count."""
        known = self.entries[place]
        if message_id is None:
            return False
        if self.status_ids.get(place) != message_id:  # its `sent` has not arrived, and will not count
            self.failed_sends[place] = max(send, self.failed_sends.get(place, 0))
            return False
        if known.status != "sent":
            return False
        if known.state in ("accepted", "failed"):
            return known.state == "accepted" and known.message_id == message_id
        self.failed_sends[place] = send
        del self.status_ids[place]
        self.entries[place] = replace(known, status=None, status_at=None, message_id=None, pricing=None)
        return False

    def is_accepted(self, key: ConversationKey, turn: int, index: int, *, send: int, message_id: str | None) -> bool:
        known = self.entries.get((key, turn, index))
        if known is None or known.held_by_meta:
            return False
        return (known.state, known.sends, known.message_id) == ("accepted", send, message_id)

    def of_conversation(self, key: ConversationKey, from_turn: int = 0) -> list[Delivery]:
        return [
            replace(entry) for place, entry in sorted(self.entries.items()) if place[0] == key and place[1] >= from_turn
        ]


class MemoryRateSlots:
    def __init__(self) -> None:
        self.windows: dict[tuple[str, str], RateWindow] = {}
        self.arrival: dict[tuple[str, str], float] = {}
        self.blocks: dict[tuple[str, str], float] = {}
        self.slow_downs: dict[tuple[str, str], SlowDown] = {}

    def slow_down(self, organization_id: str, phone_number_id: str, code: int, now: float) -> None:
        place = (organization_id, phone_number_id)
        self.slow_downs[place] = self.slow_downs.get(place, SlowDown()).refused(code, now)

    def slowed(self, organization_id: str, phone_number_id: str) -> SlowDown:
        return self.slow_downs.get((organization_id, phone_number_id), SlowDown())

    def reserve(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        place = (organization_id, scope)
        if per_minute <= EXACT_UP_TO:
            self.windows[place], not_before = reserve(self.windows.get(place, RateWindow()), per_minute, now)
            return not_before
        if self.blocks.get(place, 0) > now:
            per_minute -= bulk_per_minute(per_minute)
        burst = max(1, per_minute // 60)
        interval = 60 / (per_minute - burst)
        arrival = max(self.arrival.get(place, now), now)
        self.arrival[place] = arrival + interval
        return max(now, arrival - (burst - 1) * interval)

    def reserve_block(
        self, organization_id: str, scope: str, per_minute: int, count: int, now: float, until: float
    ) -> SlotBlock:
        place = (organization_id, scope)
        block = block_of(per_minute, self.blocks.get(place, 0), count, now, until)
        if block.count:
            self.blocks[place] = block.at(block.count)
        return block

    def depart(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        if per_minute > EXACT_UP_TO:
            return now
        place = (organization_id, scope)
        self.windows[place], free_at = depart(self.windows.get(place, RateWindow()), per_minute, now)
        return free_at


class MemoryDayLimits:
    def __init__(self) -> None:
        self.limits: dict[tuple[str, str], DayLimit] = {}

    def learn(self, organization_id: str, account_id: str, most: int | None, at: float) -> None:
        known = self.limits.get((organization_id, account_id), DayLimit())
        if at >= known.reported_at:
            self.limits[organization_id, account_id] = replace(known, most=most, reported_at=at)

    def remaining(self, organization_id: str, account_id: str, now: float, unreported: int | None = None) -> int | None:
        return self.limits.get((organization_id, account_id), DayLimit()).remaining(now, unreported)

    def reserve(
        self, organization_id: str, account_id: str, people: int, now: float, unreported: int | None = None
    ) -> int:
        known = self.limits.get((organization_id, account_id), DayLimit())
        self.limits[organization_id, account_id], granted = known.reserve(people, now, unreported)
        return granted


class MemoryHeldTurns:
    def __init__(self) -> None:
        self.items: dict[tuple[str, str, str, int], HeldTurn] = {}

    def hold(self, item: OutboundItem, at: float, due_at: float | None = None) -> None:
        held = HeldTurn(item.contact_id, item.turn, at, msgspec.json.encode(item), due_at)
        self.items[item.organization_id, item.phone_number_id, item.contact_id, item.turn] = held

    def earliest(self, key: ConversationKey) -> HeldTurn | None:
        mine = (key.organization_id, key.phone_number_id, key.contact_id)
        return next((item for place, item in sorted(self.items.items()) if place[:3] == mine), None)

    def first_after(self, organization_id: str, phone_number_id: str, contact_id: str) -> HeldTurn | None:
        number = (organization_id, phone_number_id)
        found = (item for place, item in sorted(self.items.items()) if place[:2] == number and place[2] > contact_id)
        return next(found, None)

    def due(self, now: float) -> Iterator[HeldTurn]:
        due = [(held.due_at, place) for place, held in self.items.items() if held.due_at is not None]
        yield from [self.items[place] for due_at, place in sorted(due) if due_at <= now]

    def postpone(self, turns: Sequence[tuple[ConversationKey, int, float]], until: float) -> None:
        for key, turn, due_at in turns:
            place = (key.organization_id, key.phone_number_id, key.contact_id, turn)
            held = self.items.get(place)
            if held is not None and held.due_at == due_at:
                self.items[place] = replace(held, due_at=until)

    def remove(self, key: ConversationKey, turn: int) -> None:
        self.items.pop((key.organization_id, key.phone_number_id, key.contact_id, turn), None)


class MemoryErasure:
    def __init__(
        self, conversations: MemoryConversations, deliveries: MemoryDeliveries, held_turns: MemoryHeldTurns
    ) -> None:
        self._conversations, self._deliveries, self._held_turns = conversations, deliveries, held_turns
        self.unfinished: list[PendingErasure] = []

    def begin(self, organization_id: str, keys: Sequence[ConversationKey], at: float) -> PendingErasure:
        self._conversations.erased |= dict.fromkeys(map(erasure_digest, keys), at)
        pending = PendingErasure(str(len(self.unfinished)), organization_id, at, list(keys), [], [], [])
        self.unfinished.append(pending)
        return pending

    def remove(self, pending: PendingErasure) -> int:
        aliases = self._conversations.aliases.stored
        contact_ids = {key.contact_id for key in pending.keys}
        gone = {(pending.organization_id, id_) for id_ in contact_ids} & aliases.keys()
        gone |= {(pending.organization_id, one) for place in gone for one in aliases[place].identities}
        for place in gone & aliases.keys():
            del aliases[place]
        contacts = sum(self._conversations.contacts.erase(pending.organization_id, id_) for id_ in contact_ids)
        return len(gone) + contacts + sum(self._erase(key) for key in pending.keys)

    def pending(self, before: float) -> list[PendingErasure]:
        return [pending for pending in self.unfinished if pending.at <= before]

    def finish(self, pending: PendingErasure) -> None:
        self.unfinished.remove(pending)

    def remember(self, erasure: RecordedErasure) -> None:
        self._conversations.erased |= dict.fromkeys(erasure.digests, erasure.at)

    def find(self, erased: Mapping[str, float]) -> list[tuple[ConversationKey, float]]:
        stored = self._conversations.stored
        held = {ConversationKey(*place[:3]) for place in self._held_turns.items}
        known = {key: erased.get(erasure_digest(key)) for key in {*stored, *self._conversations.records, *held}}
        return [
            (key, at)
            for key, at in sorted(known.items())
            if at is not None and (key not in stored or stored[key].erased_at < at)
        ]

    def _erase(self, key: ConversationKey) -> int:
        found = self._conversations
        before = self._count(key)
        found.stored.pop(key, None)
        found.records.pop(key, None)
        found.markers = {place: seq for place, seq in found.markers.items() if place[0] != key}
        entries = self._deliveries.entries
        self._deliveries.entries = {place: entry for place, entry in entries.items() if place[0] != key}
        mine = (key.organization_id, key.phone_number_id, key.contact_id)
        self._held_turns.items = {place: item for place, item in self._held_turns.items.items() if place[:3] != mine}
        return before

    def _count(self, key: ConversationKey) -> int:
        mine = (key.organization_id, key.phone_number_id, key.contact_id)
        return (
            (key in self._conversations.stored)
            + len(self._conversations.records.get(key, {}))
            + sum(place[0] == key for place in self._conversations.markers)
            + sum(place[0] == key for place in self._deliveries.entries)
            + sum(place[:3] == mine for place in self._held_turns.items)
        )


class MemoryErasureJournal:
    def __init__(self) -> None:
        self.recorded: list[RecordedErasure] = []

    def record(self, erasure: RecordedErasure) -> None:
        self.recorded.append(erasure)

    def since(self, at: float) -> Iterator[RecordedErasure]:
        return (one for one in sorted(self.recorded, key=lambda one: one.at) if one.at >= at)


class MemoryTenants:
    def __init__(self) -> None:
        self.by_id: dict[str, Number] = {}
        self.had: set[tuple[str, str]] = set()
        self.organizations: dict[str, Organization] = {}

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        return copied(self.by_id.get(phone_number_id))

    def find_numbers(self, phone_number_ids: Sequence[str]) -> dict[str, Number]:
        return {id_: copied(self.by_id[id_]) for id_ in phone_number_ids if id_ in self.by_id}

    def find_accounts(self, waba_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for number in self.by_id.values():
            if number.waba_id in waba_ids:
                found.setdefault(number.waba_id or "", {})[number.phone_number_id] = number.organization_id
        return found

    def knows_verify_token(self, token: str) -> bool:
        import hashlib

        digest = hashlib.sha256(token.encode()).hexdigest()
        return any(number.verify_token_hash == digest for number in self.by_id.values())

    def organization(self, organization_id: str) -> Organization:
        return self.organizations.get(organization_id) or Organization(organization_id)

    def numbers(self, organization_id: str) -> list[Number]:
        return [number for _, number in sorted(self.by_id.items()) if number.organization_id == organization_id]

    def put_number(self, number: Number, author: Author | None = None, secrets: Collection[str] = ()) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None and known.organization_id != number.organization_id:
            raise ConflictError
        for other in self.by_id.values():
            same_token = number.verify_token_hash and other.verify_token_hash == number.verify_token_hash
            if same_token and other.organization_id != number.organization_id:
                raise ConflictError
        self.by_id[number.phone_number_id] = replace(
            number,
            stopped_reason=known.stopped_reason if known else None,
            stopped_at=known.stopped_at if known else None,
            resuming_at=known.resuming_at if known else None,
            resumed_at=known.resumed_at if known else None,
            held_since=known.held_since if known else None,
            held_until=known.held_until if known else None,
        )

    def number_ids(self, organization_id: str) -> list[str]:
        had = {id_ for owner, id_ in self.had if owner == organization_id}
        return sorted(had.union(number.phone_number_id for number in self.numbers(organization_id)))

    def remove_number(self, number: Number, author: Author | None = None) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None and known.organization_id == number.organization_id:
            del self.by_id[number.phone_number_id]
            self.had.add((number.organization_id, number.phone_number_id))

    def move_number(self, number: Number, to: Number) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is None or known.organization_id != number.organization_id:
            raise ConflictError
        self.remove_number(number)
        self.by_id[to.phone_number_id] = copied(to)

    def put_organization(self, organization: Organization, author: Author | None = None) -> None:
        timetables = self.organization(organization.organization_id).timetables
        self.organizations[organization.organization_id] = msgspec.structs.replace(organization, timetables=timetables)

    def put_timetables(
        self, organization_id: str, timetables: dict[str, Timetable], author: Author | None = None
    ) -> None:
        known = self.organization(organization_id)
        self.organizations[organization_id] = msgspec.structs.replace(known, timetables=timetables)

    def stop_number(self, number: Number, reason: str) -> bool:
        known = self.by_id.get(number.phone_number_id)
        if known is None or known.stopped_reason:
            return False
        known.stopped_reason, known.resuming_at = reason, None
        return True

    def confirm_stop(self, number: Number, at: float) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None and known.stopped_reason and known.stopped_at is None:
            known.stopped_at = at

    def begin_resuming(self, number: Number, at: float) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None and (known.stopped_reason or known.resuming_at):
            known.stopped_reason, known.stopped_at, known.resuming_at = None, None, at
            known.resumed_at = at

    def end_resuming(self, number: Number) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None:
            known.resuming_at = None

    def hold_turns_until(self, number: Number, until: float, now: float) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is None:
            return
        if known.held_until is None or known.held_until <= now:
            known.held_since, known.held_until = None, until
        known.held_until = max(known.held_until, until)

    def confirm_holding(self, number: Number, at: float) -> None:
        known = self.by_id.get(number.phone_number_id)
        if known is not None and known.held_until is not None and known.held_since is None:
            known.held_since = at


class MemoryTemplates:
    def __init__(self) -> None:
        self.stored: dict[TemplateKey, StoredTemplate] = {}
        self.listed: dict[tuple[str, str], float] = {}
        self.found = 0

    def find(self, key: TemplateKey) -> StoredTemplate | None:
        self.found += 1
        return self.stored.get(key)

    def page(self, organization_id: str, limit: int, after: str = "") -> list[tuple[str, StoredTemplate]]:
        places = {
            f"{key.waba_id}#{key.name}#{key.language}": stored
            for key, stored in self.stored.items()
            if key.organization_id == organization_id
        }
        return [(place, stored) for place, stored in sorted(places.items()) if place > after][:limit]

    def of_account(self, organization_id: str, waba_id: str, name: str | None = None) -> list[StoredTemplate]:
        return [
            stored
            for _, stored in self.page(organization_id, len(self.stored))
            if stored.waba_id == waba_id and name in (None, stored.template.name)
        ]

    def change(self, key: TemplateKey, change: ChangeTemplate) -> tuple[StoredTemplate | None, StoredTemplate]:
        before = self.stored.get(key)
        self.stored[key] = after = change(before)
        return before, after

    def listed_at(self, organization_id: str, waba_id: str) -> float | None:
        return self.listed.get((organization_id, waba_id))

    def set_listed(self, organization_id: str, waba_id: str, at: float) -> None:
        self.listed[organization_id, waba_id] = at

    def remove_account(self, organization_id: str, waba_id: str) -> None:
        self.listed.pop((organization_id, waba_id), None)
        for key in [key for key in self.stored if (key.organization_id, key.waba_id) == (organization_id, waba_id)]:
            del self.stored[key]


class SecretsByNumber:
    """The two kinds of secrets, taken from both of a number."""

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        raise NotImplementedError

    def app_secrets(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> tuple[str, ...]:
        found = self.of_number(organization_id, phone_number_id, fresh=fresh)
        return found.app_secrets if found is not None else ()

    def cached_app_secrets(self, organization_id: str, phone_number_id: str) -> tuple[str, ...]:
        return ()

    def access_token(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> str | None:
        found = self.of_number(organization_id, phone_number_id, fresh=fresh)
        return found.access_token if found is not None else None


class MemorySecrets(SecretsByNumber):
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], NumberSecrets] = {}

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        return self.stored.get((organization_id, phone_number_id))

    def put(self, organization_id: str, phone_number_id: str, secrets: NumberSecrets) -> None:
        self.stored[organization_id, phone_number_id] = secrets

    def remove(self, organization_id: str, phone_number_id: str) -> None:
        self.stored.pop((organization_id, phone_number_id), None)


class MemoryEffectSlots:
    """Slots for so many turns of an organization at the same time; they do not expire."""

    def __init__(self, per_organization: int = 1000) -> None:
        self.per_organization = per_organization
        self.taken: dict[str, set[int]] = {}

    def take(self, organization_id: str, now: float) -> EffectSlot | None:
        taken = self.taken.setdefault(organization_id, set())
        number = next((number for number in range(self.per_organization) if number not in taken), None)
        if number is None:
            return None
        taken.add(number)
        return EffectSlot(number, now + 60)

    def free(self, organization_id: str, slot: EffectSlot) -> None:
        self.taken[organization_id].discard(slot.number)


class MemoryTries:
    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, message_id: str, tries: int) -> int:
        self.counts[message_id] = self.counts.get(message_id, 0) + tries
        return self.counts[message_id]


class MemoryFlowSecrets:
    def __init__(self) -> None:
        self.stored: dict[str, dict[str, FlowSecret]] = {}

    def hosts(self, organization_id: str) -> dict[str, tuple[str, ...]]:
        return {name: secret.hosts for name, secret in self.stored.get(organization_id, {}).items()}

    def change(self, organization_id: str, change: ChangeFlowSecrets) -> None:
        self.stored[organization_id] = dict(change(self.stored.get(organization_id, {})))


class MemoryFlows:
    def __init__(self) -> None:
        self.drafts: dict[tuple[str, str], StoredDraft] = {}
        self.published: dict[tuple[str, str], list[FlowVersion]] = {}
        self.list: dict[tuple[str, str], FlowSummary] = {}

    def summary(self, organization_id: str, flow_id: str) -> FlowSummary | None:
        return copied(self.list.get((organization_id, flow_id)))

    def summaries(self, organization_id: str, limit: int | None = None, after: str = "") -> list[FlowSummary]:
        of_organization = [summary for (owner, _), summary in sorted(self.list.items()) if owner == organization_id]
        return [summary for summary in of_organization if summary.flow_id > after][:limit]

    def draft(self, organization_id: str, flow_id: str) -> StoredDraft | None:
        return copied(self.drafts.get((organization_id, flow_id)))

    def put_draft(
        self,
        organization_id: str,
        document: dict[str, Any],
        at: float,
        expected: ExpectedDraft | None = None,
        by: str = "",
    ) -> int:
        flow_id = document["id"]
        there = self.drafts.get((organization_id, flow_id))
        revision = there.revision if there is not None else None
        if expected not in (None, revision, "none" if there is None else "any"):
            raise DraftChangedError(revision)
        stored = StoredDraft(copied(document), (revision or 0) + 1, at, by)
        self.drafts[organization_id, flow_id] = stored
        summary = self.list.setdefault((organization_id, flow_id), FlowSummary(flow_id, flow_id))
        summary.name = listed_name(document)
        self._changed(summary, at, by, "saved")
        return stored.revision

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None:
        versions = self.published.get((organization_id, flow_id), [])
        return copied(versions[version - 1]) if 1 <= version <= len(versions) else None

    def versions(
        self, organization_id: str, flow_id: str, limit: int | None = None, before: int | None = None
    ) -> list[FlowVersion]:
        versions = self.published.get((organization_id, flow_id), [])[: before - 1 if before else None]
        return [replace(version, documents={}) for version in reversed(versions)][:limit]

    def publish(self, organization_id: str, version: FlowVersion, name: str) -> None:
        versions = self.published.setdefault((organization_id, version.flow_id), [])
        if version.version != len(versions) + 1:
            raise ConflictError
        versions.append(copied(version))
        summary = self.list.setdefault((organization_id, version.flow_id), FlowSummary(version.flow_id, name))
        summary.name = name
        self._changed(summary, version.published_at, version.published_by, "published")
        summary.latest_version = summary.published_version = version.version

    def point_to(self, organization_id: str, flow_id: str, version: int, at: float, by: str) -> None:
        summary = self.list.get((organization_id, flow_id))
        if summary is None or summary.latest_version < version:
            raise ConflictError
        summary.published_version = version
        self._changed(summary, at, by, "rolled_back")

    def put_metadata(self, organization_id: str, flow_id: str, metadata: FlowMetadata, at: float, by: str) -> None:
        summary = self.list.get((organization_id, flow_id))
        if summary is None:
            raise ConflictError
        summary.metadata = metadata
        self._changed(summary, at, by, "filed")

    def _changed(self, summary: FlowSummary, at: float, by: str, change: FlowChange) -> None:
        summary.updated_at, summary.updated_by, summary.last_change = at, by, change


class MemoryQueues:
    """Queues that record their items and deduplicate like a FIFO queue within five minutes."""

    def __init__(self) -> None:
        self.inbound: list[InboundItem] = []
        self.outbound: list[OutboundItem] = []
        self.statuses: list[StatusesItem] = []
        self.media: list[MediaItem] = []
        self.dead_lettered: list[tuple[OutboundItem, str]] = []
        self._seen: set[str] = set()

    def put_inbound(self, items: Sequence[InboundItem]) -> None:
        self.inbound.extend(item for item in items if self._is_new(item.deduplication_id))

    def put_outbound(self, item: OutboundItem) -> None:
        if self._is_new(item.deduplication_id):
            self.outbound.append(item)

    def put_all_outbound(self, items: Sequence[OutboundItem]) -> None:
        for item in items:
            self.put_outbound(item)

    def put_bulk(self, items: Sequence[OutboundItem]) -> list[OutboundItem]:
        self.put_all_outbound(items)
        return []

    def put_statuses(self, items: Sequence[StatusesItem]) -> None:
        self.statuses.extend(items)

    def put_media(self, item: MediaItem) -> None:
        self.media.append(item)

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        self.dead_lettered.append((item, reason))

    def forget_deduplication(self) -> None:
        """End the deduplication interval of five minutes."""
        self._seen.clear()

    def _is_new(self, deduplication_id: str) -> bool:
        new = deduplication_id not in self._seen
        self._seen.add(deduplication_id)
        return new


class ScriptedSender:
    """Meta's Graph API: accepts everything, unless the script decides otherwise for the next sends."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.script: list[BaseException | AcceptedMessage | None] = []

    def send(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        scripted = self.script.pop(0) if self.script else None
        if isinstance(scripted, BaseException):
            raise scripted
        self.sent.append(payload)
        return scripted or AcceptedMessage(f"wamid.{len(self.sent)}")


class MemoryAppHistory:
    """Messages that phone apps shared, by conversation. With a clock, they are kept for 90 days."""

    def __init__(self, clock: "FrozenClock | None" = None) -> None:
        self._clock = clock
        self.kept: dict[ConversationKey, dict[tuple[float, str, bool], HistoryMessage]] = {}

    def add(self, key: ConversationKey, messages: Sequence[HistoryMessage]) -> None:
        kept = self.kept.setdefault(key, {})
        kept.update({(message.sent_at, message.id, not message.is_placeholder): message for message in messages})

    def of_conversation(self, key: ConversationKey) -> list[HistoryMessage]:
        oldest = self._clock() - 90 * 86_400 if self._clock is not None else 0
        found = sorted(self.kept.get(key, {}).items(), key=lambda item: item[0])
        return [message for _, message in found if message.sent_at > oldest]


class RecordedReceipts:
    """Meta's read receipts: the message ids, each with whether the typing indicator was shown."""

    def __init__(self) -> None:
        self.marked: list[tuple[str, bool]] = []

    def mark(self, phone_number_id: str, access_token: str, message_id: str, *, typing: bool) -> None:
        self.marked.append((message_id, typing))

    def finish(self) -> None:
        pass


class MemoryBus:
    """Records the events; takes none while it is `down`."""

    def __init__(self) -> None:
        self.told: list[BusinessEvent] = []
        self.down = False

    def put(self, events: Sequence[BusinessEvent]) -> bool:
        if not self.down:
            self.told.extend(events)
        return not self.down

    @property
    def types(self) -> list[str]:
        return [type_of(event) for event in self.told]


class MemoryOutbox:
    """Contains failed deliveries until their events are published."""

    def __init__(self, conversations: MemoryConversations, deliveries: MemoryDeliveries) -> None:
        self._conversations, self._deliveries = conversations, deliveries
        self.turns = conversations.untold
        self.told: set[tuple[ConversationKey, int, int, int]] = set()
        self.notes: dict[str, tuple[ConversationKey, Note]] = {}

    def add(self, key: ConversationKey, turn: int) -> None:
        if turn in self._conversations.records.get(key, {}):
            self.turns.add((key, turn))

    def remove(self, key: ConversationKey, entry: OutboxEntry) -> None:
        if isinstance(entry, Delivery):
            stored = self._deliveries.load(key, entry.turn, entry.index)
            self.told.add((key, entry.turn, entry.index, stored.sends if stored is not None else 0))
        elif isinstance(entry, TurnRecord):
            self.turns.discard((key, entry.seq))
        else:
            self.notes.pop(entry.id, None)

    def pending(self, before: float) -> list[tuple[ConversationKey, OutboxEntry]]:
        found: list[tuple[ConversationKey, OutboxEntry]] = [*self.notes.values()]
        for key, turn in sorted(self.turns):
            record = self._conversations.turn(key, turn)
            if record is not None:
                found.append((key, record))
        entries = self._deliveries.entries.items()
        failed = [place for place, entry in entries if entry.state == "failed" or entry.status == "failed"]
        for place in sorted(failed):  # of the many that there are, the few that failed
            entry = self._deliveries.entries[place]
            if (*place, entry.sends) not in self.told:
                found.append((place[0], entry))
        return found


class RecordedOperatorEvents:
    def __init__(self) -> None:
        self.events: list[OperatorEvent] = []

    def publish(self, event: OperatorEvent) -> None:
        self.events.append(event)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]
