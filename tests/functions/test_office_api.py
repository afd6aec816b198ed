"""How long people wait for an agent, within the hours in which agents answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pytake.wiring import shared
from tests.functions.conftest import running_gateway
from tests.functions.world import ANA, BIA, World, hand_over

COUNTS = "/api/v1/conversation-counts"
OFFICE = {
    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "18:00"}],
    "timezone": None,
    "holidays": ["2027-11-02"],
}
ZONE = "America/New_York"
"""On Sunday, 2027-11-07, its clocks are put back."""


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp()


class Clock:
    """A clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(shared, "clock", lambda: self.now)
        monkeypatch.setattr("tests.functions.world.time.time", lambda: self.now)

    def set(self, text: str) -> None:
        self.now = at(text)


@pytest.fixture
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "office") as gateway:
        yield World(gateway)


def settle(world: World, timetable: str | None = "office") -> None:
    """People are handed over, and agents answer in the hours of a timetable."""
    hand_over(world)
    world.api("PUT", "/api/v1/timetables", {"timetables": {"office": OFFICE}})
    answer = world.api(
        "PUT", "/api/v1/organization", {"timezone": ZONE, "session_ttl_hours": 72, "office_timetable": timetable}
    )
    assert answer.status == 200, answer.body


def counted(world: World) -> dict[str, Any]:
    answer = world.api("GET", COUNTS, role="agent")
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def waited(wait: dict[str, Any], clock: Clock) -> float:
    """The seconds that a client shows."""
    since = wait["counts_from"]
    running = clock.now - datetime.fromisoformat(since).timestamp() if since is not None else 0
    return float(wait["seconds"]) + running


@pytest.mark.parametrize(
    ("asked", "seen", "is_open", "changes", "hours"),
    [
        ("2027-11-04 10:00", "2027-11-04 11:30", True, "2027-11-04 18:00", 1.5),
        ("2027-11-03 22:00", "2027-11-04 09:00", True, "2027-11-04 18:00", 0),
        ("2027-11-03 17:00", "2027-11-04 10:00", True, "2027-11-04 18:00", 2),
        ("2027-11-04 17:30", "2027-11-04 23:00", False, "2027-11-05 09:00", 0.5),
        ("2027-11-01 17:00", "2027-11-02 12:00", False, "2027-11-03 09:00", 1),  # a holiday
        ("2027-11-05 17:00", "2027-11-07 12:00", False, "2027-11-08 09:00", 1),  # the clocks were put back that night
    ],
)
def test_a_wait_counts_within_the_hours(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: str, seen: str, is_open: bool, changes: str, hours: float
) -> None:
    clock = Clock(monkeypatch)
    clock.set(asked)
    settle(world)
    world.says("Hi")
    clock.set(seen)
    counts = counted(world)
    office, wait = counts["office"], counts["longest_wait"]
    assert (office["timetable"], office["is_open"]) == ("office", is_open)
    assert datetime.fromisoformat(office["changes_at"]) == datetime.fromtimestamp(at(changes), UTC)
    assert datetime.fromisoformat(wait["since"]) == datetime.fromtimestamp(at(asked), UTC)
    assert waited(wait, clock) == hours * 3600
    assert world.pages(10)[0][0]["wait"] == wait


def test_what_is_polled_does_not_change_while_the_office_is_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    clock.set("2027-11-04 10:00")
    settle(world)
    world.says("Hi")
    tag = world.api("GET", COUNTS, role="agent").headers["etag"]
    clock.set("2027-11-04 17:59")
    again = world.api("GET", COUNTS, role="agent", headers={"If-None-Match": tag})
    assert again.status == 304
    clock.set("2027-11-04 18:00")
    assert world.api("GET", COUNTS, role="agent", headers={"If-None-Match": tag}).status == 200


def test_a_person_waits_from_the_first_message_that_no_agent_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    clock.set("2027-11-04 10:00")
    settle(world, None)
    world.says("Hi", BIA)
    clock.set("2027-11-04 10:01")
    world.says("Hi", ANA)
    clock.set("2027-11-04 10:05")
    world.says("Are you there?", BIA)
    counts = counted(world)
    assert (counts["unanswered"], waited(counts["longest_wait"], clock)) == (2, 300)
    assert counts["office"] is None
    for person in (ANA, BIA):
        assert world.api("POST", f"/api/v1/conversations/{person}/send", {"text": "Hello"}).status == 200
    counts = counted(world)
    assert (counts["agents"], counts["unanswered"], counts["longest_wait"]) == (2, 0, None)
    clock.set("2027-11-04 10:09")
    world.says("Thanks", ANA)
    clock.set("2027-11-04 10:10")
    counts = counted(world)
    assert (counts["unanswered"], waited(counts["longest_wait"], clock)) == (1, 60)
    assert world.api("POST", f"/api/v1/conversations/{ANA}/resume").status == 200
    assert counted(world)["unanswered"] == 0


def test_the_office_has_an_existing_timetable(world: World) -> None:
    settings = {"office_timetable": "office"}
    refused = world.api("PUT", "/api/v1/organization", settings)
    assert (refused.status, refused.body["code"]) == (422, "timetable_unknown")
    assert refused.body["field"] == "office_timetable"
    settle(world)
    assert world.api("GET", "/api/v1/organization").body["office_timetable"] == "office"
    world.api("PUT", "/api/v1/timetables", {"timetables": {}})
    assert counted(world)["office"] is None


def test_the_numbers_are_polled_too(world: World) -> None:
    tag = world.api("GET", "/api/v1/numbers", role="agent").headers["etag"]
    assert world.api("GET", "/api/v1/numbers", role="agent", headers={"If-None-Match": tag}).status == 304
