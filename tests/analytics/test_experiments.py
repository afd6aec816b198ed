"""The paths of random nodes: people counted by hand from events, and what disturbs an experiment."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytake.analytics.experiments import Experiments, FlowExperiments
from pytake.analytics.reports import Days
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.records import FlowVersion
from tests.analytics.in_process import LakeInProcess
from tests.fakes import FrozenClock, MemoryConversations, MemoryDeliveries, MemoryFlows, MemoryTenants
from tests.fakes.lake import MemoryEventLog

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()
FLOW: dict[str, Any] = {
    "id": "shop",
    "nodes": [
        {"id": "test", "type": "random", "data": {"paths": [{"id": "new", "weight": 1}, {"id": "old"}]}},
        {"id": "end", "type": "end", "data": {}},
    ],
}


class Told:
    """Events of people's sessions, in order."""

    def __init__(self) -> None:
        self.events: list[LakeEvent] = []

    def session(self, person: str, *steps: str, day: int = 10, number: int = 1) -> None:
        """`path:new`, `completed`, `handed_off`, `event:paid` or `node:end`, one after the other."""
        for at, step in enumerate(steps):
            kind, _, name = step.partition(":")
            more: dict[str, Any] = {}
            type_ = kind
            if kind in ("path", "node"):
                exit_ = step if kind == "path" else "next"
                node = "test" if kind == "path" else name
                type_, more = (
                    "node_entered",
                    {"node_flow_id": "shop", "node_id": node, "node_exit": exit_, "arrived": True},
                )
            elif kind == "event":
                type_, more = "emitted", {"code": name}
            self.events.append(
                LakeEvent(
                    event_id=f"{person}-{number:06d}-{at:03d}",
                    type=type_,  # type: ignore[arg-type]
                    happened_at=round(datetime(2026, 3, day, 12, tzinfo=UTC).timestamp() * 1000),
                    contact=person,
                    session=f"{person}{number}",
                    phone_number_id="1",
                    turn=number,
                    **more,
                )
            )


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., FlowExperiments]:
    def ask(told: Told, goal: str = "completed", effect: float = 0.1, **days: Any) -> FlowExperiments:
        flows = MemoryFlows()
        flows.put_draft("acme", FLOW, 1.0)
        flows.publish("acme", FlowVersion("shop", 1, 2.0, {"shop": FLOW}, "ana"), "Shop")
        log = MemoryEventLog(MemoryConversations(), MemoryDeliveries())
        lake = LakeInProcess(tmp_path, {"acme": told.events})
        experiments = Experiments(lake, log, MemoryTenants(), flows, FrozenClock(NOW))
        return experiments("acme", "shop", Days(**days), goal, effect)

    return ask


def paths(found: FlowExperiments) -> dict[str, tuple[int, int]]:
    [node] = found.nodes
    return {path.comparison.name: (path.comparison.people, path.comparison.reached) for path in node.paths}


def test_people_count_once_and_by_their_first_path(report: Callable[..., FlowExperiments]) -> None:
    told = Told()
    told.session("ana", "path:new", "node:end", "completed")
    told.session("ana", "path:new", number=2)
    told.session("bia", "path:old", "event:paid")
    told.session("caio", "path:old", "completed", number=1)
    told.session("dora", "completed", "path:new")  # reached before the path was taken
    told.session("eva", "path:new", "completed", day=1)
    told.session("fabio", "path:old", "path:new", "completed")
    told.session("gil", "path:old", number=1)
    told.session("gil", "path:new", "handed_off", number=2)
    found = report(told, count=15)
    assert paths(found) == {"new": (2, 1), "old": (2, 1)}
    [node] = found.nodes
    assert (node.node_id, node.people_in_several_paths, node.experiment.sample_ratio_mismatch) == ("test", 2, False)
    assert [path.weight for path in node.paths] == [1, 1]
    assert node.experiment.people_needed == 746
    assert {path.comparison.verdict for path in node.paths[1:]} == {"too_early"}


@pytest.mark.parametrize(
    ("goal", "reached"), [("event:paid", (0, 1)), ("node:end", (1, 0)), ("handed_off", (1, 0)), ("event:other", (0, 0))]
)
def test_a_goal_is_an_event_a_node_or_an_agent(
    report: Callable[..., FlowExperiments], goal: str, reached: tuple[int, int]
) -> None:
    told = Told()
    told.session("ana", "path:new", "node:end", "handed_off")
    told.session("bia", "path:old", "event:paid")
    found = paths(report(told, goal))
    assert (found["new"][1], found["old"][1]) == reached


def test_a_difference_and_a_wrong_division_are_seen(report: Callable[..., FlowExperiments]) -> None:
    told = Told()
    for person in range(600):
        path = "new" if person % 3 == 0 else "old"
        reaches = person % 2 if path == "new" else person % 8 == 1
        told.session(f"p{person:03d}", f"path:{path}", *(["completed"] if reaches else []))
    [node] = report(told).nodes
    new, old = (path.comparison for path in node.paths)
    assert (new.people, old.people) == (200, 400)
    assert (old.verdict, node.experiment.sample_ratio_mismatch) == ("worse", True)
    assert old.difference is not None
    assert old.difference.high < 0


def test_nothing_happened_and_another_flow(report: Callable[..., FlowExperiments]) -> None:
    told = Told()
    told.session("ana", "path:new", day=1)
    assert report(told, count=3).nodes == []
    with pytest.raises(UnknownFlowError):
        Experiments(
            LakeInProcess.__new__(LakeInProcess),
            MemoryEventLog(MemoryConversations(), MemoryDeliveries()),
            MemoryTenants(),
            MemoryFlows(),
            FrozenClock(NOW),
        )("acme", "nothing", Days(), "completed", 0.02)
