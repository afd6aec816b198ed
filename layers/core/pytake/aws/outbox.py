"""Turns, deliveries and notes whose events are not published yet: a mark on the item itself, found through the index `due`."""

from collections.abc import Iterator
from itertools import islice

import msgspec
from pynamodb.expressions.update import Action

from pytake.aws.assignments import NOTE, note_sk
from pytake.aws.conversations import read_turn
from pytake.aws.deliveries import delivery_of
from pytake.aws.table import (
    DUE_SHARDS,
    Item,
    Table,
    conversation_key,
    conversation_pk,
    delivery_sk,
    due_shard,
    outbox_pk,
    turn_sk,
)
from pytake.aws.updates import update_if
from pytake.conversation.assignments import Note
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.messaging import OutboxEntry
from pytake.conversation.records import ConversationKey, Delivery

BATCH = 100


class DynamoOutbox:
    """Implements `pytake.conversation.ports.messaging.Outbox`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, key: ConversationKey, turn: int) -> None:
        item, pk = self._table.item, conversation_pk(key)
        marks: list[Action] = [item.due_pk.set(outbox_pk(due_shard(pk))), item.due_at.set(self._clock())]
        update_if(item(pk, turn_sk(turn)), marks, item.pk.exists())  # an erased item has no events to publish

    def remove(self, key: ConversationKey, entry: OutboxEntry) -> None:
        item = self._table.item
        done: list[Action] = [item.due_pk.remove(), item.due_at.remove()]
        update_if(item(conversation_pk(key), _sk(entry)), done, item.pk.exists())

    def pending(self, before: float) -> Iterator[tuple[ConversationKey, OutboxEntry]]:
        item = self._table.item
        for shard in range(DUE_SHARDS):
            places = iter(item.due.query(outbox_pk(shard), item.due_at <= before))
            while batch := [(place.pk, place.sk) for place in islice(places, BATCH)]:
                found = {(entry.pk, entry.sk): entry for entry in item.batch_get(batch, consistent_read=True)}
                for place in batch:
                    entry = found.get(place)
                    if entry is not None and entry.due_pk is not None and entry.body:
                        yield conversation_key(entry.pk), _read(entry)


def _sk(entry: OutboxEntry) -> str:
    match entry:
        case Delivery():
            return delivery_sk(entry.turn, entry.index)
        case Note():
            return note_sk(entry)
    return turn_sk(entry.seq)


def _read(entry: Item) -> OutboxEntry:
    if entry.sk.startswith(NOTE):
        return msgspec.json.decode(entry.body or "", type=Note)
    return read_turn(entry.body or "") if entry.sk.startswith("TURN#") else delivery_of(entry)
