"""Processes a batch of a queue record by record. Records that are not done return at the time they ask for.

Lambda deletes the records that the response does not name. The others become visible again after their visibility timeout, which
is minutes; so each gets a visibility timeout of its own. A FIFO group stops at its first record that is not done, and the
records behind it return with it: the queue keeps them in order. ADR 15 says why this is not Powertools' processor.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from msgspec import Struct

from pytake.conversation.retry_later import RetryLaterError

MAX_BACKOFF_SECONDS = 120
MAX_VISIBILITY_SECONDS = 43_000
"""SQS hides a message for at most twelve hours after it was first received."""


class Record(Struct, frozen=True):
    """One message of the batch. `receive_count` is 1 at the first delivery."""

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    group: str | None


def process_batch(
    event: dict[str, Any],
    work: Callable[[Record], None],
    postpone: Callable[[Sequence[str], int], None],
    logger: Logger,
) -> dict[str, Any]:
    """Calls `work` with each record. The response tells Lambda which records are not done.

    If `work` raises `RetryLaterError`, the record returns after that time; after another exception, it returns after a backoff
    that grows with its receive count. `postpone` takes receipt handles and seconds.

    A correlation id that `work` sets is valid for its record only.
    """
    invocation = logger.get_correlation_id()
    waits: dict[str, float] = {}
    not_done: dict[float, list[Record]] = {}
    for record in map(_read, event["Records"]):
        group = record.group if record.group is not None else record.id
        if group not in waits:
            logger.set_correlation_id(invocation)
            try:
                work(record)
                continue
            except RetryLaterError as wait:
                waits[group] = wait.seconds
                logger.info("record.postponed", message_id=record.id, reason=wait.reason, seconds=wait.seconds)
            except Exception:
                waits[group] = backoff(record.receive_count)
                logger.exception("record.failed", message_id=record.id, receive_count=record.receive_count)
        not_done.setdefault(waits[group], []).append(record)
    logger.set_correlation_id(invocation)
    for seconds, records in not_done.items():
        try:
            whole_seconds = min(math.ceil(seconds), MAX_VISIBILITY_SECONDS)
            postpone([record.receipt_handle for record in records], whole_seconds)
        except Exception:
            # They return anyway, only later.
            logger.exception("record.not_postponed", seconds=seconds)
    ids = [record.id for records in not_done.values() for record in records]
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ids]}


def backoff(receive_count: int) -> float:
    """Seconds before a failed record is retried: 2, 4, 8 … 120."""
    return float(min(2 ** min(receive_count, 10), MAX_BACKOFF_SECONDS))


def _read(record: dict[str, Any]) -> Record:
    attributes = record["attributes"]
    return Record(
        id=record["messageId"],
        body=record["body"],
        receipt_handle=record["receiptHandle"],
        receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
        group=attributes.get("MessageGroupId"),
    )
