"""The claim ledger on DynamoDB. The sender's state and Meta's statuses are different attributes of one item, so that neither
writer overwrites the other."""

from collections.abc import Sequence
from uuid import uuid4

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import GetError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from pytake.aws.table import (
    Item,
    Table,
    conversation_key,
    conversation_pk,
    delivery_sk,
    due_shard,
    dynamodb_error_code,
    is_unexpired,
    outbox_pk,
    unsettled_pk,
)
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.records import ConversationKey, Delivery
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.conversation.status_filter import STATUS_RANK
from pytake.whatsapp.pricing import Pricing

_read = msgspec.json.Decoder(Delivery)
_read_pricing = msgspec.json.Decoder(Pricing)
DELIVERIES_END = "OUT#~"
"""Sorts after every delivery of a conversation."""

UNSETTLED = ("dead", "deferred", "ambiguous")
"""The states in which an entry is listed: a message that is sent at the first try never is."""

_REFUSED = "ConditionalCheckFailedException"


class DynamoDeliveries:
    """Implements `pytake.conversation.ports.deliveries.Deliveries`."""

    def __init__(self, table: Table, clock: Clock, retention: RetentionPolicy, *, consistent: bool = True) -> None:
        """Without `consistent`, `load` may be about a second old, and costs half: for reports."""
        self._consistent = consistent
        self._table = table
        self._clock = clock
        self._retention = retention

    def load(self, key: ConversationKey, turn: int, index: int) -> Delivery | None:
        found = self._find(key, turn, index, consistent=self._consistent)
        return delivery_of(found) if found is not None else None

    def of_turns(self, turns: Sequence[tuple[ConversationKey, int]]) -> dict[tuple[ConversationKey, int], Delivery]:
        places = [(conversation_pk(key), delivery_sk(turn, 0)) for key, turn in turns]
        items, now = self._table.item.batch_get(places, consistent_read=False), self._clock()
        entries = [(conversation_key(item.pk), delivery_of(item)) for item in items if is_unexpired(item, now)]
        return {(key, entry.turn): entry for key, entry in entries}

    def claim(self, key: ConversationKey, delivery: Delivery, previous: Delivery | None) -> Delivery:
        revision = previous.revision if previous is not None else 0
        restarts = previous is not None and previous.status is not None and delivery.status is None
        was_listed = previous is not None and previous.state in UNSETTLED
        return self._write(key, delivery, revision, clear_status=restarts, was_listed=was_listed)

    def settle(self, key: ConversationKey, delivery: Delivery) -> Delivery:
        return self._write(key, delivery, delivery.revision)

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
        if status == "sent" and self.is_accepted(key, turn, index, send=send, message_id=message_id):
            return None  # this read costs a tenth of a write
        item, rank = self._table.item, STATUS_RANK[status]
        actions: list[Action] = [item.status.set(status), item.status_rank.set(rank), item.status_at.set(at)]
        if message_id is not None:
            actions.append(item.meta_id.set(message_id))
        if code is not None:
            actions.append(item.status_code.set(code))
        if pricing is not None:
            actions.append(item.pricing.set(msgspec.json.encode(pricing).decode()))
        if status == "failed":
            actions.extend(self._mark(item, key, self._clock()))
        further = item.status_rank.does_not_exist() | (item.status_rank < rank)
        if status == "sent":  # of the latest send: the status of an earlier send may still be withdrawn
            further |= (item.status_rank == rank) & (item.sends == send) & (item.meta_id != message_id)
        further = item.pk.exists() & further
        if status == "failed":
            further &= item.sends.does_not_exist() | (item.sends <= send)
        if status in ("failed", "sent"):
            further &= item.failed_send.does_not_exist() | (item.failed_send < send)
        if message_id is not None:
            further &= self._may_be_of(send, message_id)
        entry = item(conversation_pk(key), delivery_sk(turn, index))
        try:
            entry.update(actions, condition=further)
        except UpdateError as error:
            if dynamodb_error_code(error) != _REFUSED:
                raise
            if status == "failed" and message_id is not None:
                return self._take_back(entry, send, message_id, actions)
            if pricing is not None and rank >= STATUS_RANK["delivered"]:
                self._add_pricing(entry, send, message_id, pricing)
            return self._doubled(key, turn, index, send, message_id) if status != "failed" else None
        return delivery_of(entry)

    def _add_pricing(self, entry: Item, send: int, message_id: str | None, pricing: Pricing) -> None:
        """Add the pricing of a status that came after a further one of the same message, unless the entry has one."""
        item = self._table.item
        try:
            entry.refresh(consistent_read=True)
        except item.DoesNotExist:
            return
        is_same = message_id is None or message_id in (entry.meta_id, _read.decode(entry.body or "").message_id)
        if entry.pricing is not None or entry.status not in ("read", "played") or entry.sends != send or not is_same:
            return
        unpriced = (item.sends == send) & (item.status == entry.status) & item.pricing.does_not_exist()
        try:
            entry.update([item.pricing.set(msgspec.json.encode(pricing).decode())], condition=unpriced)
        except UpdateError as error:
            if dynamodb_error_code(error) != _REFUSED:
                raise

    def _doubled(
        self, key: ConversationKey, turn: int, index: int, send: int, message_id: str | None
    ) -> Delivery | None:
        """The entry, if an earlier send that did not certainly fail has reached Meta and a later one was accepted too."""
        item = self._find(key, turn, index)
        if item is None or send <= (item.failed_send or 0):
            return None
        known = delivery_of(item)
        is_another = message_id not in (None, known.message_id)
        return known if known.state == "accepted" and send < known.sends and is_another else None

    def _take_back(self, entry: Item, send: int, message_id: str, failed: list[Action]) -> Delivery | None:
        """Handles the late failure of an earlier send. If that send's `sent` is the only status, the message has failed. If a
        later send is in progress, the status is removed. If its `sent` has not arrived, it will not count. Returns the entry
        if the message has failed."""
        item = self._table.item
        try:
            entry.refresh(consistent_read=True)
        except item.DoesNotExist:
            return None
        if entry.sends is None or entry.sends <= send:
            return None
        ours = _read.decode(entry.body or "")
        is_known = entry.meta_id == message_id
        unchanged = item.revision == entry.revision
        if is_known:
            if entry.status != "sent" or ours.state == "failed":
                return None
            if ours.state == "accepted" and ours.message_id != message_id:
                return None
            unchanged &= (item.status == "sent") & (item.meta_id == message_id)
        elif send <= (entry.failed_send or 0):
            return None
        else:
            unchanged &= item.meta_id.does_not_exist() if entry.meta_id is None else item.meta_id == entry.meta_id
        known = (item.status, item.status_rank, item.status_at, item.meta_id, item.pricing) if is_known else ()
        has_failed = is_known and ours.state == "accepted"
        forgotten: list[Action] = [*(attribute.remove() for attribute in known), item.failed_send.set(send)]
        try:
            entry.update(failed if has_failed else forgotten, condition=unchanged)
        except UpdateError as error:
            if dynamodb_error_code(error) != _REFUSED:
                raise
            raise ConflictError("another writer changed the entry; the status must be retried") from None
        return delivery_of(entry) if has_failed else None

    def _may_be_of(self, send: int, message_id: str) -> Condition:
        """False if Meta gave this send another id. Then the status belongs to a message from before the person was erased, with
        the same position in their earlier conversation (ADR 9). The sender's id is in the body: a condition can search it."""
        item, written = self._table.item, msgspec.json.encode(message_id).decode()
        fits: Condition = (
            (item.sends != send)
            | ~item.body.contains('"state":"accepted"')
            | ~item.body.contains('"message_id":')
            | item.body.contains(f'"message_id":{written}')
            | (item.meta_id == message_id)
        )
        return fits

    def is_accepted(self, key: ConversationKey, turn: int, index: int, *, send: int, message_id: str | None) -> bool:
        try:
            entry = self._table.item.get(conversation_pk(key), delivery_sk(turn, index))
        except (self._table.item.DoesNotExist, GetError):
            return False
        known = delivery_of(entry)
        return (
            known.state == "accepted"
            and not known.held_by_meta
            and (known.sends, known.message_id) == (send, message_id)
        )

    def of_conversation(self, key: ConversationKey, from_turn: int = 0) -> list[Delivery]:
        item = self._table.item
        between = item.sk.between(delivery_sk(from_turn, 0), DELIVERIES_END)
        found = item.query(conversation_pk(key), between, consistent_read=True)
        now = self._clock()
        return [delivery_of(entry) for entry in found if is_unexpired(entry, now)]

    def _mark(self, item: type[Item], key: ConversationKey, now: float) -> tuple[Action, Action]:
        """Marks an entry whose business event is not published yet (`pytake.aws.outbox`)."""
        return item.due_pk.set(outbox_pk(due_shard(conversation_pk(key)))), item.due_at.set(now)

    def _write(
        self,
        key: ConversationKey,
        delivery: Delivery,
        revision: int,
        *,
        clear_status: bool = False,
        was_listed: bool = False,
    ) -> Delivery:
        item, writer, now = self._table.item, uuid4().hex, self._clock()
        body = msgspec.json.encode(replace(delivery, status=None, status_at=None, pricing=None, revision=0)).decode()
        actions: list[Action] = [
            item.body.set(body),
            item.revision.set(revision + 1),
            item.writer.set(writer),
            item.sends.set(delivery.sends),
            item.expires_at.set(int(now) + self._retention(key.organization_id)),
        ]
        if delivery.state == "failed":
            actions.extend(self._mark(item, key, now))
        elif clear_status:
            actions.extend((item.due_pk.remove(), item.due_at.remove()))
        if delivery.state in UNSETTLED:
            listed = unsettled_pk(key.organization_id, delivery.state)
            actions.extend((item.recent_pk.set(listed), item.recent_at.set(now)))
        elif was_listed or not revision:
            actions.extend((item.recent_pk.remove(), item.recent_at.remove()))
        if clear_status or not revision:  # an expired entry may still exist
            known = (item.status, item.status_rank, item.status_at, item.status_code, item.meta_id, item.pricing)
            actions.extend(attribute.remove() for attribute in known)
            actions.append(item.failed_send.set(delivery.sends) if clear_status else item.failed_send.remove())
        entry = item(conversation_pk(key), delivery_sk(delivery.turn, delivery.index))
        unchanged = item.revision == revision if revision else self._table.absent_or_expired(now)
        try:
            entry.update(actions, condition=unchanged)
        except UpdateError as error:
            if dynamodb_error_code(error) != _REFUSED:
                raise
            # The SDK repeats a request after a lost response. Its own first write then makes the condition fail.
            found = self._find(key, delivery.turn, delivery.index)
            if found is None or found.writer != writer:
                raise ConflictError(f"message {delivery.turn}.{delivery.index} was changed by another writer") from None
            return delivery_of(found)
        return delivery_of(entry)

    def _find(self, key: ConversationKey, turn: int, index: int, *, consistent: bool = True) -> Item | None:
        try:
            item = self._table.item.get(conversation_pk(key), delivery_sk(turn, index), consistent_read=consistent)
        except self._table.item.DoesNotExist:
            return None
        return item if is_unexpired(item, self._clock()) else None


def delivery_of(item: Item) -> Delivery:
    """The entry of an item: the sender's state from its body, Meta's statuses from attributes."""
    delivery = _read.decode(item.body or "")
    delivery.revision = int(item.revision or 0)
    delivery.status = item.status
    delivery.status_at = float(item.status_at) if item.status_at is not None else None
    if item.meta_id is not None:
        delivery.message_id = delivery.message_id or item.meta_id
    if item.status == "failed" and item.status_code is not None:
        delivery.error_code = int(item.status_code)
    delivery.pricing = _read_pricing.decode(item.pricing) if item.pricing is not None else None
    return delivery
