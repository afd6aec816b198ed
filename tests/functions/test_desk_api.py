"""What agents share: teams, canned replies with the values of a person, and why a session was closed."""

import json
from collections.abc import Iterator

import pytest

from tests.functions.conftest import running_gateway
from tests.functions.samples import FLOW
from tests.functions.world import ANA, World

TEAMS = {"teams": {"Sales": {"name": "Sales team", "members": ["agent-1", "agent-2"]}}}
REPLY = {"title": "Ready", "text": "Hello {{contact.name}}, {{product|upper}} for {{constants.shop}} is ready."}


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "desk") as gateway:
        yield World(gateway)


def test_teams_are_stored_and_replaced(world: World) -> None:
    assert world.api("GET", "/api/v1/teams", role="agent").body == {"teams": {}}
    stored = world.api("PUT", "/api/v1/teams", TEAMS)
    assert (stored.status, stored.body, stored.headers["etag"]) == (200, TEAMS, '"1"')
    assert world.api("GET", "/api/v1/teams", role="agent").body == TEAMS
    assert world.api("PUT", "/api/v1/teams", TEAMS, role="agent").status == 403
    assert world.api("PUT", "/api/v1/teams", {"teams": {}}).body == {"teams": {}}


def test_two_people_do_not_overwrite_each_others_list(world: World) -> None:
    first = world.api("PUT", "/api/v1/teams", TEAMS, headers={"If-Match": '"0"'})
    assert first.status == 200
    for stale in ('"0"', '"2"'):
        late = world.api("PUT", "/api/v1/teams", {"teams": {}}, headers={"If-Match": stale})
        assert (late.status, late.body["code"]) == (412, "desk_changed")
    assert world.api("GET", "/api/v1/teams").body == TEAMS
    assert world.api("PUT", "/api/v1/teams", {"teams": {}}, headers={"If-Match": '"1"'}).headers["etag"] == '"2"'


def test_a_canned_reply_has_the_values_of_the_person(world: World) -> None:
    flow = FLOW | {
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "ask"}},
            {"id": "ask", "type": "question", "data": {"question": "What?", "variable": "product"}},
            {"id": "agents", "type": "handoff", "data": {}},
        ]
    }
    flow["nodes"][1]["data"]["next_node_id"] = "agents"
    world.api("PUT", "/api/v1/flows/hello", flow)
    assert world.api("POST", "/api/v1/flows/hello/publish").status == 200
    world.api("PUT", "/api/v1/organization", {"constants": {"shop": "Lojinha"}})
    assert world.api("PUT", "/api/v1/canned-replies", {"replies": {"ready/1": REPLY}}).status in (400, 422)
    assert world.api("PUT", "/api/v1/canned-replies", {"replies": {"está pronto": REPLY}}, role="agent").status == 200
    world.says("Hi")
    world.says("a cake")
    address = f"/api/v1/conversations/{ANA}/canned-replies/est%C3%A1%20pronto"
    shown = world.api("GET", address, role="agent")
    assert shown.status == 200, shown.body
    assert shown.body == {"text": "Hello Ana, A CAKE for Lojinha is ready."}
    unknown = world.api("GET", f"/api/v1/conversations/{ANA}/canned-replies/gone", role="agent")
    assert (unknown.status, unknown.body["code"]) == (404, "canned_reply_unknown")


def test_a_canned_reply_with_a_wrong_expression_is_refused(world: World) -> None:
    wrong = world.api(
        "PUT", "/api/v1/canned-replies", {"replies": {"bad": REPLY | {"text": "Hi {{contact.name|shout}}"}}}
    )
    assert (wrong.status, wrong.body["code"], wrong.body["field"]) == (
        422,
        "canned_reply_invalid",
        "replies.bad.text",
    )
    assert world.api("GET", "/api/v1/canned-replies").body == {"replies": {}}


def test_a_session_is_closed_with_a_reason(world: World) -> None:
    world.says("Hi")
    assert world.api("POST", f"/api/v1/conversations/{ANA}/close", {"reason": "call 5511"}, role="agent").status == 422
    closed = world.api("POST", f"/api/v1/conversations/{ANA}/close", {"reason": "solved"}, role="agent", sub="eve")
    assert closed.status == 200, closed.body
    written = world.api("GET", f"/api/v1/conversations/{ANA}/records").body
    records = [json.loads(line) for line in written.splitlines()]
    [event] = [event for record in records for event in record["events"] if event["type"] == "session_closed"]
    assert (event["data"]["by"], event["data"]["reason"]) == ("eve", "solved")
