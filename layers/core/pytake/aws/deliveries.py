"""The claim ledger on DynamoDB. Our side of a send and Meta's receipts live in different attributes of one item, so that
neither writer undoes the other."""

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from pytake.aws.table import Item, Table, conversation_pk, delivery_sk
from pytake.conversation.ports import Clock, ConflictError
from pytake.conversation.receipts import STATUS_RANK
from pytake.conversation.records import MARKER_SECONDS, ConversationKey, Delivery

_read = msgspec.json.Decoder(Delivery)
_REFUSED = "ConditionalCheckFailedException"


class DynamoDeliveries:
    """Implements `pytake.conversation.ports.Deliveries`."""

    def __init__(self, table: Table, clock: Clock, retention_days: int) -> None:
        self._table = table
        self._clock = clock
        self._retention_seconds = max(retention_days * 86_400, MARKER_SECONDS)

    def load(self, key: ConversationKey, turn: int, index: int) -> Delivery | None:
        try:
            item = self._table.item.get(conversation_pk(key), delivery_sk(turn, index), consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return _delivery(item)

    def claim(self, key: ConversationKey, delivery: Delivery, previous: Delivery | None) -> None:
        item = self._table.item
        unchanged = item.pk.does_not_exist() if previous is None else item.revision == previous.revision
        try:
            self._write(key, delivery, unchanged)
        except UpdateError as error:
            if error.cause_response_code == _REFUSED:
                raise ConflictError(f"message {delivery.turn}.{delivery.index} was claimed by somebody else") from None
            raise

    def settle(self, key: ConversationKey, delivery: Delivery) -> None:
        self._write(key, delivery, None)

    def receipt(
        self,
        key: ConversationKey,
        turn: int,
        index: int,
        *,
        status: str,
        at: float,
        message_id: str | None,
        code: int | None,
    ) -> bool:
        item, rank = self._table.item, STATUS_RANK[status]
        actions: list[Action] = [item.status.set(status), item.status_rank.set(rank), item.status_at.set(at)]
        if message_id is not None:
            actions.append(item.meta_id.set(message_id))
        if code is not None:
            actions.append(item.status_code.set(code))
        further = item.pk.exists() & (item.status_rank.does_not_exist() | (item.status_rank < rank))
        try:
            item(conversation_pk(key), delivery_sk(turn, index)).update(actions, condition=further)
        except UpdateError as error:
            if error.cause_response_code == _REFUSED:
                return False
            raise
        return True

    def of_conversation(self, key: ConversationKey) -> list[Delivery]:
        item = self._table.item
        found = item.query(conversation_pk(key), item.sk.startswith("OUT#"), consistent_read=True)
        return [_delivery(entry) for entry in found]

    def _write(self, key: ConversationKey, delivery: Delivery, condition: Condition | None) -> None:
        item = self._table.item
        body = msgspec.json.encode(replace(delivery, status=None, status_at=None, revision=0)).decode()
        item(conversation_pk(key), delivery_sk(delivery.turn, delivery.index)).update(
            [
                item.body.set(body),
                item.revision.add(1),
                item.expires_at.set(int(self._clock()) + self._retention_seconds),
            ],
            condition=condition,
        )


def _delivery(item: Item) -> Delivery:
    delivery = _read.decode(item.body or "")
    delivery.revision = int(item.revision or 0)
    delivery.status = item.status
    delivery.status_at = float(item.status_at) if item.status_at is not None else None
    if item.meta_id is not None:
        delivery.message_id = delivery.message_id or item.meta_id
    if item.status == "failed" and item.status_code is not None:
        delivery.error_code = int(item.status_code)
    return delivery
