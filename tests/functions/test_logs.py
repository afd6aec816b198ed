"""What is logged of hostile and failing conversations holds no text, no phone number, no name and no token."""

import contextlib
import json
from typing import Any

import botocore.client
import httpx
import pytest
from botocore.exceptions import ClientError

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler as scheduled
from functions.sender.handler import UNREADABLE_RECEIVES
from functions.sender.handler import handler as sender
from functions.statuses.handler import handler as process_statuses
from pytake.conversation.callback_data import callback_data
from pytake.conversation.records import ConversationKey
from pytake.engine import EffectResult
from pytake.whatsapp.signature import sign
from pytake.wiring import flow_runner as flow_runner_wiring
from pytake.wiring import sender as sender_wiring
from pytake.wiring import statuses as statuses_wiring
from pytake.wiring import webhook as webhook_wiring
from tests.functions.conftest import Gateway, LambdaContext

NUMBER_ID = "100000000000001"
PHONE, NAME, TEXT = "5511987654321", "Zebedeu Xis", "meu segredo e queijo"
SECRETS = {"app_secret": "app-secret-XYZ", "access_token": "EAAB-token-XYZ", "verify_token": "verify-XYZ"}
TOKEN = "of-the-person-who-signed-in"
HIDDEN = (PHONE, NAME, TEXT, TOKEN, "segredo", "queijo", *SECRETS.values(), "wamid.HBgN")

FLOW: dict[str, Any] = {
    "format": 1,
    "id": "hello",
    "name": "Hello",
    "language": "en",
    "report_variables": ["said"],
    "start_node_id": "ask",
    "nodes": [
        {"id": "ask", "type": "question", "data": {"question": "Say?", "variable": "said", "next_node_id": "call"}},
        {
            "id": "call",
            "type": "api_call",
            "data": {
                "method": "GET",
                "url": "https://crm.example/{{contact.phone}}?q={{said}}",
                "next_node_id": "end",
                "error_next_node_id": "end",
            },
        },
        {"id": "end", "type": "end", "data": {"message": "You said {{said}}, {{contact.name}}."}},
    ],
}


