"""The state of the queues, as the console looks at it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from local.console.backlog import look_at
from local.dead_letters import DeadLetterQueue
from tests.cli.queue_pair import ANA, BIA, QueuePair, turn


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def test_how_much_waits_what_was_given_up_on_and_why() -> None:
    stack = QueuePair("outbound", fifo=True)
    stack.dead_letter(turn(1), "fatal:190")
    stack.dead_letter(turn(2), "later: 5 tries")
    stack.dead_letter(turn(1, BIA), "fatal:190")
    stack.letters.redrive(lambda letter: letter.conversation.endswith(BIA))
    schedule = DeadLetterQueue(
        stack.client, "schedule", stack.client.create_queue(QueueName="schedule")["QueueUrl"], None
    )
    outbound, scheduled = look_at([stack.letters, schedule])
    assert (outbound.name, outbound.waiting, outbound.dead, outbound.can_be_redriven) == ("outbound", 1, 2, True)
    assert outbound.reasons == [("fatal:190", 1), ("later: 5 tries", 1)]
    assert {letter.conversation.rpartition("/")[2] for letter in outbound.letters} == {ANA}
    assert (scheduled.waiting, scheduled.dead, scheduled.letters, scheduled.can_be_redriven) == (None, 0, (), False)
    assert look_at([stack.letters])[0].dead == 2  # looking took nothing
