"""Events for integrators on their way: from the handlers to EventBridge, and what that costs."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError
from jsonschema import Draft202012Validator

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler as scheduled
from pytake.conversation.business_events import BusinessEvent, ConversationCompleted, ConversationStarted
from pytake.wiring import scheduled as wiring
from pytake.wiring import shared
from pytake.wiring.conversations import event_bus
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import NUMBER, NUMBER_PATH, QUESTION, inbound
from tests.functions.world import World


class Listener:
    """All requests of the handlers, and what EventBridge took."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.down = False
        self._heard: list[tuple[str, Any]] = []
        real = BaseClient._make_api_call  # type: ignore[attr-defined]

        def call(client: Any, operation: str, request: Any) -> Any:
            self.asked.append(operation)
            if operation == "PutEvents" and self.down:
                raise EndpointConnectionError(endpoint_url="https://events")
            answer = real(client, operation, request)
            if operation == "PutEvents":
                assert answer["FailedEntryCount"] == 0
                self._heard += [(entry["DetailType"], json.loads(entry["Detail"])) for entry in request["Entries"]]
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def heard(self) -> list[tuple[str, Any]]:
        found, self._heard = self._heard, []
        return found


@pytest.fixture
def listener(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Listener:
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    return Listener(monkeypatch)


def talk() -> None:
    for number, text in enumerate(("Hi", "Ana", "Recife"), start=1):
        assert flow_runner(inbound(text, number), LambdaContext()) == {"batchItemFailures": []}


def test_the_bus_hears_them_and_the_schema_reads_them(listener: Listener) -> None:
    talk()
    started, completed = listener.heard()
    assert [started[0], completed[0]] == ["conversation.started", "conversation.completed"]
    union: Any = ConversationStarted | ConversationCompleted
    details: list[BusinessEvent] = [msgspec.convert(detail, union) for _, detail in (started, completed)]
    assert {event.correlation_id for event in details} == {"0f8fad5b-d9cb-469f-a165-70867728950e"}
    assert [event.turn for event in details] == [1, 3]
    assert "Recife" not in json.dumps([started, completed])


def test_only_turns_with_something_to_tell_pay_for_it(listener: Listener) -> None:
    flow_runner(inbound("warm up", 9), LambdaContext())
    plain = ["GetItem", "TransactWriteItems", "SendMessage"]
    for number, (text, expected) in enumerate((("Ana", plain), ("Recife", [*plain, "PutEvents"])), start=10):
        listener.asked.clear()
        flow_runner(inbound(text, number), LambdaContext())
        assert listener.asked == expected


def two_minutes_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    now = shared.clock()
    monkeypatch.setattr(shared, "clock", lambda: now + 120)
    for built in (wiring.publish_late_events, event_bus):
        built.cache_clear()  # type: ignore[attr-defined]


def test_what_the_bus_did_not_take_is_told_by_the_clock(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    listener.down = True
    talk()
    assert listener.heard() == []
    listener.down = False
    two_minutes_pass(monkeypatch)
    assert scheduled({"job": "due"}, LambdaContext())["events_published"] == 2
    assert sorted(type_ for type_, _ in listener.heard()) == ["conversation.completed", "conversation.started"]
    assert scheduled({"job": "due"}, LambdaContext())["events_published"] == 0


ANA_PATH = "/api/v1/conversations/5511999999999"


def test_what_agents_do_is_told_with_who_did_it(listener: Listener, gateway: Gateway) -> None:
    World(gateway).says("Hi")
    listener.heard()

    def act(method: str, what: str, body: Any = None) -> None:
        assert gateway.api(method, f"{ANA_PATH}/{what}", body, role="agent", sub="agent-1").status == 200

    act("PUT", "assignment", {"assignee": "agent-2", "team": "sales", "tags": ["vip"]})
    act("PUT", "assignment", {"assignee": "agent-2", "team": "sales", "tags": ["vip"]})
    act("PUT", "assignment", {"snoozed_until": "2030-01-02T03:04:05Z", "priority": "urgent"})
    act("POST", "send", {"text": "Good morning"})
    act("POST", "resume")
    act("POST", "close", {"reason": "solved"})
    heard = listener.heard()
    assert [type_ for type_, _ in heard] == [
        "conversation.assignment_changed",
        "conversation.assignment_changed",
        "conversation.handed_off",
        "conversation.handed_back",
        "conversation.closed",
    ]
    assigned, snoozed, _, back, closed = (detail for _, detail in heard)
    assert assigned["before"] == {"assignee": None, "team": None, "tags": []}
    assert assigned["after"] == {"assignee": "agent-2", "team": "sales", "tags": ["vip"]}
    assert (assigned["organization_id"], assigned["contact_id"], assigned["turn"]) == ("acme", "5511999999999", 1)
    assert assigned["session_id"] == back["session_id"] == closed["session_id"]
    assert snoozed["before"] == {"assignee": "agent-2", "team": "sales", "tags": ["vip"], "priority": None} | {
        "snoozed_until": None
    }
    assert snoozed["after"]["snoozed_until"] == "2030-01-02T03:04:05.000Z"
    assert {detail["by"] for _, detail in heard} == {"agent-1"}
    assert len({detail["id"] for _, detail in heard}) == len(heard)
    assert all(detail["correlation_id"] for _, detail in heard)
    assert "morning" not in json.dumps(heard)
    validator = Draft202012Validator(json.loads(Path("docs/events.schema.json").read_text()))
    for _, detail in heard:
        validator.validate(detail)


def test_an_assignment_that_the_bus_did_not_take_is_told_by_the_clock(
    listener: Listener, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk()
    listener.heard()
    listener.down = True
    assert gateway.api("PUT", f"{ANA_PATH}/assignment", {"assignee": "agent-2"}, role="agent").status == 200
    listener.down = False
    two_minutes_pass(monkeypatch)
    assert scheduled({"job": "due"}, LambdaContext())["events_published"] == 1
    assert [type_ for type_, _ in listener.heard()] == ["conversation.assignment_changed"]
    assert scheduled({"job": "due"}, LambdaContext())["events_published"] == 0
