"""The contract of the `DayLimits` port."""

import pytest

from pytake.aws.day_limits import DynamoDayLimits
from pytake.conversation.ports.deliveries import DayLimits
from tests import fakes

NOW = 1_770_000_000.0
HOUR = 3600


@pytest.fixture(params=["fake", "dynamodb"])
def limits(request: pytest.FixtureRequest) -> DayLimits:
    return fakes.MemoryDayLimits() if request.param == "fake" else DynamoDayLimits(request.getfixturevalue("table"))


def test_an_account_without_a_known_limit_has_none(limits: DayLimits) -> None:
    assert limits.reserve("acme", "5", 1000, NOW) == 1000


def test_no_more_than_the_limit_within_any_24_hours(limits: DayLimits) -> None:
    limits.learn("acme", "5", 250, NOW)
    assert [limits.reserve("acme", "5", 100, NOW + hour * HOUR) for hour in (0, 5, 10, 23)] == [100, 100, 50, 0]
    assert limits.reserve("acme", "6", 100, NOW) == limits.reserve("globex", "5", 100, NOW) == 100
    assert limits.reserve("acme", "5", 300, NOW + 25 * HOUR) == 100, "what the first hour used is free again"


def test_what_remains_is_asked_without_a_reservation(limits: DayLimits) -> None:
    assert limits.remaining("acme", "5", NOW) is None
    limits.learn("acme", "5", 250, NOW)
    limits.reserve("acme", "5", 100, NOW)
    assert [limits.remaining("acme", "5", NOW + hour * HOUR) for hour in (0, 0, 25)] == [150, 150, 250]
    limits.learn("acme", "5", 50, NOW + 1)
    assert limits.remaining("acme", "5", NOW + 2) == 0


def test_a_limit_of_the_caller_holds_until_meta_reports_one(limits: DayLimits) -> None:
    assert limits.remaining("acme", "5", NOW, 250) == 250
    assert [limits.reserve("acme", "5", 200, NOW, 250) for _ in range(2)] == [200, 50]
    assert limits.remaining("acme", "5", NOW, 250) == 0
    limits.learn("acme", "5", 2000, NOW + 1)
    assert limits.remaining("acme", "5", NOW + 2, 250) == 1750
    limits.learn("acme", "5", None, NOW + 3)
    assert limits.remaining("acme", "5", NOW + 4, 250) is None


def test_a_raised_limit_counts_what_was_used_and_an_old_report_changes_nothing(limits: DayLimits) -> None:
    limits.learn("acme", "5", 250, NOW)
    assert limits.reserve("acme", "5", 250, NOW) == 250
    limits.learn("acme", "5", 2000, NOW + 1)
    limits.learn("acme", "5", 100, NOW)
    assert limits.reserve("acme", "5", 5000, NOW + 2) == 1750
    limits.learn("acme", "5", None, NOW + 3)
    assert limits.reserve("acme", "5", 5000, NOW + 4) == 5000
