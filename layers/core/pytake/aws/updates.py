"""What several adapters do with items: an update under a condition, and the items that are due."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from pytake.aws.table import DUE_SHARDS, Item, Table, dynamodb_error_code

BATCH = 100
"""BatchGetItem's limit."""


def update_if(item: Item, actions: Sequence[Action], condition: Condition | None) -> bool:
    """Update an item if the condition holds; whether it did. `item` then has the new values."""
    try:
        item.update(list(actions), condition=condition)
    except UpdateError as error:
        if dynamodb_error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


def due_items(table: Table, shard_pk: Callable[[int], str], now: float) -> Iterator[Item]:
    """The items that are due in the shards of the index `due`, the earliest first, read as they are needed.

    The index may lag behind: an item that was finished or moved meanwhile is left out.
    """
    item = table.item
    shards = (item.due.query(shard_pk(shard), item.due_at <= now) for shard in range(DUE_SHARDS))
    earliest = heapq.merge(*shards, key=lambda place: float(place.due_at or 0))
    while places := list(islice(earliest, BATCH)):
        found = {
            (entry.pk, entry.sk): entry
            for entry in item.batch_get([(place.pk, place.sk) for place in places], consistent_read=True)
        }
        for place in places:
            entry = found.get((place.pk, place.sk))
            if entry is not None and entry.due_at is not None and entry.due_at <= now:
                yield entry
