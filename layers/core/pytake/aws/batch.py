"""Work off a batch that Lambda took from a queue: record by record, and what is not done comes back when it should.

Lambda deletes the records that the answer does not name. The others become visible again when their visibility timeout is
over, minutes later: so each is given the time it has to wait. A FIFO group stops at its first record that is not done, and
what stands behind it comes back with it; the queue itself keeps it from overtaking.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from msgspec import Struct

from pytake.conversation.retry_later import RetryLaterError

MAX_BACKOFF_SECONDS = 120
MAX_VISIBILITY_SECONDS = 43_000
"""SQS hides a message for at most twelve hours after it was received."""


class Record(Struct, frozen=True):
    """One message of the batch. `receive_count` is 1 when the queue hands it out for the first time."""

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
    """Call `work` with each record; the answer that tells Lambda which of them are not done.

    A record for which `work` raises `RetryLaterError` comes back after that time, one for which it raises another exception
    after a backoff that grows with its receive count. `postpone` takes receipt handles and seconds.

    `work` may put another correlation id on the lines of its record; it holds for this record alone.
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
            # They come back by themselves, only later.
            logger.exception("record.not_postponed", seconds=seconds)
    ids = [record.id for records in not_done.values() for record in records]
    return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ids]}


def backoff(receive_count: int) -> float:
    """Seconds before a failed record is tried again: 2, 4, 8 … 120."""
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
