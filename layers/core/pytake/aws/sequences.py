"""Sequences and follow-ups on DynamoDB.

A sequence is an item in the partition of its organization. A follow-up is an item in the partition of its contact, so that
erasing the contact removes it; it is found by the index `due`. One that is done stays for a while without a place in the
index, so that it is not planned again.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from pytake.aws.change_log import recorded
from pytake.aws.table import (
    ConditionFailedError,
    Item,
    Table,
    contact_pk,
    due_shard,
)
from pytake.aws.updates import due_items, update_if
from pytake.contacts.ports import ListPlace
from pytake.conversation.change_log import Author, Change, change_of
from pytake.conversation.ports.common import Clock
from pytake.conversation.queues import digest
from pytake.conversation.sequences.records import FollowUp, Sequence

DONE_SECONDS = 90 * 24 * 3600
"""How long a follow-up that is done is remembered."""

_TO_PLAN = "SEQUENCES"
"""The partition of the index `due` with the sequences whose contacts are not planned yet."""

_encode = msgspec.json.Encoder().encode
_read_sequence = msgspec.json.Decoder(Sequence)
_read_follow_up = msgspec.json.Decoder(FollowUp)
_read_place = msgspec.json.Decoder(ListPlace)


def sequences_pk(organization_id: str) -> str:
    return f"ORG#{organization_id}#SEQUENCES"


def follow_ups_pk(shard: int) -> str:
    """The partition of the index `due` with the follow-ups of sequences."""
    return f"FOLLOWUPS#{shard}"


class DynamoSequences:
    """Implements `pytake.conversation.ports.sequences.Sequences`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def get(self, organization_id: str, sequence_id: str) -> Sequence | None:
        try:
            return _sequence(self._table.item.get(sequences_pk(organization_id), sequence_id, consistent_read=True))
        except self._table.item.DoesNotExist:
            return None

    def all(self, organization_id: str) -> list[Sequence]:
        found = self._table.item.query(sequences_pk(organization_id), consistent_read=True)
        return [_sequence(item) for item in found]

    def put(self, organization_id: str, sequence: Sequence, *, plan: bool, author: Author | None = None) -> Sequence:
        item, body = self._table.item, _encode(replace(sequence, revision=0)).decode()
        stored = item(sequences_pk(organization_id), sequence.id, body=body, revision=sequence.revision + 1)
        if plan:
            stored.due_pk, stored.due_at = _TO_PLAN, self._clock()
        condition = item.revision == sequence.revision if sequence.revision else item.pk.does_not_exist()
        with recorded(
            self._table, organization_id, self._change(organization_id, sequence.id, sequence, author)
        ) as all_:
            all_.save(stored, condition=condition)
        return replace(sequence, revision=sequence.revision + 1)

    def delete(self, organization_id: str, sequence_id: str, author: Author | None = None) -> None:
        with recorded(self._table, organization_id, self._change(organization_id, sequence_id, None, author)) as all_:
            all_.delete(self._table.item(sequences_pk(organization_id), sequence_id))

    def _change(
        self, organization_id: str, sequence_id: str, after: Sequence | None, author: Author | None
    ) -> Change | None:
        if author is None:
            return None
        return change_of(author, "sequences", self.get(organization_id, sequence_id), after, sequence_id)

    def to_plan(self) -> Iterator[tuple[str, Sequence, ListPlace | None]]:
        item = self._table.item
        for place in item.due.query(_TO_PLAN):
            with suppress(item.DoesNotExist):
                found = item.get(place.pk, place.sk, consistent_read=True)
                if found.due_pk is not None:
                    after = _read_place.decode(found.state) if found.state is not None else None
                    yield found.pk.split("#")[1], _sequence(found), after

    def planned(self, organization_id: str, sequence: Sequence, through: ListPlace | None) -> bool:
        item = self._table.item
        done = [item.due_pk.remove(), item.due_at.remove(), item.state.remove()]
        actions = done if through is None else [item.state.set(_encode(through).decode())]
        return update_if(item(sequences_pk(organization_id), sequence.id), actions, item.revision == sequence.revision)


class DynamoFollowUps:
    """Implements `pytake.conversation.ports.sequences.FollowUps`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, follow_up: FollowUp) -> None:
        pk, sk = _place(follow_up)
        item = self._table.item(pk, sk, body=_encode(follow_up).decode())
        item.due_pk, item.due_at = follow_ups_pk(due_shard(f"{pk}{sk}")), follow_up.due_at
        try:
            self._table.put(item, self._table.absent_or_expired(self._clock()))
        except ConditionFailedError as refused:
            known, stored = refused.found, self._table.item
            if known is not None and known.due_pk is not None and (known.due_at or 0) > follow_up.due_at:
                later = stored.due_pk.exists() & (stored.due_at > follow_up.due_at)
                update_if(stored(pk, sk), [stored.due_at.set(follow_up.due_at)], later)

    def steps_before(self, follow_up: FollowUp, contact_ids: Collection[str]) -> set[int]:
        earlier = [
            replace(follow_up, contact_id=contact_id, step=step)
            for contact_id in contact_ids
            for step in range(follow_up.step)
        ]
        places = {_place(one): one.step for one in earlier}
        found = self._table.item.batch_get(list(places), consistent_read=True) if places else ()
        return {places[item.pk, item.sk] for item in found}

    def due(self, now: float) -> Iterator[FollowUp]:
        for entry in due_items(self._table, follow_ups_pk, now):
            yield replace(_read_follow_up.decode(entry.body or ""), due_at=float(entry.due_at or 0))

    def move(self, follow_up: FollowUp, due_at: float) -> None:
        item = self._table.item
        update_if(item(*_place(follow_up)), [item.due_at.set(due_at)], item.due_pk.exists())

    def finish(self, follow_up: FollowUp, now: float) -> None:
        item = self._table.item
        actions = [item.due_pk.remove(), item.due_at.remove(), item.expires_at.set(int(now) + DONE_SECONDS)]
        update_if(item(*_place(follow_up)), actions, item.pk.exists())

    def forget(self, follow_up: FollowUp) -> None:
        self._table.item(*_place(follow_up)).delete()


def _place(follow_up: FollowUp) -> tuple[str, str]:
    anchor = digest(follow_up.anchor)[:16]
    pk = contact_pk(follow_up.organization_id, follow_up.contact_id)
    return pk, f"FOLLOWUP#{follow_up.sequence_id}#{follow_up.step:02d}#{anchor}"


def _sequence(item: Item) -> Sequence:
    return replace(_read_sequence.decode(item.body or ""), revision=int(item.revision or 0))
