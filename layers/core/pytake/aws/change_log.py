"""Changes on DynamoDB: one item each, in the transaction that makes the change, in a partition for each kind of resource."""

import heapq
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from uuid import uuid4

import msgspec
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from pytake.aws.table import Item, Table, cancellation_codes, is_unexpired
from pytake.conversation.change_log import KEPT_SECONDS, Change, Resource
from pytake.conversation.ports.common import Clock, ConflictError

_read = msgspec.json.Decoder(Change)


def change_item(table: Table, organization_id: str, change: Change) -> Item:
    """The item of a change."""
    sk = f"{int(change.at * 1000):013d}#{uuid4().hex[:12]}"
    body = msgspec.json.encode(change).decode()
    return table.item(_pk(organization_id, change.resource), sk, body=body, expires_at=int(change.at) + KEPT_SECONDS)


@contextmanager
def recorded(table: Table, organization_id: str, change: Change | None) -> Iterator[TransactWrite]:
    """A transaction that also stores the change. Raises `ConflictError` when what it writes was written meanwhile."""
    try:
        with TransactWrite(connection=table.connection) as transaction:
            yield transaction
            if change is not None:
                transaction.save(change_item(table, organization_id, change))
    except TransactWriteError as error:
        if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise ConflictError("it was written by another request") from None
        raise


class DynamoChangeLog:
    """Implements `pytake.conversation.change_log.ChangeLog`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def add(self, organization_id: str, change: Change) -> None:
        change_item(self._table, organization_id, change).save()

    def page(
        self, organization_id: str, resources: Collection[Resource], limit: int, before: str | None = None
    ) -> list[tuple[str, Change]]:
        item, now = self._table.item, self._clock()
        older = item.sk < before if before is not None else None
        found = [
            item.query(_pk(organization_id, one), older, scan_index_forward=False, limit=limit, consistent_read=True)
            for one in resources
        ]
        newest = heapq.merge(*found, key=lambda entry: entry.sk, reverse=True)
        fresh = (entry for entry in newest if is_unexpired(entry, now))
        return [(entry.sk, _read.decode(entry.body or "")) for entry in islice(fresh, limit)]


def _pk(organization_id: str, resource: Resource) -> str:
    return f"ORG#{organization_id}#CHANGES#{resource}"
