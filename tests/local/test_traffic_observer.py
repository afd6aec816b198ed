"""A client that posts to the webhook acts for Meta, and the simulated WhatsApp takes note; the same for connected numbers."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette

from local.graph_simulator import GraphSimulator, NumberCredentials
from local.traffic_observer import WEBHOOK_PATH, TrafficObserver
from pytake.whatsapp.signature import sign
from tests.local.asgi import AppClient

NUMBER = "100000000000001"
PHONE = "5511999990001"
DEMO = NumberCredentials(app_secret="secret", access_token="token", display_phone_number="+55 11 4000-0001")


def posted(message_id: str = "wamid.1", text: str = "Oi") -> bytes:
    message = {"from": PHONE, "id": message_id, "timestamp": "1800000000", "type": "text", "text": {"body": text}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER, "display_phone_number": "551140000001"},
        "contacts": [{"wa_id": PHONE, "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@pytest.fixture
def simulator() -> GraphSimulator:
    nowhere = httpx.MockTransport(lambda _request: httpx.Response(200))
    return GraphSimulator(f"http://127.0.0.1{WEBHOOK_PATH}", {NUMBER: DEMO}, transport=nowhere)


@pytest.fixture
def observer(simulator: GraphSimulator) -> TrafficObserver:
    return TrafficObserver(simulator)


@pytest.fixture
def screen(simulator: GraphSimulator) -> Callable[[], list[dict[str, Any]]]:
    client = AppClient(Starlette(routes=simulator.routes()))
    return lambda: client.get(f"/_sim/phones/{PHONE}/messages").json()["messages"]


def send(simulator: GraphSimulator, number: str, token: str) -> httpx.Response:
    """Let the business write to the phone."""
    payload = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+{PHONE}", "type": "text"}
    return AppClient(Starlette(routes=simulator.routes())).post(
        f"/_graph/v25.0/{number}/messages",
        json=payload | {"text": {"body": "Olá"}},
        headers={"Authorization": f"Bearer {token}"},
    )


def test_a_posted_message_is_on_the_phone_once(
    observer: TrafficObserver, screen: Callable[[], list[dict[str, Any]]]
) -> None:
    for body in (posted(), posted(), posted("wamid.2", "Tudo bem?")):
        observer.on_request("POST", WEBHOOK_PATH, body, sign("secret", body))
    assert [(entry["direction"], entry["text"]) for entry in screen()] == [("in", "Oi"), ("in", "Tudo bem?")]


def test_a_posted_message_opens_the_customer_service_window(
    simulator: GraphSimulator, observer: TrafficObserver
) -> None:
    assert send(simulator, NUMBER, "token").json()["error"]["code"] == 131047
    observer.on_request("POST", WEBHOOK_PATH, posted(), sign("secret", posted()))
    assert send(simulator, NUMBER, "token").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "signature"),
    [
        ("POST", WEBHOOK_PATH, posted(), None),
        ("POST", WEBHOOK_PATH, posted(), sign("another", posted())),
        ("POST", WEBHOOK_PATH, b"{", sign("secret", b"{")),
        ("POST", "/api/v1/flows", posted(), sign("secret", posted())),
    ],
)
def test_nobody_wrote_anything_else(
    observer: TrafficObserver,
    screen: Callable[[], list[dict[str, Any]]],
    method: str,
    path: str,
    body: bytes,
    signature: str | None,
) -> None:
    observer.on_request(method, path, body, signature)
    assert screen() == []


def test_a_connected_number_can_send(simulator: GraphSimulator, observer: TrafficObserver) -> None:
    settings = {"app_secret": "a", "access_token": "b", "display_phone_number": "+1 555 0100", "default_flow_id": "f"}
    observer.on_response("PUT", "/api/v1/numbers/200", json.dumps(settings).encode(), 200)
    assert send(simulator, "200", "b").json()["error"]["code"] == 131047  # known, but without messages


def test_a_new_number_can_be_verified_while_it_is_connected(
    simulator: GraphSimulator, observer: TrafficObserver
) -> None:
    settings = b'{"app_secret":"a","access_token":"b","display_phone_number":"+1 555 0100"}'
    observer.on_request("PUT", "/api/v1/numbers/200", settings, None)
    profile = AppClient(Starlette(routes=simulator.routes())).get(
        "/_graph/v25.0/200", headers={"Authorization": "Bearer b"}
    )
    assert profile.json()["id"] == "200"
    observer.on_request("PUT", f"/api/v1/numbers/{NUMBER}", settings, None)  # a known number keeps its own token
    assert simulator.network.numbers[NUMBER] == DEMO


@pytest.mark.parametrize("status", [400, 401, 422])
def test_a_refused_number_is_not_connected(simulator: GraphSimulator, observer: TrafficObserver, status: int) -> None:
    observer.on_request("PUT", "/api/v1/numbers/200", b'{"app_secret":"a","access_token":"b"}', None)
    observer.on_response("PUT", "/api/v1/numbers/200", b'{"app_secret":"a","access_token":"b"}', status)
    assert send(simulator, "200", "b").status_code in (400, 401, 404)
    assert send(simulator, "200", "b").json()["error"]["code"] != 131047


def test_a_changed_token_replaces_the_earlier_one_and_the_rest_stays(
    simulator: GraphSimulator, observer: TrafficObserver
) -> None:
    observer.on_response("PUT", f"/api/v1/numbers/{NUMBER}", b'{"access_token":"new"}', 200)
    observer.on_request("POST", WEBHOOK_PATH, posted(), sign("secret", posted()))
    assert send(simulator, NUMBER, "new").status_code == 200
    number = replace(DEMO, waba_id="5", coexists=True)
    simulator.add_number(NUMBER, number)
    observer.on_response("PUT", f"/api/v1/numbers/{NUMBER}", b'{"access_token":"new"}', 200)
    assert simulator.network.numbers[NUMBER] == replace(number, access_token="new")
    observer.on_response("PUT", f"/api/v1/numbers/{NUMBER}", b'{"waba_id":"6"}', 200)
    assert simulator.network.numbers[NUMBER].waba_id == "6"
    assert send(simulator, NUMBER, "token").status_code != 200
