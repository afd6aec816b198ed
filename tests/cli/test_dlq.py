"""`pytake dlq` on queues of moto: what it shows, and what it sends back."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws
from msgspec.structs import replace

from local.dead_letters import DeadLetterQueue
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem, group_id
from pytake.whatsapp.outbound import Text

ANA, BIA = "5511900000001", "5511900000002"


def turn(number: int, contact: str = ANA) -> OutboundItem:
    return OutboundItem("acme", "100000000000001", contact, number, [Text(f"secret text {number}")], 1e12)


class Stack:
    """A source queue and its dead-letter queue."""

    def __init__(self, name: Any, *, fifo: bool) -> None:
        self.client = boto3.client("sqs", region_name="us-east-1")
        end, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        self.source = self.client.create_queue(QueueName=f"source{end}", Attributes=attributes)["QueueUrl"]
        self.dead = self.client.create_queue(QueueName=f"dead{end}", Attributes=attributes)["QueueUrl"]
        self.letters = DeadLetterQueue(self.client, name, self.dead, self.source, wait_seconds=0)

    def dead_letter(self, item: Any, reason: str | None = None) -> None:
        more: dict[str, Any] = {}
        if reason:
            more["MessageAttributes"] = {"reason": {"DataType": "String", "StringValue": reason}}
        if not isinstance(item, StatusesItem):
            more |= {"MessageGroupId": group_id(item.key), "MessageDeduplicationId": item.deduplication_id}
        self.client.send_message(QueueUrl=self.dead, MessageBody=msgspec.json.encode(item).decode(), **more)

    def back(self) -> list[Any]:
        found = []
        while messages := self.client.receive_message(QueueUrl=self.source, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.client.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def test_what_is_shown_names_conversation_and_reason_and_no_text() -> None:
    stack = Stack("outbound", fifo=True)
    stack.dead_letter(turn(1), "retry:130429")
    (letter,) = stack.letters.peek()
    assert (letter.conversation, letter.reason) == (f"acme/100000000000001/{ANA}", "retry:130429")
    assert letter.summary == "turn 1, 1 message"
    assert stack.letters.count() == 1
    assert len(stack.letters.peek()) == 1  # looking leaves it where it is


def test_answers_go_back_in_order_marked_as_redriven() -> None:
    stack = Stack("outbound", fifo=True)
    for number in (1, 2, 3):
        stack.dead_letter(turn(number), "retry:130429")
    stack.dead_letter(replace(turn(4, BIA), redrive_count=1, requeue_id="redrive1"), "retry_manually:131049")
    assert stack.letters.redrive(now=lambda: 5.0) == 4
    back = stack.back()
    assert [item["turn"] for item in back if item["contact_id"] == ANA] == [1, 2, 3]
    assert [(item["redrive_count"], item["queued_at"]) for item in back if item["contact_id"] == ANA] == [(1, 5.0)] * 3
    assert [item["redrive_count"] for item in back if item["contact_id"] == BIA] == [2]
    assert stack.letters.count() == 0


def test_only_what_is_wanted_goes_back_and_nothing_overtakes_what_stays() -> None:
    stack = Stack("outbound", fifo=True)
    stack.dead_letter(turn(1), "retry_manually:131049")
    stack.dead_letter(turn(2), "retry:130429")
    stack.dead_letter(turn(1, BIA), "retry:130429")
    assert stack.letters.redrive(lambda letter: letter.reason.startswith("retry:")) == 1
    assert [(item["contact_id"], item["turn"]) for item in stack.back()] == [(BIA, 1)]
    assert [letter.item.turn for letter in stack.letters.peek() if isinstance(letter.item, OutboundItem)] == [1, 2]


def test_messages_of_people_go_back_as_they_came() -> None:
    stack = Stack("inbound", fifo=True)
    item = InboundItem("acme", "100000000000001", ANA, {"id": "wamid.1", "type": "text"}, 1.0)
    stack.dead_letter(item)
    (letter,) = stack.letters.peek()
    assert letter.summary == "message wamid.1 (text)"
    assert "log" in letter.reason
    assert stack.letters.redrive() == 1
    assert [msgspec.convert(body, InboundItem) for body in stack.back()] == [item]


def test_statuses_go_back_too() -> None:
    stack = Stack("statuses", fifo=False)
    data = f"acme|100000000000001|{ANA}|1|0"
    stack.dead_letter(StatusesItem("acme", "100000000000001", [{"id": "w", "biz_opaque_callback_data": data}]))
    assert stack.letters.peek()[0].conversation == f"acme/100000000000001/{ANA}"
    assert stack.letters.redrive() == 1
    assert len(stack.back()) == 1


def test_what_cannot_be_read_is_shown_as_that() -> None:
    stack = Stack("outbound", fifo=True)
    stack.client.send_message(
        QueueUrl=stack.dead, MessageBody="{not a message", MessageGroupId="g", MessageDeduplicationId="d"
    )
    (letter,) = stack.letters.peek()
    assert (letter.conversation, letter.summary, letter.reason) == ("?", "unreadable", "unreadable")


def test_schedules_are_not_redriven() -> None:
    letters = DeadLetterQueue(boto3.client("sqs", region_name="us-east-1"), "schedule", "u", None)
    with pytest.raises(ValueError, match="schedules fire again"):
        letters.redrive()
