"""The latest conversations with a flow, replayed on a draft of it: what would change, and who may read it."""

import json
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from pytake.wiring import flow_tests, shared
from tests.functions.conftest import Answer, running_gateway
from tests.functions.samples import QUESTION
from tests.functions.world import ANA, BIA, World

REPLAY = "/api/v1/flows/hello/replay"
OTHER_CITY = json.loads(json.dumps(QUESTION).replace("Your city?", "Where do you live, {{name}}?"))
NO_CITY = json.loads(json.dumps(QUESTION).replace('"next_node_id": "city"', '"next_node_id": "end"'))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Ana came to the end of the flow; Bia said her name."""
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "replays") as gateway:
        world = World(gateway)
        for text in ("hi", "Ana", "Recife"):
            world.says(text)
        for text in ("hi", "Bia"):
            world.says(text, BIA)
        world.says("hi", "5511977777777", number="100000000000003", org="globex")
        yield world


PEOPLE = count()


def replay(
    world: World, document: dict[str, Any] | None = None, *, role: str = "admin", person: str = "", **body: Any
) -> Answer:
    """Ask as a person who has not asked before, unless one is named."""
    asked = {**body, **({"document": document} if document is not None else {})}
    return world.api("POST", REPLAY, asked, role=role, sub=person or f"person-{next(PEOPLE)}")


def test_an_unchanged_flow_answers_as_it_did(world: World) -> None:
    answer = replay(world)
    assert answer.status == 200, answer.body
    assert answer.body == {"same": 2, "different": 0, "blocked": 0, "complete": True, "differences": []}


def test_a_changed_text_is_found_in_the_turn_that_says_it(world: World) -> None:
    body = replay(world, OTHER_CITY).body
    assert (body["same"], body["different"]) == (0, 2)
    for number, found in enumerate(body["differences"], 1):
        assert (found["number"], found["turn"], found["node_id"], found["part"]) == (number, 2, "city", "messages")
        assert found["recorded"] == ["Your city?"]
    assert {found["now"][0] for found in body["differences"]} == {
        "Where do you live, Ana?",
        "Where do you live, Bia?",
    }


def test_a_builder_learns_where_but_reads_no_text_and_no_person(world: World) -> None:
    answer = replay(world, OTHER_CITY, role="builder")
    assert answer.body["different"] == 2
    assert [(found["recorded"], found["now"]) for found in answer.body["differences"]] == [(None, None)] * 2
    said = json.dumps(answer.body)
    for person in (ANA, BIA, "Ana", "Bia", "Recife"):
        assert person not in said


def test_another_way_is_said_with_its_end(world: World) -> None:
    body = replay(world, NO_CITY, role="builder").body
    assert body["different"] == 2
    found = body["differences"][0]
    assert (found["turn"], found["part"], found["recorded"], found["now"]) == (2, "status", ["waiting"], ["completed"])
    assert found["node_id"] == "end"


def test_the_number_of_conversations_is_limited(world: World) -> None:
    body = replay(world, limit=1).body
    assert (body["same"], body["complete"]) == (1, False)


def test_without_time_the_rest_is_not_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 9.0])
    monkeypatch.setattr("pytake.wiring.flow_tests.time", SimpleNamespace(monotonic=lambda: next(times, 9.0)))
    flow_tests.replay_recent.cache_clear()  # type: ignore[attr-defined]
    body = replay(world).body
    flow_tests.replay_recent.cache_clear()  # type: ignore[attr-defined]
    assert (body["same"], body["complete"]) == (1, False)


def test_conversations_of_before_are_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = shared.clock() + 3 * 86400
    monkeypatch.setattr(shared, "clock", lambda: later)
    assert replay(world, days=2).body["same"] == 0
    assert replay(world, days=4).body["same"] == 2


@pytest.mark.parametrize(("role", "status"), [("builder", 200), ("agent", 403), ("analyst", 403)])
def test_replays_are_for_builders(world: World, role: str, status: int) -> None:
    assert replay(world, role=role).status == status


def test_an_organization_replays_only_its_own(world: World) -> None:
    body = world.api("POST", REPLAY, {}, org="globex").body
    assert (body["same"], body["different"]) == (1, 0)
    assert world.api("POST", REPLAY, {}, org="other").body["code"] == "flow_unknown"


def test_a_draft_with_errors_is_refused(world: World) -> None:
    refused = replay(world, QUESTION | {"nodes": QUESTION["nodes"][:1]})
    assert (refused.status, refused.body["code"]) == (422, "flow_has_errors")


def test_a_person_may_replay_once_a_second(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = shared.clock()
    monkeypatch.setattr(shared, "clock", lambda: now)
    assert [replay(world, person="Rita").status for _ in range(2)] == [200, 429]
