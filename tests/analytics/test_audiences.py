"""Sets of people from the lake, on the local Athena, and a segment over them on DynamoDB."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from pytake.analytics.audiences import LakeAudiences
from pytake.contacts.segments import Outcome, SegmentQuery
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.lake_records import ExportProgress
from tests.lake import LakeOnAws

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC).timestamp()
DAY = 86_400


class Log:
    def progress(self) -> ExportProgress:
        return ExportProgress()

    def settled_through(self) -> None:
        return None


class Told:
    def __init__(self) -> None:
        self.events: list[LakeEvent] = []

    def tell(self, contact: str, days_ago: float, type_: Any, flow: str | None = "shop", **columns: Any) -> None:
        self.events.append(
            LakeEvent(
                event_id=f"{len(self.events):09d}",
                type=type_,
                happened_at=round((NOW - days_ago * DAY) * 1000),
                contact=contact,
                session=f"s-{contact}",
                phone_number_id="1",
                turn=1,
                flow_id=flow,
                **columns,
            )
        )


@pytest.fixture(scope="module")
def audiences(new_lake: Callable[[], LakeOnAws]) -> LakeAudiences:
    told, lake = Told(), new_lake()
    for index in range(40):
        contact = f"{index:03x}{'0' * 21}"
        told.tell(contact, 5 if index % 2 else 50, "session_started", "shop" if index % 5 else "other")
        if index % 3 == 0:
            told.tell(contact, 4 if index % 2 else 49, "completed", "shop" if index % 5 else "other")
        elif index % 3 == 1:
            told.tell(contact, 4 if index % 2 else 49, "expired", None)
        if index % 4 == 0:
            place = {"node_flow_id": "sub", "node_id": "pay", "node_exit": "next", "arrived": True}
            told.tell(contact, 3, "node_entered", **place)
        if index % 7 == 0:
            told.tell(contact, 3, "reported", variables={"city": "Recife" if index % 2 else "olinda"})
    lake.put("acme", told.events)
    lake.put("globex", told.events[:1])
    return LakeAudiences(lake.queries(), Log(), lambda: NOW)  # type: ignore[arg-type]


def members(found: Any) -> set[int]:
    return {index for index in range(60) if f"{index:03x}{'0' * 21}" in found}


def test_people_by_what_became_of_a_flow(audiences: LakeAudiences) -> None:
    def people(name: str, days: int, flow: str = "shop", org: str = "acme") -> set[int]:
        return members(audiences.with_outcome(org, Outcome(name, flow, days)))

    shop = {index for index in range(40) if index % 5}
    recent = {index for index in range(40) if index % 2}
    assert people("started", 90) == shop
    assert people("started", 30) == shop & recent
    assert people("completed", 90) == {index for index in shop if index % 3 == 0}
    assert people("completed", 30) == {index for index in shop & recent if index % 3 == 0}
    assert people("expired", 30) == {index for index in shop & recent if index % 3 == 1}
    assert people("handed_off", 90) == set()
    assert people("started", 90, "other") == set(range(40)) - shop
    assert people("started", 90, "it's", "acme") == set()
    assert people("started", 90, "other", "globex") == {0}


def test_people_by_a_saved_query(audiences: LakeAudiences) -> None:
    reached = SegmentQuery("reached_node", {"flow_id": "sub", "node_id": "pay", "days": 10})
    assert members(audiences.named_by("acme", reached)) == set(range(0, 40, 4))
    answered = SegmentQuery("answered", {"flow_id": "shop", "variable": "city", "value": "Olinda"})
    assert members(audiences.named_by("acme", answered)) == {0, 14, 28}
    assert members(audiences.named_by("globex", answered)) == set()


def test_a_part_of_a_pseudonym_names_nobody(audiences: LakeAudiences) -> None:
    found = audiences.with_outcome("acme", Outcome("started", "shop", 90))
    assert f"001{'0' * 21}" in found
    for text in ("", "001", f"001{'0' * 20}", ",", f"001{'0' * 21},", None, 7):
        assert text not in found
