"""What passed between Meta and the platform, to be looked at."""

import json
from typing import Any

import pytest

from local.exchanges import LONGEST_BODY, MOST_EXCHANGES, Exchanges
from local.graph_simulator import GraphSimulator, NumberCredentials
from local.overheard import WEBHOOK_PATH, Overheard
from tests.local.asgi import AppClient

ANA, BIA = "5511999990001", "5521988880002"


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges(clock=lambda: 5.0)


def notification(**value: Any) -> bytes:
    return json.dumps({"entry": [{"changes": [{"value": value}]}]}).encode()


def test_a_notification_is_about_everybody_in_it(exchanges: Exchanges) -> None:
    exchanges.webhook("/hook", notification(messages=[{"from": ANA}]), 200)
    exchanges.webhook("/hook", notification(statuses=[{"recipient_id": ANA}, {"recipient_id": BIA}]), 500)
    assert [(one.seq, one.status) for one in exchanges.about(ANA)] == [(1, 200), (2, 500)]
    assert [one.seq for one in exchanges.about(BIA)] == [2]
    assert [one.seq for one in exchanges.about(None, after=1)] == [2]


def test_a_request_to_meta_is_kept_with_its_answer(exchanges: Exchanges) -> None:
    exchanges.graph("/_graph/v1/1/messages", json.dumps({"to": f"+{ANA}"}).encode(), 200, b'{"messages":[]}', None)
    exchanges.graph("/_graph/v1/1/messages", b'{"status":"read"}', 200, b"{}", BIA)
    (sent,) = exchanges.about(ANA)
    assert (sent.kind, sent.request, sent.answer, sent.at) == ("graph", {"to": f"+{ANA}"}, {"messages": []}, 5.0)
    assert len(exchanges.about(BIA)) == 1


@pytest.mark.parametrize("body", [b"", b"\xff{", b"[1]", b'{"entry":[{"changes":[{"value":[]}]},4]}', b'{"entry":{}}'])
def test_what_is_no_notification_is_kept_too(exchanges: Exchanges, body: bytes) -> None:
    exchanges.webhook("/hook", body, 400)
    exchanges.graph("/_graph", body, 400, body, None)
    assert len(exchanges.about(None)) == 2


def test_memory_is_bounded(exchanges: Exchanges) -> None:
    exchanges.webhook("/hook", b'"' + b"x" * LONGEST_BODY + b'"', 200)
    assert exchanges.about(None)[0].request == f"{LONGEST_BODY + 2} bytes"
    for _ in range(MOST_EXCHANGES + 5):
        exchanges.webhook("/hook", b"{}", 200)
    assert len(exchanges.about(None)) == MOST_EXCHANGES


def test_the_simulator_tells_what_it_was_asked_and_what_passed_the_address() -> None:
    number = NumberCredentials("app-secret", "access-token", "+55 11 4000-0001")
    simulator = GraphSimulator("http://127.0.0.1:9/none", {"100": number})
    body = notification(messages=[{"from": ANA}])
    Overheard(simulator).answer("POST", WEBHOOK_PATH, body, 200)

    from starlette.applications import Starlette

    client = AppClient(Starlette(routes=simulator.routes()))
    text = {"messaging_product": "whatsapp", "to": ANA, "type": "text", "text": {"body": "Oi"}}
    refused = client.post("/_graph/v25.0/100/messages", json=text, headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401
    found = client.get(f"/_sim/exchanges?phone={ANA}").json()["exchanges"]
    assert [(one["kind"], one["status"]) for one in found] == [("webhook", 200), ("graph", 401)]
    assert found[1]["answer"]["error"]["code"] == 190
    assert client.get(f"/_sim/exchanges?phone={ANA}&after={found[0]['seq']}").json()["exchanges"] == found[1:]
