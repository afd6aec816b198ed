"""`pytake dlq` on queues of moto: what it shows, and what it sends back."""

from collections.abc import Iterator

import boto3
import msgspec
import pytest
from moto import mock_aws
from msgspec.structs import replace

from local.dead_letters import DeadLetterQueue
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem
from tests.cli.queue_pair import ANA, BIA, QueuePair, turn


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def test_what_is_shown_names_conversation_and_reason_and_no_text() -> None:
    pair = QueuePair("outbound", fifo=True)
    pair.dead_letter(turn(1), "retry:130429")
    (letter,) = pair.letters.peek()
    assert (letter.conversation, letter.reason) == (f"acme/100000000000001/{ANA}", "retry:130429")
    assert letter.summary == "turn 1, 1 message"
    assert pair.letters.count() == 1
    assert len(pair.letters.peek()) == 1  # looking leaves it where it is


def test_answers_go_back_in_order_marked_as_redriven() -> None:
    pair = QueuePair("outbound", fifo=True)
    for number in (1, 2, 3):
        pair.dead_letter(turn(number), "retry:130429")
    pair.dead_letter(replace(turn(4, BIA), redrive_count=1, requeue_id="redrive1"), "retry_manually:131049")
    assert pair.letters.redrive(now=lambda: 5.0) == 4
    back = pair.back()
    assert [item["turn"] for item in back if item["contact_id"] == ANA] == [1, 2, 3]
    assert [(item["redrive_count"], item["queued_at"]) for item in back if item["contact_id"] == ANA] == [(1, 5.0)] * 3
    assert [item["redrive_count"] for item in back if item["contact_id"] == BIA] == [2]
    assert pair.letters.count() == 0


def test_only_what_is_wanted_goes_back_and_nothing_overtakes_what_stays() -> None:
    pair = QueuePair("outbound", fifo=True)
    pair.dead_letter(turn(1), "retry_manually:131049")
    pair.dead_letter(turn(2), "retry:130429")
    pair.dead_letter(turn(1, BIA), "retry:130429")
    assert pair.letters.redrive(lambda letter: letter.reason.startswith("retry:")) == 1
    assert [(item["contact_id"], item["turn"]) for item in pair.back()] == [(BIA, 1)]
    assert [letter.item.turn for letter in pair.letters.peek() if isinstance(letter.item, OutboundItem)] == [1, 2]


def test_messages_of_people_go_back_as_they_came() -> None:
    pair = QueuePair("inbound", fifo=True)
    item = InboundItem("acme", "100000000000001", ANA, {"id": "wamid.1", "type": "text"}, 1.0)
    pair.dead_letter(item)
    (letter,) = pair.letters.peek()
    assert letter.summary == "message wamid.1 (text)"
    assert "log" in letter.reason
    assert pair.letters.redrive() == 1
    assert [msgspec.convert(body, InboundItem) for body in pair.back()] == [item]


def test_statuses_go_back_too() -> None:
    pair = QueuePair("statuses", fifo=False)
    data = f"acme|100000000000001|{ANA}|1|0"
    pair.dead_letter(StatusesItem("acme", "100000000000001", [{"id": "w", "biz_opaque_callback_data": data}]))
    assert pair.letters.peek()[0].conversation == f"acme/100000000000001/{ANA}"
    assert pair.letters.redrive() == 1
    assert len(pair.back()) == 1


def test_what_cannot_be_read_is_shown_as_that() -> None:
    pair = QueuePair("outbound", fifo=True)
    pair.client.send_message(
        QueueUrl=pair.dead, MessageBody="{not a message", MessageGroupId="g", MessageDeduplicationId="d"
    )
    (letter,) = pair.letters.peek()
    assert (letter.conversation, letter.summary, letter.reason) == ("?", "unreadable", "unreadable")


def test_schedules_are_not_redriven() -> None:
    letters = DeadLetterQueue(boto3.client("sqs", region_name="us-east-1"), "schedule", "u", None)
    with pytest.raises(ValueError, match="schedules fire again"):
        letters.redrive()
