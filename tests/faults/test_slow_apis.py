"""One organization's slow API and the answers of another organization, in virtual time.

The batches, the queue and the slots are the product's; the turns are their measured times. The proportions are those of the
default deployment (100 workers, 20 turns of one organization in calls), at a quarter of its size.
"""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pytake.aws.batch import BatchProcessor, Record
from pytake.conversation.retry_later import RetryLaterError
from tests.fakes import MemoryEffectSlots
from tests.faults.sqs import Message, Queue
from tests.faults.timeline import START, Lock, Process, Timeline, Worker

WORKERS, SLOTS = 25, 5
WAY_SECONDS, TURN_SECONDS, CALL_SECONDS = (
    0.05,
    0.015,
    9.0,
)  # from the webhook to the flow runner; our part of a turn; a call
CONTACTS, SECONDS = 40, 90.0


class FlowRunners:
    """The workers of all organizations, one queue, and what people waited for."""

    def __init__(self, slots: int, *, together: bool) -> None:
        self.timeline = Timeline(START)
        self.queue = Queue("inbound", clock=lambda: self.timeline.now, fifo=True, visibility=370, max_receives=1000)
        self.slots = MemoryEffectSlots(slots)
        self.waits: dict[str, list[float]] = {"fast": [], "slow": []}
        self._idle: list[Worker] = []
        self.queue.changed = self._changed
        self._together = together  # whether the records of a batch wait for their calls together
        self._sent = 0

    def write(self, organization: str, contact: int) -> None:
        self._sent += 1
        body, group, id_ = f"{organization} {self.timeline.now}", f"{organization}{contact}", str(self._sent)
        self.timeline.after(WAY_SECONDS, lambda: self.queue.send(body, group, id_) and None)

    def run(self, *, slow_contacts: int) -> float:
        """The 95th percentile of the other organization's waits."""
        for number in range(WORKERS):
            worker = Worker(self.timeline, f"worker{number}", Process(float("inf")))
            self.timeline.start(worker, self._worker, lambda _: None)
        for contact in range(slow_contacts):
            self.timeline.after(contact * 0.05, lambda contact=contact: self.write("slow", contact))  # type: ignore[misc]
        for contact in range(CONTACTS):
            for message in range(int(SECONDS / 3)):
                at = 3 * message + contact * 3 / CONTACTS
                self.timeline.after(at, lambda contact=contact: self.write("fast", contact))  # type: ignore[misc]
        self.timeline.run(START + SECONDS + 60)
        waits = sorted(self.waits["fast"])
        assert len(waits) == CONTACTS * int(SECONDS / 3)
        return waits[int(len(waits) * 0.95)]

    def _worker(self) -> None:
        logger: Any = SimpleNamespace(
            get_correlation_id=lambda: None,
            set_correlation_id=lambda _: None,
            info=lambda *_, **__: None,
            exception=lambda *_, **__: pytest.fail("a record failed"),
        )
        processor = BatchProcessor(self.timeline.spawn, Lock(self.timeline))
        while True:
            messages = self.queue.receive(10)
            self._changed()
            if not messages:
                assert self.timeline.current is not None
                self._idle.append(self.timeline.current)
                self.timeline.yield_from(self.timeline.current)
                continue
            answer = processor.process(
                {"Records": [_record(message) for message in messages]},
                lambda record: self._take_turn(record, processor),
                lambda handles, seconds: [self.queue.change_visibility(handle, seconds) for handle in handles],
                logger,
            )
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in messages:
                if message.id not in failed:
                    self.queue.delete(str(message.handle))

    def _changed(self) -> None:
        """Wake an idle worker when the next message is visible."""
        visible_at = self.queue.next_visible_at()
        if visible_at is not None:
            self.timeline.push(max(visible_at, self.timeline.now), self._wake)

    def _wake(self) -> None:
        visible_at = self.queue.next_visible_at()
        if self._idle and visible_at is not None and visible_at <= self.timeline.now:
            self.timeline.push(self.timeline.now, self._idle.pop())

    def _take_turn(self, record: Record, processor: BatchProcessor) -> None:
        organization, sent_at = record.body.split()
        self.timeline.sleep(TURN_SECONDS)
        if organization == "slow":
            slot = self.slots.take("slow", self.timeline.now)
            if slot is None:
                raise RetryLaterError(2 * min(record.receive_count, 8), "busy")
            if self._together:
                with processor.meanwhile():
                    self.timeline.sleep(CALL_SECONDS)
            else:
                self.timeline.sleep(CALL_SECONDS)
            self.slots.free("slow", slot)
        self.waits[organization].append(self.timeline.now - float(sent_at))
        if organization == "slow" and self.timeline.now < START + SECONDS:
            contact = int(str(record.group).removeprefix("slow"))
            self.timeline.after(0.5, lambda: self.write("slow", contact))


def _record(message: Message) -> dict[str, Any]:
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(
            {
                "messageId": message.id,
                "body": message.body,
                "receiptHandle": message.handle,
                "attributes": {"ApproximateReceiveCount": message.receive_count, "MessageGroupId": message.group},
            }
        )
    )


def test_a_slow_api_of_one_organization_delays_another_by_a_fifth_at_most() -> None:
    alone = FlowRunners(SLOTS, together=True).run(slow_contacts=0)
    runners = FlowRunners(SLOTS, together=True)
    assert runners.run(slow_contacts=CONTACTS) <= 1.2 * alone
    assert len(runners.waits["slow"]) >= SLOTS * SECONDS / CALL_SECONDS * 0.7  # the slow one uses most of its slots


def test_without_the_bound_and_with_batches_that_wait_the_other_waits_for_the_api() -> None:
    """The simulation finds what it is made for."""
    alone = FlowRunners(1000, together=False).run(slow_contacts=0)
    assert FlowRunners(1000, together=False).run(slow_contacts=CONTACTS) > 10 * alone
