"""The export on the real adapters: killed at every request, run twice, run over one another: the same rows, once each."""

from typing import Any

import pytest

from pytake.conversation.lake_events import LakeEvent
from tests.analytics.dynamo_lake import ANA, BIA, HOUR, World, aws, clock, few_queries, table
from tests.fakes import FrozenClock

__all__ = ["aws", "clock", "few_queries", "table"]


@pytest.fixture
def world(table: Any, clock: FrozenClock) -> World:
    world = World(table, clock)
    world.export(300)
    for contact_id in (ANA, BIA):
        world.turn(contact_id, 1)
    clock.forward(HOUR)
    world.turn(ANA, 2)
    return world


def expected(world: World) -> list[str]:
    """The ids of all events of the three turns: what came in, what was reported, two messages, a delivery, a node."""
    ids = [row.event_id for row in world.rows()]
    assert len(ids) == len(set(ids)) == 3 * 6
    return ids


def fresh(world: World) -> None:
    """As if nothing had been exported yet."""
    world.lake.files.clear()
    world.table.item("LAKE", "EXPORT").delete()
    world.table.item("LAKE", "EXPORT#RUN").delete()


def test_killed_at_any_request_the_next_run_makes_it_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = world.table.connection
    real, asked = connection.dispatch, list[str]()

    def run(dies_at: int) -> None:
        def dispatch(operation: str, *more: Any) -> Any:
            asked.append(operation)
            if len(asked) == dies_at:
                raise SystemExit("killed")
            return real(operation, *more)

        asked.clear()
        with monkeypatch.context() as patched:
            patched.setattr(connection, "dispatch", dispatch)
            world.export(300)

    fresh(world)
    run(dies_at=0)
    whole, count = world.rows(), len(asked)
    ids = expected(world)
    assert count > 10
    for dies_at in range(1, count + 1):
        fresh(world)
        try:
            run(dies_at)
        except SystemExit:
            assert {row.event_id for row in world.rows()} <= set(ids)
        world.clock.forward(400)  # the lease of the dead run is over
        assert world.export(300).up_to_date
        assert world.rows() == whole, f"killed at request {dies_at} ({asked[-1]})"
        world.clock.forward(-400)


def test_a_run_that_outlives_its_lease_and_the_next_one_write_the_same(world: World) -> None:
    world.export(300)
    whole = world.rows()
    expected(world)
    fresh(world)
    put, inner = world.lake.put, list[bool]()

    def put_late(part: Any, events: Any) -> bool:
        if not inner:
            inner.append(True)  # in the middle of a run its lease ends, and another one does everything
            world.clock.forward(400)
            assert world.export(300).up_to_date
            world.clock.forward(-400)
        return put(part, events)

    world.lake.put = put_late  # type: ignore[method-assign]
    world.export(300)
    assert inner
    assert world.rows() == whole


def test_days_late_it_is_all_there(world: World) -> None:
    world.clock.forward(30 * HOUR)
    assert world.export(300).up_to_date
    expected(world)
    before: list[LakeEvent] = world.rows()
    assert world.export(300).files == 0
    assert world.rows() == before
