"""What happened, from the index `log` on DynamoDB; the keys of pseudonyms; how far the export is."""

import heapq
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from pynamodb.exceptions import DeleteError, PutError
from pynamodb.pagination import ResultIterator

from pytake.aws.deliveries import delivery_of
from pytake.aws.table import (
    LOG_SHARDS,
    Item,
    RefusedError,
    Table,
    contact_pk,
    conversation_key,
    conversation_pk,
    delivery_sk,
    error_code,
    log_pk,
    turn_sk,
)
from pytake.conversation.records import Delivery, ExportProgress, LoggedTurn, RetentionProgress, TurnRecord
from pytake.conversation.retention import Retention

BATCH = 100
"""What one BatchGetItem takes."""

KEY_BYTES = 16

_STATE, _PSEUDONYMS, _RETENTION = "STATE", "PSEUDONYMS", "RETENTION"
_LAKE, _PROGRESS, _RUN = "LAKE", "EXPORT", "EXPORT#RUN"

_read_turn = msgspec.json.Decoder(TurnRecord)
_read_progress = msgspec.json.Decoder(ExportProgress)
_encode = msgspec.json.Encoder().encode


class DynamoEventLog:
    """Implements `pytake.conversation.ports.EventLog`."""

    def __init__(self, table: Table, retention: Retention) -> None:
        self._table = table
        self._retention = retention

    def turns(self, hour: int) -> Iterator[LoggedTurn]:
        index = self._table.item.log
        return self._read(index.query(log_pk(hour, shard)) for shard in range(LOG_SHARDS))

    def forget(self, organization_id: str, hour: int) -> int:
        index, mine = self._table.item.log, self._table.item.log_sk.startswith(f"{organization_id}#")
        turns = list(self._read(index.query(log_pk(hour, shard), mine) for shard in range(LOG_SHARDS)))
        with self._table.item.batch_write() as batch:
            for turn in turns:
                pk = conversation_pk(turn.key)
                batch.delete(self._table.item(pk, turn_sk(turn.record.seq)))
                for delivery in turn.deliveries:
                    batch.delete(self._table.item(pk, delivery_sk(delivery.turn, delivery.index)))
        for turn in turns:
            self._forget_idle(turn)
        return len(turns)

    def _forget_idle(self, last: LoggedTurn) -> None:
        item = self._table.item
        try:
            item(conversation_pk(last.key), _STATE).delete(
                condition=(item.seq == last.record.seq) & item.due_pk.does_not_exist()
            )
        except DeleteError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def _read(self, shards: Iterable[ResultIterator[Item]]) -> Iterator[LoggedTurn]:
        places = heapq.merge(*shards, key=lambda item: str(item.log_sk))
        while batch := [(item.pk, item.sk) for item in islice(places, BATCH)]:
            found = {(item.pk, item.sk): item for item in self._table.item.batch_get(batch)}
            turns = [
                (pk, _read_turn.decode(item.body)) for pk, sk in batch if (item := found.get((pk, sk))) and item.body
            ]
            deliveries = self._deliveries(turns)
            for pk, record in turns:
                yield LoggedTurn(conversation_key(pk), record, deliveries.get((pk, record.seq), []))

    def contact_keys(self, organization_id: str, contact_ids: Iterable[str], now: float) -> dict[str, bytes]:
        by_pk = {contact_pk(organization_id, contact_id): contact_id for contact_id in contact_ids}
        keys: dict[str, bytes] = {}
        retention_seconds = self._retention(organization_id)
        found = self._table.item.batch_get([(pk, _PSEUDONYMS) for pk in by_pk], consistent_read=True)
        for item in found:
            if item.document is not None and (item.expires_at or 0) > now:
                keys[by_pk[item.pk]] = item.document
                if item.expires_at < now + retention_seconds:
                    self._keep_key(item, now + 2 * retention_seconds)
        for pk, contact_id in by_pk.items():
            if contact_id not in keys:
                keys[contact_id] = self._make_key(pk, now, now + 2 * retention_seconds)
        return keys

    def progress(self) -> ExportProgress:
        try:
            item = self._table.item.get(_LAKE, _PROGRESS, consistent_read=True)
        except self._table.item.DoesNotExist:
            return ExportProgress()
        return _read_progress.decode(item.body or "{}")

    def put_progress(self, progress: ExportProgress) -> None:
        self._table.item(_LAKE, _PROGRESS, body=_encode(progress).decode()).save()

    def retention_progress(self, organization_id: str) -> RetentionProgress | None:
        try:
            item = self._table.item.get(f"ORG#{organization_id}", _RETENTION, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return msgspec.json.decode(item.body or "", type=RetentionProgress)

    def put_retention_progress(self, organization_id: str, progress: RetentionProgress) -> None:
        self._table.item(f"ORG#{organization_id}", _RETENTION, body=_encode(progress).decode()).save()

    def begin(self, now: float, seconds: float) -> bool:
        item = self._table.item
        try:
            item(_LAKE, _RUN, expires_at=now + seconds).save(
                condition=item.pk.does_not_exist() | (item.expires_at < now)
            )
        except PutError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def end(self) -> None:
        self._table.item(_LAKE, _RUN).delete()

    def _deliveries(self, turns: list[tuple[str, TurnRecord]]) -> dict[tuple[str, int], list[Delivery]]:
        places = [(pk, delivery_sk(record.seq, index)) for pk, record in turns for index in range(len(record.messages))]
        found: dict[tuple[str, int], list[Delivery]] = {}
        for item in self._table.item.batch_get(places) if places else ():
            delivery = delivery_of(item)
            found.setdefault((item.pk, delivery.turn), []).append(delivery)
        return found

    def _make_key(self, pk: str, now: float, expires_at: float) -> bytes:
        # It outlives every record that is exported under it: nothing is exported twice under two keys.
        item = self._table.item
        made = item(pk, _PSEUDONYMS, document=secrets.token_bytes(KEY_BYTES), expires_at=int(expires_at))
        try:
            self._table.put(made, item.pk.does_not_exist() | (item.expires_at <= now))
        except RefusedError as refused:  # another run made it first
            if refused.found is None or refused.found.document is None:
                raise
            return refused.found.document
        return made.document or b""

    def _keep_key(self, item: Item, until: float) -> None:
        item.update([self._table.item.expires_at.set(int(until))], condition=self._table.item.pk.exists())
