"""Read receipts are posted beside the messages: no batch waits for a slow one, and a refused one is only counted."""

import json
import threading
from collections.abc import Callable

import httpx
import pytest

from pytake.meta import read_receipts
from pytake.meta.graph_api import GraphApi
from pytake.meta.read_receipts import BackgroundReadReceipts

READ = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}


class Receipts:
    """The receipts of a sender, with a Meta that answers as it is told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.asked: list[httpx.Request] = []
        self.metrics: list[tuple[str, float]] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request)
            return answer(request)

        graph = GraphApi("https://graph.example.com", "v25.0", transport=httpx.MockTransport(handle))
        self.port = BackgroundReadReceipts(graph, lambda *metric: self.metrics.append(metric))


def test_a_receipt_is_posted_with_or_without_typing() -> None:
    receipts = Receipts(lambda _: httpx.Response(200, json={"success": True}))
    receipts.port.mark("106", "token", "wamid.1", typing=False)
    receipts.port.finish()
    receipts.port.mark("106", "token", "wamid.1", typing=True)
    receipts.port.finish()
    assert [json.loads(request.content) for request in receipts.asked] == [
        READ,
        READ | {"typing_indicator": {"type": "text"}},
    ]
    assert str(receipts.asked[0].url) == "https://graph.example.com/v25.0/106/messages"
    assert receipts.asked[0].headers["authorization"] == "Bearer token"
    assert set(receipts.asked[0].extensions["timeout"].values()) == {read_receipts.RECEIPT_SECONDS}
    assert receipts.metrics == []


def test_a_refused_receipt_is_counted_and_not_repeated() -> None:
    receipts = Receipts(lambda _: httpx.Response(400, json={"error": {"code": 131009}}))
    receipts.port.mark("106", "token", "wamid.1", typing=False)
    receipts.port.finish()
    assert len(receipts.asked) == 1
    assert receipts.metrics == [("ReadReceiptsFailed", 1)]


def test_neither_the_message_nor_the_end_of_the_batch_waits_for_a_slow_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_receipts, "FINISH_SECONDS", 0.0)
    may_answer = threading.Event()

    def slow(_: httpx.Request) -> httpx.Response:
        assert may_answer.wait(10)
        return httpx.Response(503)

    receipts = Receipts(slow)
    receipts.port.mark("106", "token", "wamid.1", typing=False)
    receipts.port.finish()
    assert receipts.metrics == [], "it is still being posted"
    may_answer.set()
    monkeypatch.setattr(read_receipts, "FINISH_SECONDS", 10.0)
    receipts.port.finish()
    assert receipts.metrics == [("ReadReceiptsFailed", 1)]
