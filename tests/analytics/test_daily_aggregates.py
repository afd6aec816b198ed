"""Daily aggregates: made once, made again when events change, seen whole or not at all, whatever becomes of a run."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pytake.analytics.aggregate import AggregateDays, AggregationResult
from pytake.aws.daily_aggregates import STAGING, S3DailyAggregates, aggregates_key
from pytake.aws.lake import S3Lake
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.ports.lake import DayInProgress, QueryFailedError
from tests.fakes import FrozenClock, MemoryConversations, MemoryDeliveries
from tests.fakes.lake import MemoryEventLog
from tests.lake import LakeOnAws

DAY, HOUR = 86_400, 3600
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()


def event(at: float, number: int, type_: Any = "message_in", **columns: Any) -> LakeEvent:
    base = {"contact": "c", "session": f"s{number}", "phone_number_id": "1", "turn": 1}
    return LakeEvent(event_id=f"{at:.0f}-{number}", type=type_, happened_at=int(at * 1000), **(base | columns))


def merged_by_duckdb(parts: Sequence[Path], whole: Path) -> None:
    """What arro3, which only the function's own layer has, does there (tests/build)."""
    listed = ", ".join(f"'{part}'" for part in parts)
    duckdb.connect().execute(f"COPY (FROM read_parquet([{listed}])) TO '{whole}' (FORMAT parquet)")


class World:
    def __init__(self, lake: LakeOnAws) -> None:
        self.lake = lake
        self.clock = FrozenClock(NOON)
        self.log = MemoryEventLog(MemoryConversations(), MemoryDeliveries())
        self.queries = lake.queries()
        self.figures = S3DailyAggregates(lake.s3, lake.bucket, self.queries, merge=merged_by_duckdb)
        self.measured: list[tuple[str, float]] = []
        self.settle(80)
        for organization_id in ("acme", "zoo"):
            for day in (5, 4, 1):
                self.lake.put(organization_id, [event(NOON - day * DAY, day), event(NOON - day * DAY + HOUR, day)])

    def settle(self, hours_ago: float) -> None:
        self.log.stored.through["settled"] = int(self.clock() - hours_ago * HOUR) // HOUR * HOUR

    def run(self, figures: Any = None, out_of_time: Callable[[], bool] = lambda: False) -> AggregationResult:
        lake = S3Lake(self.lake.s3, self.lake.bucket)
        aggregate = AggregateDays(
            self.log,
            lake,
            figures or self.figures,
            self.clock,
            lambda *record_metric: self.measured.append(record_metric),
        )
        return aggregate(datetime.fromtimestamp(self.clock(), UTC), out_of_time)

    def day(self, days_ago: int) -> str:
        return datetime.fromtimestamp(self.clock() - days_ago * DAY, UTC).date().isoformat()

    def keys(self, prefix: str) -> list[str]:
        found = self.lake.s3.list_objects_v2(Bucket=self.lake.bucket, Prefix=prefix).get("Contents", [])
        return [file["Key"] for file in found]

    def messages(self, organization_id: str = "acme") -> int:
        rows = self.queries.rows(
            "SELECT sum(messages_in) AS messages FROM daily WHERE organization_id = ?",
            [f"'{organization_id}'"],
            str(self.lake.s3.list_objects_v2(Bucket=self.lake.bucket, Prefix="daily/").get("Contents")),
        )
        return int(rows[0]["messages"] or 0)


@pytest.fixture
def world(new_lake: Callable[[], LakeOnAws]) -> Iterator[World]:
    return World(new_lake())


def test_each_day_has_one_file_and_nothing_is_left_behind(world: World) -> None:
    assert (world.run().made, world.messages()) == (6, 6)
    days = [world.day(ago) for ago in (5, 4, 1)]
    assert world.keys("daily/") == [aggregates_key(org, day) for org in ("acme", "zoo") for day in days]
    assert world.keys(STAGING) == []


def test_the_same_run_again_does_nothing_and_settled_days_are_not_looked_at_any_more(world: World) -> None:
    first = world.run()
    assert (first.checked, first.settled_through) == (6, world.day(4))
    again = world.run()
    assert (again.checked, again.made, again.settled_through) == (2, 0, world.day(4))


def test_what_comes_late_is_picked_up(world: World) -> None:
    world.run()
    yesterday = NOON - DAY
    world.lake.put("acme", [event(yesterday, 1), event(yesterday + 60, 7)])  # the hour, written once more
    assert (world.run().made, world.messages()) == (1, 7)


