"""Every report equals a count over the audit records, wherever the border between daily aggregates and events lies."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from pytake.analytics.aggregate import AggregateDays
from pytake.aws.daily_aggregates import S3DailyAggregates
from pytake.aws.lake import S3Lake
from tests.analytics.answers import Answers, check
from tests.analytics.traffic import NUMBERS, Traffic
from tests.lake import LakeOnAws

DAYS = 24
HOUR = 3600


class World(Answers):
    """Traffic, a lake of it, daily aggregates up to some day, and the reports over both."""

    def __init__(self, lake: LakeOnAws, traffic: Traffic) -> None:
        self.queries = lake.queries()
        super().__init__(traffic, self.queries)
        self.lake = lake
        for organization_id in NUMBERS:
            lake.put(organization_id, traffic.events(organization_id))
        self.figures = S3DailyAggregates(lake.s3, lake.bucket, self.queries)

    def settle(self, hours_ago: int) -> None:
        """Make daily aggregates; everything up to so many hours ago is settled."""
        now, lake = self.traffic.clock(), self.lake
        self.log.stored.through["settled"] = int(now - hours_ago * HOUR) // HOUR * HOUR
        aggregate = AggregateDays(
            self.log, S3Lake(lake.s3, lake.bucket), self.figures, self.traffic.clock, lambda *_: None
        )
        aggregate(datetime.fromtimestamp(now, UTC))


@pytest.fixture(scope="module")
def world(new_lake: Callable[[], LakeOnAws]) -> Iterator[World]:
    return World(new_lake(), Traffic(seed=5, days=DAYS))


def test_reports_from_events_alone(world: World) -> None:
    world.log.settled = None
    check(world, "acme", "shop", 365, "UTC")
    check(world, "acme", "shop", 8, "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("settled_hours_ago", "days", "zone"),
    [(24 * 12, 21, "Asia/Kathmandu"), (72, 10, "Pacific/Kiritimati"), (72, 23, "America/New_York"), (0, 20, "UTC")],
)
def test_reports_across_the_seam(world: World, settled_hours_ago: int, days: int, zone: str) -> None:
    world.settle(settled_hours_ago)
    assert world.log.settled is not None
    check(world, "acme", "shop", days, zone)


def test_reports_of_another_flow_another_organization_and_of_nothing(world: World) -> None:
    world.settle(72)
    check(world, "acme", "echo", 20, "America/Sao_Paulo")
    check(world, "zoo", "shop", 20, "UTC")
    check(world, "acme", "survey", 30, "UTC")  # a sub-flow: its nodes are in the reports of those that jump to it
