"""Meta's reports of how many people an account may write to first."""

from typing import Any

import pytest

from pytake.conversation.day_limits import FIELD, LearnDayLimits, read_limit
from pytake.conversation.queues import AccountChange, StatusesItem
from tests import fakes


@pytest.mark.parametrize(
    ("reported", "limit"),
    [
        ("TIER_2K", (True, 2000)),
        ("TIER_UNLIMITED", (True, None)),
        (2000, (True, 2000)),
        ("10000", (True, 10_000)),
        (-1, (True, None)),
        ("TIER_MANY", (False, None)),
        (None, (False, None)),
        (True, (False, None)),
        ({"limit": 1}, (False, None)),
    ],
)
def test_a_limit_is_a_name_or_a_number(reported: Any, limit: tuple[bool, int | None]) -> None:
    assert read_limit(reported) == limit


def test_an_older_report_changes_nothing_and_other_fields_are_not_limits() -> None:
    limits = fakes.MemoryDayLimits()
    learn = LearnDayLimits(limits)

    def report(value: dict[str, Any], at: float, field: str = FIELD) -> int:
        return learn(StatusesItem("acme", "1", [], account_changes=[AccountChange("5", field, value, at)]))

    assert report({"max_daily_conversations_per_business": 250}, 20.0) == 1
    assert report({"max_daily_conversations_per_business": 9999}, 10.0) == 1
    assert report({"max_daily_conversations_per_business": 1}, 30.0, field="account_update") == 0
    assert limits.reserve("acme", "5", 300, 40.0) == 250
