"""An erasure removes the person from the dead-letter queues. Other messages stay and can be redriven."""

from typing import Any

import boto3
import msgspec
import pytest
from msgspec.structs import replace

from pytake.aws.dead_letter_queues import SqsDeadLetterQueues
from pytake.conversation.callback_data import callback_data
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem, group_id
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.input import InputMedia
from pytake.whatsapp.outbound import Text

NUMBER = "100000000000001"
ANA, BIA = "5511999999999", "5511888888888"


class World:
    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        fifo = {"FifoQueue": "true"}
        self.urls = {
            "inbound": self.sqs.create_queue(QueueName="in.fifo", Attributes=fifo)["QueueUrl"],
            "outbound": self.sqs.create_queue(QueueName="out.fifo", Attributes=fifo)["QueueUrl"],
            "bulk": self.sqs.create_queue(QueueName="bulk.fifo", Attributes=fifo)["QueueUrl"],
            "statuses": self.sqs.create_queue(QueueName="statuses")["QueueUrl"],
            "media": self.sqs.create_queue(QueueName="media")["QueueUrl"],
        }
        self.queues = SqsDeadLetterQueues(self.sqs, **self.urls, wait_seconds=0)
        self.sent = 0

    def put(self, queue: str, body: Any) -> None:
        self.sent += 1
        group = group_id(body.key) if isinstance(body, InboundItem | OutboundItem) else f"g{self.sent}"
        more = (
            {}
            if queue in ("statuses", "media")
            else {"MessageGroupId": group, "MessageDeduplicationId": str(self.sent)}
        )
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        self.sqs.send_message(QueueUrl=self.urls[queue], MessageBody=text, **more)

    def bodies(self, queue: str) -> list[str]:
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.urls[queue], MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.urls[queue], ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def world(aws: None) -> World:
    return World()


def status(phone: str, organization_id: str = "acme", *, callback: bool = True) -> dict[str, Any]:
    found = {"id": f"wamid.{phone}", "status": "sent", "recipient_id": phone}
    key = ConversationKey(organization_id, NUMBER, phone)
    return found | ({"biz_opaque_callback_data": callback_data(key, 1, 0)} if callback else {})


def test_files_of_erased_people_go(world: World) -> None:
    for phone in (ANA, BIA):
        world.put("media", MediaItem("acme", NUMBER, phone, InputMedia("77", "image"), 1.0))
    assert world.queues.remove([ConversationKey("acme", NUMBER, ANA)]) == 1
    [left] = [msgspec.json.decode(body, type=MediaItem) for body in world.bodies("media")]
    assert left.contact_id == BIA


def test_messages_of_erased_people_go_and_all_others_stay(world: World) -> None:
    for number in range(12):
        for phone in (ANA, BIA):
            world.put("inbound", InboundItem("acme", NUMBER, phone, {"id": str(number)}, 1.0))
            world.put("outbound", OutboundItem("acme", NUMBER, phone, number, [Text("Hi")], 1.0))
    world.put("inbound", InboundItem("globex", "200000000000002", ANA, {"id": "theirs"}, 1.0))
    offer = OutboundItem("acme", NUMBER, ANA, 1, [Text("Hi")], 1.0, campaign=CampaignMark("spring"))
    world.put("bulk", offer)
    world.put("bulk", replace(offer, contact_id=BIA))
    world.put("outbound", "{not json " + ANA)
    world.put("outbound", "{not json " + BIA)
    assert world.queues.remove([ConversationKey("acme", NUMBER, ANA)]) == 26
    assert [msgspec.json.decode(body)["contact_id"] for body in world.bodies("bulk")] == [BIA]
    inbound, outbound = world.bodies("inbound"), world.bodies("outbound")
    owners = sorted((item["organization_id"], item["contact_id"]) for item in map(msgspec.json.decode, inbound))
    assert owners == [("acme", BIA)] * 12 + [("globex", ANA)]
    assert len(outbound) == 13
    assert not any(ANA in body for body in outbound)


def test_of_statuses_only_those_of_the_erased_people_go(world: World) -> None:
    world.put("statuses", StatusesItem("acme", NUMBER, [status(ANA), status(BIA), status(ANA, callback=False)]))
    world.put("statuses", StatusesItem("acme", NUMBER, [status(ANA)]))
    world.put("statuses", StatusesItem("acme", NUMBER, [status(BIA)]))
    assert world.queues.remove([ConversationKey("acme", NUMBER, ANA)]) == 2
    left = [msgspec.json.decode(body, type=StatusesItem) for body in world.bodies("statuses")]
    assert [item.statuses for item in left] == [[status(BIA)], [status(BIA)]]
