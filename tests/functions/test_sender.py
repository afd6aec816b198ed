"""The sender's handler: while Meta answers one message of a batch, the others are sent."""

import threading
from typing import Any

import httpx
import msgspec
import pytest

from functions.sender.handler import handler as sender
from pytake.conversation.queues import OutboundItem
from pytake.whatsapp.outbound import Text
from pytake.wiring import sender as wiring
from tests.functions.conftest import Gateway, LambdaContext


def test_a_batch_waits_for_meta_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(10, timeout=30)

    def answer(_: httpx.Request) -> httpx.Response:
        together.wait()  # breaks unless ten requests are under way
        return httpx.Response(200, json={"messages": [{"id": "wamid.1"}]})

    api = wiring.graph_api()
    monkeypatch.setattr(api, "_client", httpx.Client(transport=httpx.MockTransport(answer)))

    def deliver(item: OutboundItem, **_: Any) -> None:
        assert api.send(item.phone_number_id, "token", {"to": item.contact_id}).message_id == "wamid.1"

    monkeypatch.setattr(wiring, "deliver", lambda: deliver)
    items = [OutboundItem("acme", "1", f"5511{n}", 1, [Text("Hi")], 4e9) for n in range(10)]
    records = [
        {
            "messageId": item.contact_id,
            "receiptHandle": "handle",
            "body": msgspec.json.encode(item).decode(),
            "attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": item.group_id},
        }
        for item in items
    ]
    assert sender({"Records": records}, LambdaContext()) == {"batchItemFailures": []}
