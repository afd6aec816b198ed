"""Outgoing turns of stopped numbers, on DynamoDB. They have no time to live: they wait until the number is resumed."""

import msgspec
from pynamodb.exceptions import DeleteError

from pytake.aws.table import Item, Table, parked_pk, parked_sk
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, ParkedItem

_encode = msgspec.json.Encoder().encode


class DynamoParking:
    """Implements `pytake.conversation.ports.Parking`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def park(self, item: OutboundItem, at: float) -> ParkedItem:
        body = _encode(item)
        pk = parked_pk(item.organization_id, item.phone_number_id)
        sk = parked_sk(item.contact_id, item.turn)
        self._table.item(pk, sk, body=body.decode(), updated_at=at).save()
        return ParkedItem(item.contact_id, item.turn, at, body)

    def parked(self, organization_id: str, phone_number_id: str, limit: int) -> list[ParkedItem]:
        pk = parked_pk(organization_id, phone_number_id)
        return [_parked(item) for item in self._table.item.query(pk, limit=limit, consistent_read=True)]

    def remove(self, organization_id: str, phone_number_id: str, item: ParkedItem) -> bool:
        entry = self._table.item
        try:
            entry(parked_pk(organization_id, phone_number_id), parked_sk(item.contact_id, item.turn)).delete(
                condition=entry.updated_at == item.parked_at
            )
        except DeleteError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def earliest(self, key: ConversationKey) -> int | None:
        entry = self._table.item
        found = entry.query(
            parked_pk(key.organization_id, key.phone_number_id),
            entry.sk.startswith(f"{key.contact_id}#"),
            limit=1,
            consistent_read=True,
        )
        return next((_parked(item).turn for item in found), None)


def _parked(item: Item) -> ParkedItem:
    contact_id, _, turn = item.sk.rpartition("#")
    return ParkedItem(contact_id, int(turn), float(item.updated_at or 0), (item.body or "").encode())
