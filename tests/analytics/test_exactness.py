"""Every report equals a count over the audit records, wherever the border between daily figures and events lies."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pytake.analytics.aggregate import AggregateDays
from pytake.analytics.reports import FlowReport, Reports
from pytake.aws.daily_figures import S3DailyFigures
from pytake.aws.lake import S3Lake
from pytake.conversation.records import Organization
from tests.analytics.counted import Counted
from tests.analytics.traffic import NUMBERS, Traffic
from tests.lake import LakeOnAws

DAYS = 24
HOUR = 3600


class World:
    """Traffic, a lake of it, daily figures up to some day, and the reports over both."""

    def __init__(self, lake: LakeOnAws, traffic: Traffic) -> None:
        self.lake, self.traffic = lake, traffic
        for organization_id in NUMBERS:
            lake.put(organization_id, traffic.events(organization_id))
        self.log = traffic.log
        self.log.stored.as_of = traffic.clock()
        self.queries = lake.queries()
        self.figures = S3DailyFigures(lake.s3, lake.bucket, self.queries)
        product = traffic.product
        self.reports = Reports(self.queries, self.log, product.directory, product.flows, traffic.clock)

    def settle(self, hours_ago: int) -> None:
        """Make daily figures; everything up to so many hours ago is settled."""
        now, lake = self.traffic.clock(), self.lake
        self.log.stored.through["settled"] = int(now - hours_ago * HOUR) // HOUR * HOUR
        aggregate = AggregateDays(
            self.log, S3Lake(lake.s3, lake.bucket), self.figures, self.traffic.clock, lambda *_: None
        )
        aggregate(datetime.fromtimestamp(now, UTC))

    def in_zone(self, zone: str) -> None:
        for organization_id in NUMBERS:
            self.traffic.product.directory.put_organization(Organization(organization_id, timezone=zone))


@pytest.fixture(scope="module")
def world(new_lake: Callable[[], LakeOnAws]) -> Iterator[World]:
    return World(new_lake(), Traffic(seed=5, days=DAYS))


def figures(report: FlowReport) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.structs.asdict(report)
    del made["about"]
    return made


def check(world: World, organization_id: str, flow_id: str, days: int, zone: str) -> None:
    world.in_zone(zone)
    counted = Counted(world.traffic, organization_id, flow_id, days, zone)
    asked = organization_id, flow_id, days
    assert figures(world.reports.flow_report(*asked)) == counted.report()
    heat = world.reports.nodes_heatmap(*asked)
    assert {
        (node.flow_id, node.node_id): {
            "visits": node.visits,
            "conversations": node.conversations,
            "drop_off": node.drop_off,
            "exits": {way.exit: (way.visits, way.drop_off) for way in node.exits},
        }
        for node in heat.nodes
    } == counted.heatmap()
    assert heat.conversations == len(counted.talks)
    daily = world.reports.daily_activity(*asked).days
    assert [(day.day, day.messages, day.conversations, day.unique_users) for day in daily] == counted.daily()
    segments = world.reports.user_segments(*asked)
    assert (segments.power, segments.active, segments.inactive) == counted.segments()


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
