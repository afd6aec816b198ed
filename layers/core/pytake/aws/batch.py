"""Processes a batch of a queue record by record. Records that are not done return at the time they ask for.

Lambda deletes the records that the response does not name. The others become visible again after their visibility timeout, which
is minutes; so each gets a visibility timeout of its own. A FIFO group stops at its first record that is not done, and the
records behind it return with it: the queue keeps them in order. ADR 15 says why this is not Powertools' processor.
"""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, Protocol

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


Spawn = Callable[[Callable[[], None]], Callable[[], None]]
"""Starts work in a thread of its own, and gives a function that waits for its end."""


class Lock(Protocol):
    """A lock that one thread at a time has."""

    def acquire(self) -> Any: ...

    def release(self) -> None: ...


def start_thread(work: Callable[[], None]) -> Callable[[], None]:
    """A `Spawn` with Python's own threads."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread.join


class BatchProcessor:
    """Processes batches. While a record waits for something outside (`meanwhile`), the others go on.

    Only one record at a time runs our code: a thread holds a lock, except while it waits. So nothing else has to be safe for
    threads, and a batch that waits for nothing starts none.
    """

    def __init__(self, spawn: Spawn = start_thread, lock: Lock | None = None) -> None:
        self._spawn = spawn
        self._lock: Lock = lock or threading.Lock()
        self._batch: _Batch | None = None

    def process(
        self,
        event: dict[str, Any],
        work: Callable[[Record], None],
        postpone: Callable[[Sequence[str], int], None],
        logger: Logger,
    ) -> dict[str, Any]:
        """Calls `work` with each record. The response tells Lambda which records are not done.

        If `work` raises `RetryLaterError`, the record returns after that time; after another exception, it returns after a
        backoff that grows with its receive count. `postpone` takes receipt handles and seconds.

        A correlation id that `work` sets is valid for its record only.
        """
        invocation = logger.get_correlation_id()
        self._batch = batch = _Batch([_read(record) for record in event["Records"]], work, logger)
        try:
            self._work_off(batch)
            for join in batch.successors:  # a successor may add another
                join()
        finally:
            self._batch = None
        logger.set_correlation_id(invocation)
        for seconds, records in batch.not_done().items():
            try:
                postpone([record.receipt_handle for record in records], seconds)
            except Exception:
                # They return anyway, only later.
                logger.exception("record.not_postponed", seconds=seconds)
        ids = [record.id for records in batch.not_done().values() for record in records]
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ids]}

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Let the other records of the batch go on while this one waits. Nothing to do outside of a batch."""
        batch = self._batch
        if batch is None:
            yield
            return
        correlation_id = batch.logger.get_correlation_id()
        if batch.has_next():
            batch.successors.append(self._spawn(lambda: self._work_off(batch)))
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
            batch.logger.set_correlation_id(correlation_id)

    def _work_off(self, batch: "_Batch") -> None:
        self._lock.acquire()
        try:
            while (record := batch.next()) is not None:
                batch.take(record)
        finally:
            self._lock.release()


class _Batch:
    """The records of one invocation: which wait, which are in progress, and which are not done."""

    def __init__(self, records: list[Record], work: Callable[[Record], None], logger: Logger) -> None:
        self.records = records
        self.logger = logger
        self.successors: list[Callable[[], None]] = []
        self._work = work
        self._invocation = logger.get_correlation_id()
        self._waiting = list(records)
        self._groups: set[str] = set()  # in progress
        self._waits: dict[str, float] = {}  # by group
        self._returned: set[str] = set()

    def has_next(self) -> bool:
        """Whether a record can be taken now."""
        return any(_group(record) not in self._groups for record in self._waiting)

    def next(self) -> Record | None:
        """The first record whose group is not in progress. A group that has stopped returns as a whole."""
        for record in self._waiting:
            if _group(record) not in self._groups:
                self._waiting.remove(record)
                return record
        return None

    def take(self, record: Record) -> None:
        group = _group(record)
        if group in self._waits:
            self._returned.add(record.id)
            return
        self._groups.add(group)
        self.logger.set_correlation_id(self._invocation)
        try:
            self._work(record)
            return
        except RetryLaterError as wait:
            self._waits[group] = wait.seconds
            self.logger.info("record.postponed", message_id=record.id, reason=wait.reason, seconds=wait.seconds)
        except Exception:
            self._waits[group] = backoff(record.receive_count)
            self.logger.exception("record.failed", message_id=record.id, receive_count=record.receive_count)
        finally:
            self._groups.discard(group)
        self._returned.add(record.id)

    def not_done(self) -> dict[int, list[Record]]:
        """The records that return, in their order, by the whole seconds after which they do: SQS takes no parts of a second,
        and those of one second share a request."""
        found: dict[int, list[Record]] = {}
        for record in self.records:
            if record.id in self._returned:
                seconds = min(math.ceil(self._waits[_group(record)]), MAX_VISIBILITY_SECONDS)
                found.setdefault(seconds, []).append(record)
        return found


def process_batch(
    event: dict[str, Any],
    work: Callable[[Record], None],
    postpone: Callable[[Sequence[str], int], None],
    logger: Logger,
) -> dict[str, Any]:
    """Processes a batch whose records never wait for each other's results: `BatchProcessor.process`, one after the other."""
    return BatchProcessor().process(event, work, postpone, logger)


def _group(record: Record) -> str:
    return record.group if record.group is not None else record.id


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