def test_a_day_is_over_before_it_is_made(world: World) -> None:
    world.lake.put("acme", [event(NOON - HOUR, 9)])
    world.run()
    assert aggregates_key("acme", world.day(0)) not in world.keys("daily/")


class DyingS3:
    """The process dies before the file of a day is copied to its place, or after it, and deletes nothing."""

    def __init__(self, s3: Any, at: str) -> None:
        self._s3, self._at = s3, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def copy_object(self, **request: Any) -> None:
        if self._at == "after":
            self._s3.copy_object(**request)
        raise SystemExit("killed")

    def delete_object(self, **_: Any) -> None:
        raise SystemExit("killed")


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_run_that_dies_shows_the_old_figures_or_the_new_ones(world: World, at: str) -> None:
    world.run()
    world.lake.put("acme", [event(NOON - DAY, 1), event(NOON - DAY + 60, 7), event(NOON - DAY + 90, 7)])
    with pytest.raises(SystemExit):
        world.run(S3DailyAggregates(DyingS3(world.lake.s3, at), world.lake.bucket, world.queries))
    assert world.messages() == (6 if at == "before" else 8)
    world.run()
    assert world.messages() == 8


class Refuses(S3DailyAggregates):
    """Fails for one organization."""

    def start(self, organization_id: str, day: str, sql: str, parameters: Sequence[str], source: str) -> DayInProgress:
        if organization_id == "acme":
            raise QueryFailedError("no")
        return super().start(organization_id, day, sql, parameters, source)


def test_one_organization_s_failure_is_told_and_holds_up_no_other_and_reports_read_no_day_too_many(
    world: World,
) -> None:
    with pytest.raises(QueryFailedError):
        world.run(Refuses(world.lake.s3, world.lake.bucket, world.queries))
    assert (world.messages("zoo"), world.messages("acme")) == (6, 0)
    assert world.log.settled is None
    assert (world.run().made, world.log.settled) == (3, world.day(4))


def test_a_run_without_time_stops_between_days_and_the_next_one_goes_on(world: World) -> None:
    stopped = world.run(out_of_time=lambda: bool(world.keys(aggregates_key("zoo", world.day(5)))))
    assert (stopped.made, stopped.finished, stopped.settled_through) == (2, False, world.day(5))
    assert (world.run().made, world.log.settled) == (4, world.day(4))


def test_the_lag_is_how_long_ago_the_last_settled_day_ended(world: World) -> None:
    world.run()
    assert world.measured == [("DailyLagSeconds", 3 * DAY + 12 * HOUR)]


def test_a_day_without_any_event_is_settled_too(world: World) -> None:
    world.settle(24 * 2.5)
    assert world.run().settled_through == world.day(3)


def test_a_day_whose_events_give_no_figures_is_settled_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = S3DailyAggregates.finish

    def without_a_file(aggregates: S3DailyAggregates, day: DayInProgress, error: Exception | None) -> None:
        """Where there are no rows Athena may write nothing at all."""
        for key in world.keys(f"{STAGING}/{day.run}/") if day.day == world.day(5) else ():
            world.lake.s3.delete_object(Bucket=world.lake.bucket, Key=key)
        finish(aggregates, day, error)

    monkeypatch.setattr(S3DailyAggregates, "finish", without_a_file)
    assert world.run().settled_through == world.day(4)
    assert world.messages() == 4
    monkeypatch.undo()
    world.log.settled = None
    assert world.run().made == 0, "nothing is what comes of these events"
    world.log.settled = None
    world.lake.put("acme", [event(NOON - 5 * DAY, 5)])
    world.lake.put("acme", [event(NOON - 5 * DAY + HOUR, 5), event(NOON - 5 * DAY + HOUR + 60, 6)])
    assert (world.run().made, world.messages()) == (1, 7)


def test_an_answer_of_several_files_becomes_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = world.queries.start

    def in_two(sql: str, parameters: Sequence[str], token: str) -> str:
        if not sql.startswith("UNLOAD"):
            return start(sql, parameters, token)
        query, place = sql.split(") TO ")
        first, second = [
            f"{query.replace('ORDER BY', f'WHERE kind {sign} {what!r} ORDER BY')}) TO {place}" for sign, what in HALVES
        ]
        world.queries.wait([start(first, parameters, f"{token[:40]}0")], lambda: False)
        return start(second, parameters, f"{token[:40]}1")

    monkeypatch.setattr(world.queries, "start", in_two)
    world.run()
    assert len(world.keys("daily/")) == 6
    assert world.messages() == 6


HALVES = [("=", "session"), ("<>", "session")]
