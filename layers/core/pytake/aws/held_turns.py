"""Outgoing turns of stopped numbers, on DynamoDB. They have no time to live: they wait until the number is resumed."""

import msgspec
from pynamodb.expressions.condition import Condition

from pytake.aws.table import Item, Table, held_pk, held_sk
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, HeldTurn

_encode = msgspec.json.Encoder().encode


class DynamoHeldTurns:
    """Implements `pytake.conversation.ports.deliveries.HeldTurns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def hold(self, item: OutboundItem, at: float) -> None:
        pk = held_pk(item.organization_id, item.phone_number_id)
        body = _encode(item).decode()
        self._table.item(pk, held_sk(item.contact_id, item.turn), body=body, updated_at=at).save()

    def earliest(self, key: ConversationKey) -> HeldTurn | None:
        item = self._table.item
        return self._first(key.organization_id, key.phone_number_id, item.sk.startswith(f"{key.contact_id}#"))

    def first_after(self, organization_id: str, phone_number_id: str, contact_id: str) -> HeldTurn | None:
        behind = self._table.item.sk > f"{contact_id}#~" if contact_id else None
        return self._first(organization_id, phone_number_id, behind)

    def remove(self, key: ConversationKey, turn: int) -> None:
        pk = held_pk(key.organization_id, key.phone_number_id)
        self._table.item(pk, held_sk(key.contact_id, turn)).delete()

    def _first(self, organization_id: str, phone_number_id: str, place: Condition | None) -> HeldTurn | None:
        pk = held_pk(organization_id, phone_number_id)
        found = self._table.item.query(pk, place, limit=1, consistent_read=True)
        return next((_held_turn(item) for item in found), None)


def _held_turn(item: Item) -> HeldTurn:
    contact_id, _, turn = item.sk.rpartition("#")
    return HeldTurn(contact_id, int(turn), float(item.updated_at or 0), (item.body or "").encode())
