"""How often the flow runner tries a message: what only waited was not tried."""

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

import pytake.wiring.flow_runner as wiring
from functions.flow_runner.handler import handler
from pytake.aws.batch import BatchProcessor
from pytake.aws.inbound_batches import MAX_TRIES, UNCOUNTED_RECEIVES
from pytake.conversation.retry_later import RetryLaterError
from pytake.wiring import shared
from tests import fakes

CONTEXT = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: 60_000)
BODY = (
    '{"organization_id": "acme", "phone_number_id": "1", "contact_id": "2", "message": {"id": "m"}, "received_at": 0}'
)


class FlowRunner:
    """The handler, with one message on a queue that never gives up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tries = fakes.MemoryTries()
        self.receives = 0
        self.dead: list[str] = []
        self.waits: list[int] = []
        self.turn: Callable[[Any], None] = lambda _: None
        queues = SimpleNamespace(
            postpone_inbound=lambda _, seconds: self.waits.append(seconds),
            dead_letter_inbound=lambda *letter: self.dead.append(letter[2]),
        )
        for module, name, value in (
            (shared, "metrics", nullcontext()),
            (wiring, "queues", queues),
            (wiring, "tries", self.tries),
            (wiring, "batches", BatchProcessor()),
            (wiring, "take_turn", lambda item: self.turn(item)),
        ):
            monkeypatch.setattr(module, name, lambda value=value: value)

    def receive(self) -> bool:
        """Whether the message is done after one more receive."""
        self.receives += 1
        record = {
            "messageId": "m",
            "body": BODY,
            "receiptHandle": "h",
            "attributes": {"ApproximateReceiveCount": str(self.receives), "MessageGroupId": "g"},
        }
        return not handler({"Records": [record]}, CONTEXT)["batchItemFailures"]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> FlowRunner:
    return FlowRunner(monkeypatch)


def busy(_: Any) -> None:
    raise RetryLaterError(2, "too many calls of this organization are in progress")


def broken(_: Any) -> None:
    raise KeyError("broken")


def test_a_message_that_only_waits_is_never_dead_lettered(runner: FlowRunner) -> None:
    runner.turn = busy
    assert not any(runner.receive() for _ in range(500))
    assert runner.dead == []
    assert runner.waits[:4] == [2, 4, 6, 8]
    assert set(runner.waits[8:]) == {16}
    runner.turn = lambda _: None
    assert runner.receive()


def test_a_message_that_keeps_failing_is_dead_lettered_with_its_error(runner: FlowRunner) -> None:
    runner.turn = broken
    while not runner.receive():
        pass
    assert runner.receives == UNCOUNTED_RECEIVES + MAX_TRIES
    assert runner.dead == ["error:KeyError"]


def test_what_waited_long_still_has_its_tries(runner: FlowRunner) -> None:
    runner.turn = busy
    for _ in range(200):
        runner.receive()
    runner.turn = broken
    failures = 0
    while not runner.receive():
        failures += 1
    assert failures == MAX_TRIES - 1


def test_a_message_that_kills_each_worker_is_dead_lettered(runner: FlowRunner) -> None:
    class Killed(BaseException):
        pass

    def kill(_: Any) -> None:
        raise Killed

    runner.turn = kill
    for _ in range(UNCOUNTED_RECEIVES + MAX_TRIES):
        with pytest.raises(Killed):
            runner.receive()
    assert runner.receive()
    assert runner.dead == ["worker_died"]


def test_the_first_tries_cost_no_write(runner: FlowRunner) -> None:
    runner.turn = broken
    for _ in range(UNCOUNTED_RECEIVES):
        runner.receive()
    assert runner.tries.counts == {}
