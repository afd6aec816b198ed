"""Sequences by REST, through the handlers, to the follow-up that the scheduled function starts."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.flow_runner.handler import handler as flow_runner
from functions.scheduled.handler import handler as scheduled
from pytake.wiring import scheduled as wiring
from pytake.wiring import shared
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import inbound_event
from tests.functions.world import ANA, FIRST, World

ADDRESS = "/api/v1/sequences/reminders"
TEMPLATE = {
    "name": "soon",
    "language": "pt-BR",
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{contact.appointment}}"}]}],
    "category": "utility",
}
BODY: dict[str, Any] = {
    "name": "Reminders",
    "phone_number_id": FIRST,
    "on": {"field": "appointment"},
    "steps": [{"days": -2, "at": "10:00", "template": TEMPLATE, "flow_id": "hello"}],
}

OPT_OUT = {"service": {"state": "withdrawn", "source": "phone call"}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the handlers."""
    at = [datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()]
    monkeypatch.setattr(shared, "clock", lambda: at[0])
    return at


@pytest.fixture
def world(clock: list[float], gateway: Gateway) -> World:
    return World(gateway)


def test_a_sequence_is_stored_listed_replaced_and_removed(world: World) -> None:
    stored = world.api("PUT", ADDRESS, BODY, role="builder")
    assert stored.status == 200, stored.body
    step = BODY["steps"][0] | {"hours": 0, "parameters": {}, "template": TEMPLATE | {"language": "pt_BR"}}
    whole = BODY | {"id": "reminders", "steps": [step], "enabled": True, "until_answer": True, "revision": 1}
    assert stored.body == whole | {"on": {"field": "appointment", "event": None}}
    assert world.api("GET", ADDRESS, role="builder").body == stored.body
    assert world.api("GET", "/api/v1/sequences", role="builder").body == {"sequences": [stored.body]}
    assert world.api("GET", "/api/v1/sequences", org="globex").body == {"sequences": []}
    assert world.api("PUT", ADDRESS, BODY | {"enabled": False}).body["revision"] == 2
    assert world.api("DELETE", ADDRESS).status == 204
    gone = world.api("DELETE", ADDRESS)
    assert (gone.status, gone.body["code"]) == (404, "sequence_unknown")
    assert world.api("GET", ADDRESS).body["code"] == "sequence_unknown"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"phone_number_id": "100000000000003"}, 404, "number_unknown"),
        ({"on": {}}, 422, "invalid_request"),
        ({"on": {"field": "appointment", "event": "no_answer"}}, 422, "invalid_request"),
        ({"on": {"event": "no_answer"}}, 422, "invalid_request"),
        ({"steps": []}, 422, "invalid_request"),
        ({"steps": [{"days": -2}]}, 422, "invalid_request"),
        ({"steps": [{"at": "24:00", "flow_id": "hello"}]}, 422, "invalid_request"),
        ({"steps": [{"flow_id": "nothing"}]}, 404, "flow_unknown"),
        ({"steps": [{"template": TEMPLATE | {"components": [{"text": "{{x | no}}"}]}}]}, 422, "invalid_request"),
    ],
)
def test_a_sequence_that_cannot_start_anything_is_refused(
    world: World, change: dict[str, Any], status: int, code: str
) -> None:
    answer = world.api("PUT", ADDRESS, BODY | change)
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert world.api("GET", "/api/v1/sequences").body == {"sequences": []}


def test_the_scheduled_function_starts_the_follow_up_that_is_due(world: World, clock: list[float]) -> None:
    assert world.api("PUT", ADDRESS, BODY).status == 200
    fields = {"appointment": "2026-12-10"}
    assert world.api("PUT", f"/api/v1/contacts/{ANA}", {"name": "Ana", "fields": fields}).status in (200, 201)
    assert scheduled({"job": "due"}, LambdaContext())["follow_ups"] == {
        "started": 0,
        "skipped": 0,
        "moved": 0,
        "planned": 1,
    }
    clock[0] = datetime(2026, 12, 8, 10, tzinfo=UTC).timestamp()
    assert scheduled({"job": "due"}, LambdaContext())["follow_ups"]["started"] == 1
    assert scheduled({"job": "due"}, LambdaContext())["follow_ups"]["started"] == 0
    (message,) = boto3.client("sqs").receive_message(QueueUrl=world.gateway.queues["inbound"])["Messages"]
    assert flow_runner(inbound_event(json.loads(message["Body"])), LambdaContext()) == {"batchItemFailures": []}
    assert world.api("GET", f"/api/v1/conversations/{ANA}").body["flow_id"] == "hello"


