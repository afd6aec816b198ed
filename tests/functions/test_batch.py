"""Batches of a queue: what stays in the queue, and for how long; and why Powertools' processor does not do (ADR 15)."""

from collections.abc import Sequence
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from pytake.aws.batch import MAX_BACKOFF_SECONDS, Record, backoff, process_batch
from pytake.conversation.retry_later import RetryLaterError


def event(*records: tuple[str, str], receive_count: int = 1) -> dict[str, Any]:
    """Records as (id, message group)."""
    return {
        "Records": [
            {
                "messageId": id_,
                "body": "{}",
                "receiptHandle": f"handle-{id_}",
                "attributes": {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": group},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:outbound.fifo",
                "awsRegion": "us-east-1",
            }
            for id_, group in records
        ]
    }


def wait(_: Any) -> None:
    raise RetryLaterError(7.2, "no slot is free")


def test_a_group_stops_at_its_first_waiting_record_and_others_go_on() -> None:
    processed: list[str] = []
    postponed: list[tuple[list[str], int]] = []

    def work(record: Record) -> None:
        if record.id == "a1":
            raise RetryLaterError(7.2, "no slot is free")
        if record.id == "b1":
            raise ValueError
        processed.append(record.id)

    def postpone(handles: Sequence[str], seconds: int) -> None:
        postponed.append((list(handles), seconds))

    batch = event(("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("b2", "b"), receive_count=3)
    answer = process_batch(batch, work, postpone, Logger(service="batch"))
    assert processed == ["c1"]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["a1", "a2", "b1", "b2"]
    assert postponed == [(["handle-a1", "handle-a2"], 8), (["handle-b1", "handle-b2"], 8)]


def test_the_backoff_grows_to_a_limit() -> None:
    assert [backoff(count) for count in (1, 2, 3)] == [2, 4, 8]
    assert backoff(1000) == MAX_BACKOFF_SECONDS


def test_a_batch_of_waiting_records_is_no_failed_invocation() -> None:
    answer = process_batch(event(("a1", "a")), wait, lambda *_: None, Logger(service="batch"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "a1"}]}


def test_powertools_fails_the_invocation_when_all_records_wait() -> None:
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    with pytest.raises(BatchProcessingError):
        process_partial_response(event(("a1", "a")), wait, processor)
