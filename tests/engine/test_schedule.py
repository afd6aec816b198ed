"""Schedules: opening hours, holidays, time zones and daylight saving."""

import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.flow_testing.examples import Examples
from cli.flow_testing.generator import generate
from pytake.engine import Input, State, validate
from pytake.engine.opening_times import OpeningTimes, problems_of
from pytake.engine.timetable import DAYS, Hours, Timetable
from tests.engine.conversations import Talk, document, flow_of, node

WEEK = Timetable(
    hours=[
        Hours(days=["mon", "tue", "wed", "thu", "fri"], opens="09:00", closes="12:00"),
        Hours(days=["mon", "fri"], opens="13:30", closes="18:00"),
        Hours(days=["fri", "sat"], opens="22:00", closes="03:00"),
    ],
    holidays=["2026-12-25", "01-01"],
)

NOT_PLACES = ("posixrules", "localtime", "right/UTC", "Factory")
"""Files of a time zone database, on some machines only, that name no place's time."""


def at(text: str, zone: str = "America/Sao_Paulo") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 11:59:59", True),
        ("2026-11-23 12:00", False),
        ("2026-11-23 17:59", True),
        ("2026-11-24 14:00", False),
        ("2026-11-27 22:00", True),
        ("2026-11-28 02:59", True),
        ("2026-11-28 03:00", False),
        ("2026-11-29 02:59", True),
        ("2026-11-30 02:59", False),
        ("2026-12-25 10:00", False),  # a holiday
        ("2026-12-25 23:00", False),
        ("2026-12-26 01:00", False),  # would have opened on the holiday
        ("2027-01-01 10:00", False),
        ("2027-01-04 10:00", True),
    ],
)
def test_hours(moment: str, is_open: bool) -> None:
    assert OpeningTimes(WEEK).is_open(at(moment), "America/Sao_Paulo") is is_open


def test_the_zone_of_the_timetable_takes_precedence() -> None:
    tokyo = Timetable(hours=WEEK.hours, timezone="Asia/Tokyo")
    assert OpeningTimes(tokyo).is_open(at("2026-11-23 10:00", "Asia/Tokyo"), "America/Sao_Paulo")
    assert not OpeningTimes(tokyo).is_open(at("2026-11-23 10:00"), "America/Sao_Paulo")


@pytest.mark.parametrize("day", ["2026-03-06", "2026-03-09", "2026-10-30", "2026-11-02"])
def test_hours_are_on_the_clock_before_and_after_daylight_saving(day: str) -> None:
    times = OpeningTimes(WEEK)
    assert times.is_open(at(f"{day} 09:00", "America/New_York"), "America/New_York")
    assert not times.is_open(at(f"{day} 08:59", "America/New_York"), "America/New_York")


def test_hours_over_the_night_when_an_hour_is_skipped_or_repeated() -> None:
    night = OpeningTimes(Timetable(hours=[Hours(days=["sat"], opens="22:00", closes="03:00")]))
    for day in ("2026-03-08", "2026-11-01"):
        assert night.is_open(at(f"{day} 01:30", "America/New_York"), "America/New_York")
        assert not night.is_open(at(f"{day} 03:00", "America/New_York"), "America/New_York")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": []}, "hours"),
        ({"hours": [{"days": [], "opens": "09:00", "closes": "18:00"}]}, "hours[0].days"),
        ({"hours": [{"days": ["mon"], "opens": "9am", "closes": "18:00"}]}, "hours[0].opens"),
        ({"hours": [{"days": ["mon"], "opens": "09:00", "closes": "24:01"}]}, "hours[0].closes"),
        *(({"timezone": name}, "timezone") for name in ("Mars/Olympus", *NOT_PLACES)),
        ({"holidays": ["2026-02-29"]}, "holidays[0]"),
        ({"holidays": ["25/12"]}, "holidays[0]"),
    ],
)
def test_what_is_wrong_with_hours_is_reported(change: dict[str, Any], field: str) -> None:
    hours = [{"days": ["mon"], "opens": "09:00", "closes": "18:00"}]
    found = validate({"main": flow(**{"hours": hours, **change})}, "main")
    assert [(problem.code, problem.field) for problem in found] == [("invalid_value", field)]
    assert list(problems_of(WEEK)) == []


def flow(**data: Any) -> dict[str, Any]:
    first = node("s", "schedule", open_next_node_id="o", closed_next_node_id="c", **data)
    return document(first, node("o", "end", message="open"), node("c", "end", message="closed"))


def test_a_timetable_that_is_missing_counts_as_closed() -> None:
    turn = Talk(flow_of(flow(hours="support"))).say("hi")
    assert (turn.node_id, turn.events[1].type, turn.events[1].data) == (
        "c",
        "timetable_missing",
        {"node_id": "s", "name": "support"},
    )
    assert flow_of(flow(hours="support")).timetables == {"support"}


@pytest.mark.parametrize("hours", ["support", [{"days": ["tue"], "opens": "03:00", "closes": "04:00"}]])
def test_generated_tests_take_both_exits(hours: Any) -> None:
    suite = generate({"main": flow(hours=hours)}, "main")
    taken = {step for script in suite.conversations for turn in script.turns for step in turn.expect.path or []}
    assert {"s: open", "s: closed"} <= taken
    for script in suite.conversations:
        settings = suite.settings(script)
        talk = Talk(flow_of(flow(hours=hours)), timetables=settings.timetables)
        talk.now = settings.now
        assert [talk.say(Input(text=str(turn.input))).node_id for turn in script.turns] == [
            turn.expect.node_id for turn in script.turns
        ]


def test_fuzzing_begins_while_it_is_open_and_while_it_is_closed() -> None:
    examples = Examples({"main": flow(hours="support")}, "main")
    times = OpeningTimes(examples.timetables["support"])
    assert {times.is_open(moment, "UTC") for moment in examples.moments(at("2026-11-22 12:00", "UTC"))} == {True, False}


def test_a_stored_state_before_timetables_existed_still_loads() -> None:
    assert State.decode(b'{"f":"main","n":"q"}') == State("main", "q")


NIGHT = Hours(days=["sun"], opens="01:20", closes="02:40")
"""One of these hours is skipped or repeated when the clocks are changed."""


@pytest.mark.parametrize("first", ["2026-03-06", "2026-10-30", "2026-12-23"])
def test_the_changes_are_those_that_asking_each_minute_finds(first: str) -> None:
    """Over days with daylight saving in New York, and over holidays."""
    times = OpeningTimes(Timetable(hours=[*WEEK.hours[:2], NIGHT], holidays=WEEK.holidays))
    zone, begin = "America/New_York", at(first, "America/New_York")
    minutes = [begin + 60 * minute for minute in range(4 * 24 * 60)]
    states = [times.is_open(minute, zone) for minute in minutes]
    expected = [now for now, before, after in zip(minutes[1:], states, states[1:], strict=False) if before != after]
    found = list(itertools.takewhile(lambda moment: moment <= minutes[-1], times.changes(begin, zone)))
    assert found == expected
    assert len(found) >= 4


@pytest.mark.parametrize("holidays", [[], ["2026-11-23"]])
def test_what_never_opens_or_closes_has_no_changes(holidays: list[str]) -> None:
    always = OpeningTimes(Timetable(hours=[Hours(days=list(DAYS), opens="00:00", closes="24:00")], holidays=holidays))
    changes = list(always.changes(at("2026-11-22 10:00"), "America/Sao_Paulo"))
    assert changes == [at(f"{day} 00:00") for holiday in holidays for day in (holiday, "2026-11-24")]