def test_the_next_follow_ups_are_shown_and_who_gets_them_to_admins_only(world: World) -> None:
    steps = [{"days": -2, "at": "10:00", "flow_id": "hello"}, {"days": -1, "at": "10:00", "flow_id": "hello"}]
    assert world.api("PUT", ADDRESS, BODY | {"steps": steps, "enabled": False}).status == 200
    people = {ANA: "2026-12-10", "5511900000001": "2026-12-01", "5511900000002": "2026-11-01", "5511900000003": "soon"}
    for phone, day in people.items():
        world.api("PUT", f"/api/v1/contacts/{phone}", {"name": phone, "fields": {"appointment": day}})
    gone = world.api("PUT", "/api/v1/contacts/5511900000004", {"fields": {"appointment": "2026-12-10"}})
    assert gone.status == 200
    assert world.api("PUT", "/api/v1/contacts/5511900000004/consent", OPT_OUT).status == 200
    found = world.api("GET", f"{ADDRESS}/preview").body
    assert [(one["contact"]["name"], one["step"], one["due_at"]) for one in found["follow_ups"]] == [
        (ANA, 0, "2026-12-08T10:00:00Z"),
        (ANA, 1, "2026-12-09T10:00:00Z"),
    ]
    assert (found["total"], found["complete"]) == (2, True)
    few = world.api("GET", f"{ADDRESS}/preview", query={"limit": "1"}, role="builder").body
    assert few == {"follow_ups": [{**found["follow_ups"][0], "contact": None}], "total": 2, "complete": True}
    assert world.api("GET", f"{ADDRESS}/preview", role="agent").status == 403
    assert world.api("GET", f"{ADDRESS}/preview", org="globex").body["code"] == "sequence_unknown"


def test_a_silence_is_not_known_beforehand(world: World) -> None:
    silence = BODY | {"on": {"event": "no_answer"}, "steps": [{"days": 1, "flow_id": "hello"}]}
    assert world.api("PUT", ADDRESS, silence).status == 200
    assert world.api("GET", f"{ADDRESS}/preview").body == {"follow_ups": [], "total": 0, "complete": True}


def test_a_sequence_does_not_take_a_file_that_cannot_be_sent_and_keeps_its_own(world: World) -> None:
    content = base64.b64encode(b"\xff\xd8\xff\xe0 picture").decode()
    picture = {"mime_type": "image/jpeg", "content": content, "keep": True}
    file_id = world.api("POST", "/api/v1/media", picture, role="builder").body["id"]

    def body(id_: str, kind: str = "image", **more: Any) -> dict[str, Any]:
        component = {"type": "header", "parameters": [{"type": kind, kind: {"id": id_}}]}
        return BODY | {"steps": [{"days": -2, "template": TEMPLATE | {"components": [component]}}]} | more

    assert world.api("PUT", ADDRESS, body("file-" + "0" * 32)).body["code"] == "media_unknown"
    assert world.api("PUT", ADDRESS, body(file_id, "document")).body["code"] == "media_unsupported"
    assert world.api("PUT", ADDRESS, body(file_id)).status == 200
    kept = world.api("DELETE", f"/api/v1/media/{file_id}", role="builder")
    assert (kept.status, kept.body["code"], kept.body["sequences"]) == (409, "media_in_use", ["reminders"])
    assert world.api("PUT", ADDRESS, body(file_id, enabled=False)).status == 200
    assert world.api("DELETE", f"/api/v1/media/{file_id}", role="builder").status == 204


def test_another_time_zone_of_the_organization_plans_the_dates_again(world: World, clock: list[float]) -> None:
    step = {"days": 0, "at": "10:00", "template": TEMPLATE, "flow_id": "hello"}
    assert world.api("PUT", ADDRESS, BODY | {"steps": [step]}).status == 200
    world.api("PUT", f"/api/v1/contacts/{ANA}", {"name": "Ana", "fields": {"appointment": "2026-12-02"}})
    scheduled({"job": "due"}, LambdaContext())
    assert world.api("PUT", "/api/v1/organization", {"timezone": "Asia/Tokyo"}).status == 200
    clock[0] += 60
    scheduled({"job": "due"}, LambdaContext())
    (planned,) = wiring.follow_ups().due(clock[0] + 7 * 86_400)
    assert planned.due_at == datetime(2026, 12, 2, 1, tzinfo=UTC).timestamp()
