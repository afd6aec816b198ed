"""What happened, from the index `log` on DynamoDB; the keys of pseudonyms; how far the export is."""

import heapq
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from pynamodb.exceptions import PutError

from pytake.aws.deliveries import delivery_of
from pytake.aws.table import (
    LOG_SHARDS,
    Item,
    RefusedError,
    Table,
    contact_pk,
    conversation_key,
    delivery_sk,
    error_code,
    log_pk,
)
from pytake.conversation.records import MARKER_SECONDS, Delivery, ExportProgress, LoggedTurn, TurnRecord

BATCH = 100
"""What one BatchGetItem takes."""

KEY_BYTES = 16

_PSEUDONYMS = "PSEUDONYMS"
_LAKE, _PROGRESS, _RUN = "LAKE", "EXPORT", "EXPORT#RUN"

_read_turn = msgspec.json.Decoder(TurnRecord)
_read_progress = msgspec.json.Decoder(ExportProgress)
_encode = msgspec.json.Encoder().encode


class DynamoEventLog:
    """Implements `pytake.conversation.ports.EventLog`."""

    def __init__(self, table: Table, retention_days: int) -> None:
        self._table = table
        self._retention_seconds = max(retention_days * 86_400, MARKER_SECONDS)

    def turns(self, hour: int) -> Iterator[LoggedTurn]:
        index = self._table.item.log
        shards = (index.query(log_pk(hour, shard)) for shard in range(LOG_SHARDS))
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
        found = self._table.item.batch_get([(pk, _PSEUDONYMS) for pk in by_pk], consistent_read=True)
        for item in found:
            if item.document is not None and (item.expires_at or 0) > now:
                keys[by_pk[item.pk]] = item.document
                if item.expires_at < now + self._retention_seconds:
                    self._keep_key(item, now)
        for pk, contact_id in by_pk.items():
            if contact_id not in keys:
                keys[contact_id] = self._make_key(pk, now)
        return keys

    def progress(self) -> ExportProgress:
        try:
            item = self._table.item.get(_LAKE, _PROGRESS, consistent_read=True)
        except self._table.item.DoesNotExist:
            return ExportProgress()
        return _read_progress.decode(item.body or "{}")

    def put_progress(self, progress: ExportProgress) -> None:
        self._table.item(_LAKE, _PROGRESS, body=_encode(progress).decode()).save()

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

    def _make_key(self, pk: str, now: float) -> bytes:
        # It outlives every record that is exported under it: nothing is exported twice under two keys.
        item = self._table.item
        made = item(
            pk, _PSEUDONYMS, document=secrets.token_bytes(KEY_BYTES), expires_at=int(now + 2 * self._retention_seconds)
        )
        try:
            self._table.put(made, item.pk.does_not_exist() | (item.expires_at <= now))
        except RefusedError as refused:  # another run made it first
            if refused.found is None or refused.found.document is None:
                raise
            return refused.found.document
        return made.document or b""

    def _keep_key(self, item: Item, now: float) -> None:
        expires_at = self._table.item.expires_at
        item.update([expires_at.set(int(now + 2 * self._retention_seconds))], condition=self._table.item.pk.exists())