class Told:
    """Everything that was written while a test ran."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def check(self, *expected: str) -> None:
        out, err = self._capfd.readouterr()
        told = out + err
        for word in expected:
            assert word in told, f"{word!r} should have been logged: {told[-500:]}"
        for hidden in HIDDEN:
            assert hidden not in told, f"{hidden!r} was logged: {told[max(0, told.find(hidden) - 300) :][:700]}"


@pytest.fixture
def told(gateway: Gateway, capfd: pytest.CaptureFixture[str]) -> Told:
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    assert gateway.api("POST", "/api/v1/flows/hello/publish").status == 200
    number = {"display_phone_number": "+55 11 4000-0001", "default_flow_id": "hello", **SECRETS}
    assert gateway.api("PUT", f"/api/v1/numbers/{NUMBER_ID}", number).status == 200
    return Told(capfd)


def batch(*bodies: Any, receive_count: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": f"g{index}"},
            }
            for index, body in enumerate(bodies)
        ]
    }


def inbound(text: str, number: int = 1, **changes: Any) -> dict[str, Any]:
    message = {"from": PHONE, "id": f"wamid.HBgN{number}", "timestamp": "1770000000", "type": "text"}
    item = {
        "organization_id": "acme",
        "phone_number_id": NUMBER_ID,
        "contact_id": PHONE,
        "received_at": 1_770_000_000.0,
    }
    return {**item, "message": {**message, "text": {"body": text}}, "profile_name": NAME, **changes}


def notification(**value: Any) -> str:
    value = {
        "metadata": {"phone_number_id": NUMBER_ID},
        "contacts": [{"wa_id": PHONE, "profile": {"name": NAME}}],
    } | value
    return json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
        }
    )


def test_the_webhook(gateway: Gateway, told: Told) -> None:
    message = {"from": PHONE, "id": "wamid.HBgN", "timestamp": "soon " + TEXT, "type": TEXT, TEXT: {"body": TEXT}}
    hostile = [
        notification(messages=[message, TEXT, {"from": PHONE}, {TEXT: PHONE}, None], statuses=[TEXT, {"status": TEXT}]),
        notification(metadata={"phone_number_id": f"{TEXT} {PHONE}"}, messages=[message]),
        notification(errors=[{"code": 1, "title": TEXT, "error_data": {"details": PHONE}}]),
        json.dumps({"object": "whatsapp_business_account", "entry": [TEXT, {"changes": PHONE}]}),
        '{"object": "whatsapp_business_account", "entry": [' + TEXT,
        TEXT,
    ]
    for body in hostile:
        gateway.webhook("POST", body, x_hub_signature_256=sign(SECRETS["app_secret"], body.encode()))
        gateway.webhook("POST", body, x_hub_signature_256="sha256=" + TEXT)
    gateway.webhook(
        "GET", query={"hub.mode": "subscribe", "hub.verify_token": SECRETS["verify_token"], "hub.challenge": "1"}
    )
    gateway.webhook("GET", query={"hub.mode": TEXT, "hub.verify_token": "wrong " + TEXT})
    told.check("webhook.received", "webhook.refused")


def test_the_flow_runner(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails:
        def perform(self, *_: Any) -> EffectResult:
            return EffectResult(ok=False, error=f"unreachable: https://crm.example/{PHONE}?q={TEXT}")

    monkeypatch.setattr(flow_runner_wiring, "effects", Fails)
    flow_runner(
        batch(inbound("hi"), "{" + TEXT, {"contact_id": PHONE, "message": TEXT}, inbound(TEXT, received_at=TEXT)),
        LambdaContext(),
    )
    flow_runner(batch(inbound(TEXT, 2)), LambdaContext())

    class Breaks:
        def perform(self, *_: Any) -> EffectResult:
            try:
                raise KeyError(TEXT)
            except KeyError as error:
                raise ValueError(f"no {TEXT} of {PHONE} with {SECRETS['access_token']}") from error

    monkeypatch.setattr(flow_runner_wiring, "effects", Breaks)
    flow_runner_wiring.take_turn.cache_clear()
    for number, text in ((3, "hi"), (4, TEXT)):
        flow_runner(batch(inbound(text, number)), LambdaContext())
    told.check("turn.taken", "record.failed", "builtins.ValueError", "builtins.KeyError", "test_logs.py")


def outbound(**changes: Any) -> dict[str, Any]:
    messages = [{"type": "text", "text": TEXT}, {"type": "text", "text": NAME}]
    item = {
        "organization_id": "acme",
        "phone_number_id": NUMBER_ID,
        "contact_id": PHONE,
        "turn": 1,
        "messages": messages,
    }
    return {**item, "window_closes_at": 4e9, "queued_at": 4e9, **changes}


@pytest.mark.parametrize("failure", ["refused", "cut", "html", "token"])
def test_the_sender(told: Told, monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    def post(*_: Any, **__: Any) -> Any:
        if failure == "cut":
            raise httpx.ConnectError(f"https://graph.facebook.com/{PHONE} {SECRETS['access_token']} {TEXT}")
        if failure == "html":
            return httpx.Response(500, text=f"<html>{TEXT} {PHONE}")
        code = 190 if failure == "token" else 131026
        error = {"code": code, "message": f"{PHONE} {TEXT}", "error_data": {"details": SECRETS["access_token"]}}
        return httpx.Response(400, json={"error": error})

    monkeypatch.setattr(httpx.Client, "post", post)
    monkeypatch.setattr(httpx.Client, "send", post)
    monkeypatch.setattr(httpx.Client, "request", post)
    unreadable = ("{" + TEXT, {"contact_id": PHONE, "messages": TEXT})
    sender(batch(outbound(), *unreadable), LambdaContext())
    sender(batch(*unreadable, receive_count=UNREADABLE_RECEIVES), LambdaContext())
    told.check("delivery." if failure != "token" else "number.stopped", "delivery.unreadable")


def test_the_statuses(told: Told) -> None:
    key = ConversationKey("acme", NUMBER_ID, PHONE)
    error = {"code": 131026, "title": TEXT, "error_data": {"details": PHONE}}
    status = {"id": "wamid.HBgN", "status": "failed", "recipient_id": PHONE, "errors": [error], "timestamp": TEXT}
    item = {"organization_id": "acme", "phone_number_id": NUMBER_ID}
    statuses = [
        {**status, "biz_opaque_callback_data": callback_data(key, 1, 0)},
        {"status": TEXT},
        {**status, "errors": TEXT},
    ]
    foreign = {**status, "biz_opaque_callback_data": callback_data(ConversationKey("zoo", NUMBER_ID, PHONE), 1, 0)}
    bodies = ({**item, "statuses": [*statuses, foreign]}, "{" + TEXT, {**item, "statuses": TEXT})
    process_statuses(batch(*bodies), LambdaContext())
    told.check("statuses.", "record.failed")


def test_the_api(gateway: Gateway, told: Told) -> None:
    flow_runner(batch(inbound("hi")), LambdaContext())
    requests: list[tuple[str, str, Any]] = [
        ("POST", f"/api/v1/conversations/{PHONE}/send", {"text": TEXT, "unknown": PHONE}),
        ("POST", f"/api/v1/conversations/{PHONE}/send", {"text": [TEXT]}),
        ("POST", f"/api/v1/conversations/{PHONE}/send", {"text": TEXT}),
        ("GET", f"/api/v1/conversations/{PHONE}", None),
        ("GET", f"/api/v1/conversations/{PHONE}{TEXT.replace(' ', '')}", None),
        ("PUT", f"/api/v1/numbers/{PHONE}", {"access_token": [SECRETS["access_token"]], "app_secret": 1}),
        ("PUT", "/api/v1/secrets/token", {"value": [SECRETS["access_token"]]}),
        ("PUT", "/api/v1/secrets/token", {"value": SECRETS["access_token"]}),
        ("DELETE", f"/api/v1/contacts/{PHONE}", None),
    ]
    for method, path, body in requests:
        gateway.api(method, path, body, headers={"authorization": f"Bearer {TOKEN}"})
    told.check("contact.erased")


def test_when_aws_fails_everywhere(gateway: Gateway, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_client: Any, operation: str, request: Any) -> Any:
        answer: Any = {"Error": {"Code": "ValidationException", "Message": f"wrong: {request} {PHONE} {TEXT}"}}
        raise ClientError(answer, operation)

    (
        flow_runner_wiring.take_turn(),
        sender_wiring.deliver(),
        statuses_wiring.process_statuses(),
        webhook_wiring.receive_notification(),
    )
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", fails)
    body = notification(messages=[{"from": PHONE, "id": "wamid.HBgN", "type": "text", "text": {"body": TEXT}}])
    flow_runner(batch(inbound(TEXT)), LambdaContext())
    sender(batch(outbound()), LambdaContext())
    key = ConversationKey("acme", NUMBER_ID, PHONE)
    status = {"status": "sent", "biz_opaque_callback_data": callback_data(key, 1, 0)}
    process_statuses(
        batch({"organization_id": "acme", "phone_number_id": NUMBER_ID, "statuses": [status]}), LambdaContext()
    )
    for method, path in (("GET", f"/api/v1/conversations/{PHONE}"), ("DELETE", f"/api/v1/contacts/{PHONE}")):
        gateway.api(method, path, headers={"authorization": f"Bearer {TOKEN}"})
    for call in (
        lambda: scheduled({"job": "due"}, LambdaContext()),
        lambda: gateway.webhook("POST", body, x_hub_signature_256=sign(SECRETS["app_secret"], body.encode())),
    ):
        with contextlib.suppress(Exception):
            call()
    told.check("record.failed", "ValidationException")
