"""A number that its owner also uses in the phone app, read receipts and typing, through the handlers."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest

from functions.flow_runner.handler import handler as flow_runner
from functions.sender.handler import handler as sender
from functions.statuses.handler import handler as statuses
from pytake.conversation.records import ConversationKey
from pytake.effects.performer import NetworkEffectPerformer
from pytake.engine import Effect, EffectResult
from pytake.whatsapp import signature
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import FLOW, NUMBER, NUMBER_PATH

ANA, WABA, NUMBER_ID = "5511999999999", "102290129340398", "100000000000001"
TRANSCRIPT = f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript"
CALLING: dict[str, Any] = FLOW | {
    "start_node_id": "call",
    "nodes": [
        {
            "id": "call",
            "type": "api_call",
            "data": {"url": "https://x.io/", "output_variable": "x", "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "Done."}},
    ],
}


class Meta:
    """What Meta posts to the webhook, and what reaches it."""

    def __init__(self, gateway: Gateway) -> None:
        self.asked: list[dict[str, Any]] = []
        self._gateway = gateway

    def take(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Answer a request to the Graph API."""
        self.asked.append(json.loads(request.content))
        return httpx.Response(200, json={"messages": [{"id": "wamid.SENT"}], "success": True}, request=request)

    def post(self, field: str, value: dict[str, Any], *, of_number: bool = True) -> None:
        metadata = {"metadata": {"phone_number_id": NUMBER_ID, "display_phone_number": "551140000001"}}
        changed = {"field": field, "value": {**(metadata if of_number else {}), **value}}
        entry = {"id": WABA, "time": int(time.time()), "changes": [changed]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
        signed = signature.sign("demo-app-secret", body.encode())
        assert self._gateway.webhook("POST", body, x_hub_signature_256=signed).status == 200

    def say(self, text: str, id_: str) -> None:
        message = {"from": ANA, "id": id_, "timestamp": str(int(time.time())), "type": "text", "text": {"body": text}}
        self.post("messages", {"messages": [message]})

    def work(self, handler: Callable[[Any, Any], Any], queue: str) -> list[dict[str, Any]]:
        """Hand what waits in a queue to a function; the messages."""
        sqs, url = boto3.client("sqs"), self._gateway.queues[queue]
        found: list[Any] = []
        while more := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):
            records = [
                {
                    "messageId": one["MessageId"],
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "attributes": one["Attributes"],
                }
                for one in more
            ]
            assert handler({"Records": records}, LambdaContext()) == {"batchItemFailures": []}
            for one in more:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            found += more
        return found


@pytest.fixture
def meta(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Meta:
    meta = Meta(gateway)
    monkeypatch.setattr(httpx.Client, "send", lambda _, request, **more: meta.take(request, **more))
    return meta


def connect(gateway: Gateway, flow: dict[str, Any], **more: Any) -> None:
    assert gateway.api("PUT", "/api/v1/flows/hello", flow).status == 200
    assert gateway.api("POST", "/api/v1/flows/hello/publish").status == 200
    answer = gateway.api("PUT", NUMBER_PATH, NUMBER | {"waba_id": WABA, "coexists": True, **more})
    assert answer.status == 200, answer.body
    assert answer.body["coexists"] is True


def test_staff_history_and_contacts_of_the_phone_app_reach_rest(gateway: Gateway, meta: Meta) -> None:
    connect(gateway, FLOW)
    now = int(time.time())
    old = {"id": "wamid.H", "from": ANA, "timestamp": str(now - 3600), "type": "text", "text": {"body": "Open today?"}}
    meta.post("history", {"history": [{"threads": [{"id": ANA, "messages": [old]}]}]})
    echo = {"id": "wamid.E", "to": ANA, "timestamp": str(now), "type": "text", "text": {"body": "From nine."}}
    meta.post("smb_message_echoes", {"message_echoes": [echo]})
    about = {"phone_number": ANA, "full_name": "Ana Souza"}
    meta.post("smb_app_state_sync", {"state_sync": [{"type": "contact", "contact": about, "action": "add"}]})
    meta.work(flow_runner, "inbound")
    messages = gateway.api("GET", TRANSCRIPT).body["messages"]
    assert [(one["speaker"], one["author"], one["text"], one["turn"]) for one in messages] == [
        ("user", None, "Open today?", 0),
        ("agent", "phone_app", "From nine.", 2),
    ]
    assert gateway.api("GET", f"/api/v1/conversations/{ANA}").body["mode"] == "human"
    assert gateway.api("GET", f"/api/v1/contacts/{ANA}").body["name"] == "Ana Souza"
    assert gateway.api("DELETE", f"/api/v1/contacts/{ANA}").status in (200, 204)
    meta.post("history", {"history": [{"threads": [{"id": ANA, "messages": [old, {**old, "id": "wamid.H2"}]}]}]})
    meta.work(flow_runner, "inbound")
    assert gateway.api("GET", TRANSCRIPT).status == 404, "erased, and not imported again"


def test_the_end_of_coexistence_stops_the_number(gateway: Gateway, meta: Meta) -> None:
    connect(gateway, FLOW)
    meta.post("account_update", {"event": "ACCOUNT_OFFBOARDED", "phone_number": "551140000001"}, of_number=False)
    meta.work(statuses, "statuses")
    assert gateway.api("GET", NUMBER_PATH).body["stopped_reason"] == "account:ACCOUNT_OFFBOARDED"


def test_the_sender_posts_the_read_receipt_beside_the_answer(gateway: Gateway, meta: Meta) -> None:
    connect(gateway, FLOW)
    meta.say("Hi", "wamid.HI")
    meta.work(flow_runner, "inbound")
    assert len(meta.work(sender, "outbound")) == 1, "no queue item of its own"
    assert [one for one in meta.asked if "status" in one] == [
        {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HI"}
    ]
    assert [one["text"]["body"] for one in meta.asked if "status" not in one] == ["Hi!"]


def test_typing_is_asked_for_while_the_api_is(gateway: Gateway, meta: Meta, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(gateway, CALLING)
    typed: list[dict[str, Any]] = []

    def perform(_: Any, key: ConversationKey, effect: Effect) -> EffectResult:
        assert (key.contact_id, type(effect).__name__) == (ANA, "HttpRequest")
        while not typed:  # it is queued in a thread, beside the call
            meta.work(sender, "outbound")
            typed.extend(meta.asked)
        return EffectResult(ok=True, status=200, body="ok")

    monkeypatch.setattr(NetworkEffectPerformer, "perform", perform)
    meta.say("Hi", "wamid.HI")
    meta.work(flow_runner, "inbound")
    meta.work(sender, "outbound")
    receipt = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HI"}
    assert typed == [{**receipt, "typing_indicator": {"type": "text"}}]
    assert receipt in meta.asked
    assert [one["text"]["body"] for one in meta.asked if "status" not in one] == ["Done."]
