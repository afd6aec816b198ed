"""`pytake dlq` on queues of moto: what it shows, and what it sends back."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import msgspec
import pytest
from moto import mock_aws
from msgspec.structs import replace

from local.dead_letters import DeadLetters
from pytake.conversation.queues import InboundItem, OutboundItem, ReceiptsItem, group_id
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
        self.letters = DeadLetters(self.client, name, self.dead, self.source, wait_seconds=0)

    def bury(self, item: Any, reason: str | None = None) -> None:
        more: dict[str, Any] = {}
        if reason:
            more["MessageAttributes"] = {"reason": {"DataType": "String", "StringValue": reason}}
        if not isinstance(item, ReceiptsItem):
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
    stack.bury(turn(1), "throttled:130429")
    (letter,) = stack.letters.look()
    assert (letter.conversation, letter.reason) == (f"acme/100000000000001/{ANA}", "throttled:130429")
    assert letter.summary == "turn 1, 1 message"
    assert stack.letters.count() == 1
    assert len(stack.letters.look()) == 1  # looking leaves it where it is


def test_answers_go_back_in_order_marked_as_revived() -> None:
    stack = Stack("outbound", fifo=True)
    for number in (1, 2, 3):
        stack.bury(turn(number), "throttled:130429")
    stack.bury(replace(turn(4, BIA), revived=1, again="revived1"), "later:131049")
    assert stack.letters.redrive(now=lambda: 5.0) == 4
    back = stack.back()
    assert [item["turn"] for item in back if item["contact_id"] == ANA] == [1, 2, 3]
    assert [(item["revived"], item["queued_at"]) for item in back if item["contact_id"] == ANA] == [(1, 5.0)] * 3
    assert [item["revived"] for item in back if item["contact_id"] == BIA] == [2]
    assert stack.letters.count() == 0


def test_only_what_is_wanted_goes_back_and_nothing_overtakes_what_stays() -> None:
    stack = Stack("outbound", fifo=True)
    stack.bury(turn(1), "later:131049")
    stack.bury(turn(2), "throttled:130429")
    stack.bury(turn(1, BIA), "throttled:130429")
    assert stack.letters.redrive(lambda letter: letter.reason.startswith("throttled")) == 1
    assert [(item["contact_id"], item["turn"]) for item in stack.back()] == [(BIA, 1)]
    assert [letter.item.turn for letter in stack.letters.look() if isinstance(letter.item, OutboundItem)] == [1, 2]


def test_messages_of_people_go_back_as_they_came() -> None:
    stack = Stack("inbound", fifo=True)
    item = InboundItem("acme", "100000000000001", ANA, {"id": "wamid.1", "type": "text"}, 1.0)
    stack.bury(item)
    (letter,) = stack.letters.look()
    assert letter.summary == "message wamid.1 (text)"
    assert "log" in letter.reason
    assert stack.letters.redrive() == 1
    assert [msgspec.convert(body, InboundItem) for body in stack.back()] == [item]


def test_receipts_go_back_too() -> None:
    stack = Stack("receipts", fifo=False)
    data = f"acme|100000000000001|{ANA}|1|0"
    stack.bury(ReceiptsItem("acme", "100000000000001", [{"id": "w", "biz_opaque_callback_data": data}]))
    assert stack.letters.look()[0].conversation == f"acme/100000000000001/{ANA}"
    assert stack.letters.redrive() == 1
    assert len(stack.back()) == 1


def test_what_cannot_be_read_is_shown_as_that() -> None:
    stack = Stack("outbound", fifo=True)
    stack.client.send_message(
        QueueUrl=stack.dead, MessageBody="{not a message", MessageGroupId="g", MessageDeduplicationId="d"
    )
    (letter,) = stack.letters.look()
    assert (letter.conversation, letter.summary, letter.reason) == ("?", "unreadable", "unreadable")


def test_schedules_are_not_redriven() -> None:
    letters = DeadLetters(boto3.client("sqs", region_name="us-east-1"), "schedule", "u", None)
    with pytest.raises(ValueError, match="fires again"):
        letters.redrive()
