"""The queue adapter sends only what SQS accepts, and handles refusals entry by entry."""

import re
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError
from msgspec.structs import replace

from pytake.aws.queues import SqsQueues, encode_body
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import InboundItem, OutboundItem
from pytake.whatsapp.outbound import Text

NOT_TAKEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""SQS, SendMessage: the characters that a message body may not hold."""


class StrictSqs:
    """Refuses what AWS's documentation refuses, entry by entry, and whatever `refuses` says."""

    def __init__(self, refuses: str = "") -> None:
        self.bodies: list[str] = []
        self.batches: list[int] = []
        self._refuses = refuses

    def send_message_batch(self, *, Entries: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        failed = []
        self.batches.append(len(Entries))
        for entry in Entries:
            if NOT_TAKEN.search(entry["MessageBody"]) or (self._refuses and self._refuses in entry["MessageBody"]):
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": "InvalidMessageContents"})
            else:
                self.bodies.append(entry["MessageBody"])
        return {"Failed": failed}


def queues(client: StrictSqs) -> SqsQueues:
    names = dict.fromkeys(("inbound", "inbound_dlq", "outbound", "outbound_dlq", "statuses"), "queue")
    return SqsQueues(lambda: client, **names)  # type: ignore[arg-type]


def item(contact_id: str, text: str, message_id: str = "wamid.1") -> InboundItem:
    return InboundItem("acme", "100000000000001", contact_id, {"id": message_id, "text": {"body": text}}, 1.0)


def test_every_character_is_taken_and_comes_back() -> None:
    for start in range(0, 0x110000, 4096):
        text = "".join(chr(point) for point in range(start, start + 4096) if not 0xD800 <= point <= 0xDFFF)
        body = encode_body(item("5511999990001", text))
        assert NOT_TAKEN.search(body) is None
        assert msgspec.json.decode(body, type=InboundItem).message["text"]["body"] == text


def test_a_refused_message_holds_back_its_own_person_only() -> None:
    sqs = StrictSqs(refuses="poison")
    items = [item("5511999990001", "poison", "wamid.1"), item("5511999990001", "behind it", "wamid.2")]
    items += [item(f"55119999901{n:02}", f"hello {n}") for n in range(25)]
    with pytest.raises(QueueingFailedError, match="2 of 27"):
        queues(sqs).put_inbound(items)
    assert len(sqs.bodies) == 25
    assert not any("behind it" in body for body in sqs.bodies)


class RecordingSqs:
    """Keeps the queue and the body of each message."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, OutboundItem]] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str, **_: Any) -> None:  # noqa: N803
        self.sent.append((QueueUrl, msgspec.json.decode(MessageBody, type=OutboundItem)))


def test_what_a_campaign_sends_has_a_queue_and_dead_letters_of_its_own() -> None:
    sqs = RecordingSqs()
    queues = SqsQueues(lambda: sqs, outbound="out", outbound_dlq="out-dead", bulk="bulk", bulk_dlq="bulk-dead")  # type: ignore[arg-type]
    answer = OutboundItem("acme", "100000000000001", "5511999990001", 1, [Text("Hi")], 1e12)
    offer = replace(answer, turn=2, campaign=CampaignMark("spring", slot_at=1.5))
    for item in (answer, offer):
        queues.put_outbound(item)
        queues.dead_letter(item, "retry:429")
    assert sqs.sent == [("out", answer), ("out-dead", answer), ("bulk", offer), ("bulk-dead", offer)]


def test_a_campaign_queues_ten_turns_in_a_request_and_learns_which_were_refused() -> None:
    sqs = StrictSqs(refuses="poison")
    texts = ["poison" if n == 3 else f"hello {n}" for n in range(25)]
    items = [
        OutboundItem(
            "acme", "100000000000001", f"55119999901{n:02}", 1, [Text(text)], 1e12, campaign=CampaignMark("spring")
        )
        for n, text in enumerate(texts)
    ]
    bulk = SqsQueues(lambda: sqs, bulk="bulk")  # type: ignore[arg-type]
    assert bulk.put_bulk(items) == [items[3]]
    assert len(sqs.bodies) == 24
    assert sqs.batches == [10, 1, 1, 10, 5], "the refused one is tried three times"


def test_a_campaign_learns_that_the_queue_did_not_answer() -> None:
    class SilentSqs:
        def send_message_batch(self, **_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://sqs.test")

    one = OutboundItem(
        "acme", "100000000000001", "5511999990001", 1, [Text("Hi")], 1e12, campaign=CampaignMark("spring")
    )
    assert SqsQueues(lambda: SilentSqs(), bulk="bulk").put_bulk([one]) == [one]  # type: ignore[arg-type,return-value]
