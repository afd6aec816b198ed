"""The table of answers: the latest value of each reported variable, by conversation, without those of erased people."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pytake.analytics.answers import Answers, AnswerTable, matching
from pytake.analytics.reports import Days, PeriodError
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.records import FlowVersion
from tests.analytics.in_process import LakeInProcess
from tests.fakes import FrozenClock, MemoryConversations, MemoryDeliveries, MemoryFlows, MemoryTenants
from tests.fakes.lake import MemoryEventLog

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()
FLOW: dict[str, Any] = {
    "id": "shop",
    "report_variables": ["size", "colour"],
    "nodes": [{"id": "ask", "type": "question", "data": {"question": "Which size?", "variable": "size"}}],
}


def told(
    session: str, turn: int, type_: str, *, at: datetime, flow: str = "shop", variables: dict[str, str] | None = None
) -> LakeEvent:
    return LakeEvent(
        event_id=f"{session}-{turn:06d}-{type_}",
        type=type_,  # type: ignore[arg-type]
        happened_at=round(at.timestamp() * 1000),
        contact=f"person of {session}",
        session=session,
        phone_number_id="1",
        turn=turn,
        flow_id=flow,
        variables=variables,
    )


def march(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


EVENTS = [
    told("a", 1, "session_started", at=march(10)),
    told("a", 2, "reported", at=march(10), variables={"size": "small", "colour": "Lilás"}),
    told("a", 3, "reported", at=march(11), variables={"size": "large"}),
    told("a", 4, "completed", at=march(11)),
    told("b", 1, "session_started", at=march(12)),
    told("b", 2, "reported", at=march(12), variables={"size": "-1"}),
    told("b", 3, "expired", at=march(13)),
    told("c", 1, "session_started", at=march(14)),
    told("c", 2, "reported", at=march(14), variables=None),  # erased
    told("d", 1, "session_started", at=march(14), flow="other"),
    told("d", 2, "reported", at=march(14), flow="other", variables={"size": "other"}),
    told("e", 1, "session_started", at=march(20, 9)),
]


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., AnswerTable]:
    flows = MemoryFlows()
    flows.put_draft("acme", FLOW | {"report_variables": ["size", "colour", "new"]}, 1.0)
    flows.publish("acme", FlowVersion("shop", 1, 2.0, {"shop": FLOW}, "ana"), "Shop")
    log = MemoryEventLog(MemoryConversations(), MemoryDeliveries())
    lake = LakeInProcess(tmp_path, {"acme": EVENTS, "globex": [told("x", 1, "session_started", at=march(10))]})
    answers = Answers(lake, log, MemoryTenants(), flows, FrozenClock(NOW))
    return lambda **days: answers.table("acme", "shop", Days(**days))


def test_each_conversation_has_its_latest_answers(table: Callable[..., AnswerTable]) -> None:
    found = table()
    assert [(row.session, row.state, row.answers) for row in found.rows] == [
        ("e", "active", {}),
        ("c", "active", {}),
        ("b", "expired", {"size": "-1"}),
        ("a", "completed", {"size": "large", "colour": "Lilás"}),
    ]
    assert [(one.variable, one.question, one.node_id) for one in found.questions] == [
        ("size", "Which size?", "ask"),
        ("colour", None, None),
        ("new", None, None),
    ]
    assert found.rows[-1].started_at == march(10)
    assert not found.truncated


def test_a_period_selects_by_the_day_of_the_beginning(table: Callable[..., AnswerTable]) -> None:
    found = table(from_=date(2026, 3, 10), to=date(2026, 3, 12))
    assert [row.session for row in found.rows] == ["b", "a"]
    assert (found.period.days, found.rows[-1].answers["size"]) == (3, "large")
    assert [row.session for row in table(count=1).rows] == ["e"]
    for wrong in (
        {"from_": date(2026, 3, 12), "to": date(2026, 3, 10)},
        {"to": date(2026, 3, 21)},
        {"from_": date(2025, 3, 1)},
    ):
        with pytest.raises(PeriodError):
            table(**wrong)


def test_answers_are_found_without_their_accents(table: Callable[..., AnswerTable]) -> None:
    rows = table().rows
    assert [row.session for row in matching(rows, None, "lilas")] == ["a"]
    assert [row.session for row in matching(rows, "size", None)] == ["b", "a"]
    assert [row.session for row in matching(rows, "size", "LAR")] == ["a"]
    assert matching(rows, "colour", "large") == []
