"""The recorded exchanges between Meta and the platform."""

import json
from typing import Any

import pytest

from local.exchanges import MAX_BODY_BYTES, MAX_EXCHANGES, Exchanges
from local.graph_simulator import GraphSimulator, NumberCredentials
from local.traffic_observer import WEBHOOK_PATH, TrafficObserver
from tests.local.asgi import AppClient

ANA, BIA = "5511999990001", "5521988880002"


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges(clock=lambda: 5.0)


def notification(**value: Any) -> bytes:
    return json.dumps({"entry": [{"changes": [{"value": value}]}]}).encode()


def test_a_notification_is_about_everybody_in_it(exchanges: Exchanges) -> None:
    exchanges.record_webhook("/hook", notification(messages=[{"from": ANA}]), 200)
    exchanges.record_webhook("/hook", notification(statuses=[{"recipient_id": ANA}, {"recipient_id": BIA}]), 500)
    assert [(one.seq, one.status) for one in exchanges.of_phone(ANA)] == [(1, 200), (2, 500)]
    assert [one.seq for one in exchanges.of_phone(BIA)] == [2]
    assert [one.seq for one in exchanges.of_phone(None, after=1)] == [2]


def test_a_request_to_meta_is_kept_with_its_answer(exchanges: Exchanges) -> None:
    exchanges.record_graph_request(
        "/_graph/v1/1/messages", json.dumps({"to": f"+{ANA}"}).encode(), 200, b'{"messages":[]}', None
    )
    exchanges.record_graph_request("/_graph/v1/1/messages", b'{"status":"read"}', 200, b"{}", BIA)
    (sent,) = exchanges.of_phone(ANA)
    assert (sent.kind, sent.request, sent.answer, sent.at) == ("graph", {"to": f"+{ANA}"}, {"messages": []}, 5.0)
    assert len(exchanges.of_phone(BIA)) == 1


@pytest.mark.parametrize("body", [b"", b"\xff{", b"[1]", b'{"entry":[{"changes":[{"value":[]}]},4]}', b'{"entry":{}}'])
def test_what_is_no_notification_is_kept_too(exchanges: Exchanges, body: bytes) -> None:
    exchanges.record_webhook("/hook", body, 400)
    exchanges.record_graph_request("/_graph", body, 400, body, None)
    assert len(exchanges.of_phone(None)) == 2


def test_memory_is_bounded(exchanges: Exchanges) -> None:
    exchanges.record_webhook("/hook", b'"' + b"x" * MAX_BODY_BYTES + b'"', 200)
    assert exchanges.of_phone(None)[0].request == f"{MAX_BODY_BYTES + 2} bytes"
    for _ in range(MAX_EXCHANGES + 5):
        exchanges.record_webhook("/hook", b"{}", 200)
    assert len(exchanges.of_phone(None)) == MAX_EXCHANGES


def test_the_simulator_tells_what_it_was_asked_and_what_passed_the_address() -> None:
    number = NumberCredentials("app-secret", "access-token", "+55 11 4000-0001")
    simulator = GraphSimulator("http://127.0.0.1:9/none", {"100": number})
    body = notification(messages=[{"from": ANA}])
    TrafficObserver(simulator).on_response("POST", WEBHOOK_PATH, body, 200)

    from starlette.applications import Starlette

    client = AppClient(Starlette(routes=simulator.routes()))
    text = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "Oi"}}
    refused = client.post("/_graph/v25.0/100/messages", json=text, headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401
    found = client.get(f"/_sim/exchanges?phone={ANA}").json()["exchanges"]
    assert [(one["kind"], one["status"]) for one in found] == [("webhook", 200), ("graph", 401)]
    assert found[1]["answer"]["error"]["code"] == 190
    assert client.get(f"/_sim/exchanges?phone={ANA}&after={found[0]['seq']}").json()["exchanges"] == found[1:]
