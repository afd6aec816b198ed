"""The list of conversations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.console.inbox import Line, day_of, digits_of, line, matching, merged, since
from local.console.words import Words

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def conversation(contact_id: str = "5511999990001", minutes: int = 0, **more: Any) -> Line:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    known = {"phone_number_id": "100", "contact_id": contact_id, "phone": f"+{contact_id}", "name": "Ana", "tags": []}
    return line({**known, "status": "waiting", "last_activity_at": at, **more})


def test_a_line_has_a_title_and_a_letter_whatever_is_known() -> None:
    assert (conversation().title, conversation().initial) == ("Ana", "A")
    nameless = conversation(name="")
    assert (nameless.title, nameless.initial) == ("+5511999990001", "5")
    user = conversation("BR.1A2B", name="", phone=None)
    assert (user.title, user.initial) == ("BR.1A2B", "B")


def test_newer_lines_take_the_place_of_older_ones_and_go_to_the_top() -> None:
    old, other = conversation("1", 30, status="waiting"), conversation("2", 20)
    lines = merged([other, old], [conversation("1", 1, status="human"), conversation("3", 5)])
    assert [(one.contact_id, one.status) for one in lines] == [("1", "human"), ("3", "waiting"), ("2", "waiting")]
    assert merged([], [conversation(last_activity_at=None)])[0].active_at is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["1", "2"]),
        ("ana", ["1"]),
        (" LEAD ", ["2"]),
        ("+55 (11) 99999", ["1"]),
        ("9999", ["1"]),
        ("ana 9999", []),
        ("zzz", []),
    ],
)
def test_a_search_looks_at_name_phone_and_tags(search: str, found: list[str]) -> None:
    lines = [conversation("5511999990001"), conversation("5521888", name="Bruno", tags=["lead"])]
    names = {"5511999990001": "1", "5521888": "2"}
    assert [names[one.contact_id] for one in matching(lines, search)] == found


def test_a_status_keeps_only_its_own() -> None:
    lines = [conversation("1"), conversation("2", status="human")]
    assert [one.contact_id for one in matching(lines, "", "human")] == ["2"]


def test_how_long_ago() -> None:
    words = Words("en")
    ages = {-5: "now", 30: "now", 60: "1 min", 3_600: "1 h", 90_000: "1 d"}
    assert {seconds: since(NOW - timedelta(seconds=seconds), NOW, words) for seconds in ages} == ages
    assert since(None, NOW, words) == ""


def test_days_and_digits() -> None:
    assert day_of(NOW.timestamp(), Words("pt_BR"), UTC) == "04/03/2026"
    assert day_of(NOW.timestamp(), Words("en"), UTC) == "2026-03-04"
    assert digits_of("+55 (11) 9-٣") == "55119"
