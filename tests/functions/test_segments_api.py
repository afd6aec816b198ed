"""Segments over REST."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytake.contacts import manage_segments, reading
from pytake.wiring import api as wiring
from tests.functions.conftest import Answer, running_gateway
from tests.functions.world import ANA, World

SEGMENTS = "/api/v1/segments"
VIPS = {
    "name": "VIPs of Recife",
    "all": [
        {"field": "tags", "operator": "contains", "value": "vip"},
        {"field": "fields.city", "operator": "==", "value": "Recife"},
    ],
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "segments") as gateway:
        yield World(gateway)


@pytest.fixture
def org(request: pytest.FixtureRequest) -> str:
    """An organization without any contact."""
    return f"org-{abs(hash(request.node.name))}"


def put(world: World, org: str, segment_id: str = "vips", **settings: Any) -> Answer:
    answer = world.api("PUT", f"{SEGMENTS}/{segment_id}", {**VIPS, **settings}, org=org)
    assert answer.status == 200, answer.body
    return answer


def add(world: World, org: str, count: int = 1, **settings: Any) -> None:
    for index in range(count):
        given = {"tags": ["vip"], "fields": {"city": "Recife"}, **settings}
        phone = f"55119{len(settings):02d}{index:06d}"
        assert world.api("PUT", f"/api/v1/contacts/{phone}", given, org=org).status == 200


def test_a_segment_is_stored_and_read_back(world: World, org: str) -> None:
    condition = {"field": "flow.completed", "operator": "==", "value": "signup", "days": 30}
    since = {"field": "last_activity", "operator": ">=", "value": {"days_ago": 7}}
    query = {"name": "reached_node", "parameters": {"flow_id": "signup", "node_id": "done", "days": 7}}
    stored = put(world, org, any=[condition, since], query=query)
    read = world.api("GET", f"{SEGMENTS}/vips", org=org)
    assert read.body == stored.body
    assert (stored.headers["etag"], stored.body["id"], stored.body["query"]) == ('"1"', "vips", query)
    assert stored.body["any"] == [{**condition}, {**since, "days": None}]
    listed = world.api("GET", SEGMENTS, org=org, role="analyst").body
    assert listed == {"segments": [stored.body]}


def test_a_change_may_require_what_it_changes(world: World, org: str) -> None:
    missing = world.api("PUT", f"{SEGMENTS}/vips", VIPS, org=org, headers={"if-match": "*"})
    assert (missing.status, missing.body["code"]) == (412, "segment_changed")
    put(world, org)
    put(world, org, name="Other")
    late = world.api("PUT", f"{SEGMENTS}/vips", VIPS, org=org, headers={"if-match": '"1"'})
    assert (late.status, late.headers["etag"]) == (412, '"2"')
    assert world.api("PUT", f"{SEGMENTS}/vips", VIPS, org=org, headers={"if-match": '"2"'}).status == 200


def test_a_deleted_segment_is_gone(world: World, org: str) -> None:
    put(world, org)
    assert world.api("DELETE", f"{SEGMENTS}/vips", org=org).status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/count"), ("GET", "/preview")):
        answer = world.api(method, f"{SEGMENTS}/vips{path}", org=org)
        assert (answer.status, answer.body["code"]) == (404, "segment_unknown")


def test_a_count_is_of_the_contacts_as_they_are_now(world: World, org: str) -> None:
    put(world, org)
    assert world.api("GET", f"{SEGMENTS}/vips/count", org=org).body["count"] == 0
    add(world, org, 3)
    add(world, org, 2, tags=["new"])
    answer = world.api("GET", f"{SEGMENTS}/vips/count", org=org, role="analyst")
    assert (answer.status, answer.body["count"], answer.body["seen"]) == (200, 3, 5)


def test_a_preview_shows_contacts_to_those_who_may_see_them(world: World, org: str) -> None:
    put(world, org)
    add(world, org, 3)
    answer = world.api("GET", f"{SEGMENTS}/vips/preview", org=org, role="agent", query={"limit": "2"}).body
    assert (len(answer["contacts"]), answer["complete"]) == (2, False)
    assert answer["contacts"][0]["fields"] == {"city": "Recife"}
    whole = world.api("GET", f"{SEGMENTS}/vips/preview", org=org).body
    assert (len(whole["contacts"]), whole["complete"]) == (3, True)
    assert world.api("GET", f"{SEGMENTS}/vips/preview", org=org, role="analyst").status == 403


def test_the_last_message_is_that_of_the_conversation(world: World) -> None:
    put(world, "acme", "active", all=[{"field": "last_activity", "operator": ">=", "value": {"days_ago": 2}}])
    put(world, "acme", "silent", all=[{"field": "last_activity", "operator": "<", "value": {"days_ago": 2}}])
    world.says("hello", ANA)
    counts = [world.api("GET", f"{SEGMENTS}/{one}/count").body["count"] for one in ("active", "silent")]
    assert counts == [1, 0]


def test_a_long_count_continues_with_each_request(world: World, org: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr(reading.listed_chunks, "__defaults__", (None, 2, None))
    managed = wiring.manage_segments()
    monkeypatch.setattr(managed, "_timer", lambda: float(next(ticks)))
    monkeypatch.setattr(manage_segments, "COUNT_SECONDS", 1.5)
    now = 1_770_000_000.0
    monkeypatch.setattr(managed, "_clock", lambda: now)
    put(world, org)
    add(world, org, 7)
    first = world.api("GET", f"{SEGMENTS}/vips/count", org=org)
    assert (first.status, first.body["count"], first.body["seen"], first.headers["retry-after"]) == (202, None, 4, "1")
    assert world.api("GET", f"{SEGMENTS}/vips/count", org=org).body["seen"] == 7
    second = world.api("GET", f"{SEGMENTS}/vips/count", org=org)
    assert (second.status, second.body["count"]) == (200, 7)
    add(world, org, 2, language="en")
    now += 299
    assert world.api("GET", f"{SEGMENTS}/vips/count", org=org).body == second.body
    now += 2
    stale = world.api("GET", f"{SEGMENTS}/vips/count", org=org)
    assert (stale.status, stale.body["count"], stale.body["as_of"]) == (200, 7, second.body["as_of"])
    again = [world.api("GET", f"{SEGMENTS}/vips/count", org=org).body["count"] for _ in range(2)]
    assert again[-1] == 9
    put(world, org, name="Changed")
    assert world.api("GET", f"{SEGMENTS}/vips/count", org=org).status == 202


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"all": [{"field": "cpf", "operator": "==", "value": 1}]}, "all.0.field"),
        ({"any": [{"field": "tags", "operator": "like", "value": 1}]}, "any.0.operator"),
        ({"all": [{"field": "flow.completed", "operator": "==", "value": 7}]}, "all.0.value"),
        ({"query": {"name": "select"}}, "query.name"),
        ({"query": {"name": "answered", "parameters": {"sql": "1"}}}, "query.parameters.sql"),
        ({"query": {"name": "reached_node", "parameters": {"flow_id": "a"}}}, "query.parameters.node_id"),
        (
            {"query": {"name": "reached_node", "parameters": {"flow_id": "a", "node_id": "b", "days": 0}}},
            "query.parameters.days",
        ),
    ],
)
def test_a_segment_that_is_not_valid_is_refused(world: World, org: str, settings: dict[str, Any], field: str) -> None:
    answer = world.api("PUT", f"{SEGMENTS}/vips", {**VIPS, **settings}, org=org)
    assert (answer.status, answer.body["code"], answer.body["field"]) == (422, "segment_invalid", field)
    assert world.api("GET", f"{SEGMENTS}/vips", org=org).status == 404


def test_an_organization_has_a_bounded_number_of_segments(
    world: World, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manage_segments, "MOST_SEGMENTS", 1)
    put(world, org)
    put(world, org, name="Changed")
    answer = world.api("PUT", f"{SEGMENTS}/more", VIPS, org=org)
    assert (answer.status, answer.body["code"]) == (422, "segments_full")
