"""Batches of a queue: what stays in the queue, and for how long; and why Powertools' processor does not do (ADR 15)."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from pytake.aws.batch import MAX_BACKOFF_SECONDS, BatchProcessor, Record, backoff, process_batch
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
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["a1", "b1", "a2", "b2"]
    assert postponed == [(["handle-a1", "handle-b1", "handle-a2", "handle-b2"], 8)]


def test_records_that_return_in_the_same_second_share_a_request() -> None:
    waits, postponed = {"a1": 7.02, "b1": 7.99, "c1": 8.01}, dict[int, list[str]]()

    def work(record: Record) -> None:
        raise RetryLaterError(waits[record.id], "its slot has not come")

    def postpone(handles: Sequence[str], seconds: int) -> None:
        assert seconds not in postponed
        postponed[seconds] = list(handles)

    process_batch(event(("a1", "a"), ("b1", "b"), ("c1", "c")), work, postpone, Logger(service="batch"))
    assert postponed == {8: ["handle-a1", "handle-b1"], 9: ["handle-c1"]}


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


class Calls:
    """Calls that the test ends, and what the records of a batch did."""

    def __init__(self, slow: Sequence[str], parties: int) -> None:
        self.processor = BatchProcessor()
        self.slow = slow
        self.all_called = threading.Barrier(parties)
        self.done: list[str] = []
        self.running = 0

    def work(self, record: Record) -> None:
        self._alone()
        if record.id in self.slow:
            with self.processor.meanwhile():
                self.all_called.wait(timeout=10)
            self._alone()
        self.done.append(record.id)

    def _alone(self) -> None:
        self.running += 1
        assert self.running == 1
        self.running -= 1

    def process(self, *records: tuple[str, str]) -> list[str]:
        answer = self.processor.process(event(*records), self.work, lambda *_: None, Logger(service="batch"))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_records_that_wait_for_a_call_wait_together_and_the_others_go_first() -> None:
    calls = Calls(slow=("a1", "b1", "d1"), parties=3)  # a call ends when all three have begun
    assert calls.process(("a1", "a"), ("b1", "b"), ("c1", "c"), ("d1", "d"), ("e1", "e")) == []
    assert sorted(calls.done) == ["a1", "b1", "c1", "d1", "e1"]
    assert calls.done[:1] == ["c1"]


def test_a_group_keeps_its_order_while_its_first_record_waits() -> None:
    calls = Calls(slow=("a1", "b1"), parties=2)
    assert calls.process(("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b")) == []
    for group in "ab":
        assert [id_ for id_ in calls.done if id_[0] == group] == sorted(id_ for id_ in calls.done if id_[0] == group)
    assert len(calls.done) == 5


def test_a_group_that_fails_after_its_call_returns_as_a_whole() -> None:
    calls = Calls(slow=("a1", "b1"), parties=2)

    def failing(record: Record) -> None:
        calls.work(record)
        if record.id == "a1":
            raise ValueError

    batch = event(("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b"))
    answer = calls.processor.process(batch, failing, lambda *_: None, Logger(service="batch"))
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["a1", "a2"]


def test_a_record_has_its_correlation_id_after_its_call() -> None:
    logger, seen = Logger(service="batch"), {}
    calls = Calls(slow=("a1", "b1"), parties=2)

    def work(record: Record) -> None:
        logger.set_correlation_id(f"of {record.id}")
        calls.work(record)
        seen[record.id] = logger.get_correlation_id()

    calls.processor.process(event(("a1", "a"), ("b1", "b"), ("c1", "c")), work, lambda *_: None, logger)
    assert seen == {id_: f"of {id_}" for id_ in ("a1", "b1", "c1")}


def test_a_batch_that_waits_for_nothing_starts_no_thread() -> None:
    started: list[object] = []

    def spawn(work: object) -> Any:
        started.append(work)

    processor = BatchProcessor(spawn)
    processor.process(event(("a1", "a"), ("b1", "b")), lambda _: None, lambda *_: None, Logger(service="batch"))
    with processor.meanwhile():  # outside of a batch
        pass
    assert started == []
