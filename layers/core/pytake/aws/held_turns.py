"""Outgoing turns that do not wait in their queue, on DynamoDB. They have no time to live: a stopped number may stay stopped."""

from collections.abc import Iterator, Sequence

import msgspec
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from pytake.aws.table import Item, Table, cancellation_codes, due_shard, held_due_pk, held_pk, held_sk
from pytake.aws.updates import due_items
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, HeldTurn

BATCH = 100
"""The limit of one transaction."""

_encode = msgspec.json.Encoder().encode


class DynamoHeldTurns:
    """Implements `pytake.conversation.ports.deliveries.HeldTurns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def hold(self, item: OutboundItem, at: float, due_at: float | None = None) -> None:
        pk, sk = held_pk(item.organization_id, item.phone_number_id), held_sk(item.contact_id, item.turn)
        held = self._table.item(pk, sk, body=_encode(item).decode(), updated_at=at)
        if due_at is not None:
            held.due_pk, held.due_at = held_due_pk(due_shard(f"{pk}{sk}")), due_at
        held.save()

    def earliest(self, key: ConversationKey) -> HeldTurn | None:
        item = self._table.item
        return self._first(key.organization_id, key.phone_number_id, item.sk.startswith(f"{key.contact_id}#"))

    def first_after(self, organization_id: str, phone_number_id: str, contact_id: str) -> HeldTurn | None:
        behind = self._table.item.sk > f"{contact_id}#~" if contact_id else None
        return self._first(organization_id, phone_number_id, behind)

    def remove(self, key: ConversationKey, turn: int) -> None:
        pk = held_pk(key.organization_id, key.phone_number_id)
        self._table.item(pk, held_sk(key.contact_id, turn)).delete()

    def due(self, now: float) -> Iterator[HeldTurn]:
        yield from map(_held_turn, due_items(self._table, held_due_pk, now))

    def postpone(self, turns: Sequence[tuple[ConversationKey, int, float]], until: float) -> None:
        unique = list(dict.fromkeys(turns))
        for start in range(0, len(unique), BATCH):
            self._postpone(unique[start : start + BATCH], until)

    def _postpone(self, turns: Sequence[tuple[ConversationKey, int, float]], until: float) -> None:
        """A transaction is all or nothing: it is repeated without the turns that were removed or held again meanwhile."""
        item = self._table.item
        while turns:
            try:
                with TransactWrite(connection=self._table.connection) as transaction:
                    for key, turn, due_at in turns:
                        place = item(held_pk(key.organization_id, key.phone_number_id), held_sk(key.contact_id, turn))
                        transaction.update(place, actions=[item.due_at.set(until)], condition=item.due_at == due_at)
            except TransactWriteError as error:
                codes = cancellation_codes(error)
                if "ConditionalCheckFailed" not in codes:
                    raise
                # A conflict with another writer fails the whole transaction, too: only the refused ones are left out.
                turns = [turn for turn, code in zip(turns, codes, strict=True) if code != "ConditionalCheckFailed"]
            else:
                return

    def _first(self, organization_id: str, phone_number_id: str, place: Condition | None) -> HeldTurn | None:
        pk = held_pk(organization_id, phone_number_id)
        found = self._table.item.query(pk, place, limit=1, consistent_read=True)
        return next((_held_turn(item) for item in found), None)


def _held_turn(item: Item) -> HeldTurn:
    contact_id, _, turn = item.sk.rpartition("#")
    due_at = float(item.due_at) if item.due_at is not None else None
    return HeldTurn(contact_id, int(turn), float(item.updated_at or 0), (item.body or "").encode(), due_at)
