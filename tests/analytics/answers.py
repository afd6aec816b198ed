"""The reports over some traffic, compared with a count over its audit records."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from pytake.analytics.reports import DailyActivity, Days, FlowReport, NodesHeatmap, Reports, UserSegments, rate
from pytake.conversation.ports.lake import LakeQueries
from pytake.conversation.records import Organization
from tests.analytics.counted import Counted
from tests.analytics.traffic import NUMBERS, Traffic


class Answers:
    """Some traffic, and the reports that queries over a lake of it give."""

    def __init__(self, traffic: Traffic, queries: LakeQueries) -> None:
        self.traffic = traffic
        self.log = traffic.log
        self.log.stored.as_of = traffic.clock()
        product = traffic.product
        self.reports = Reports(queries, self.log, product.tenants, product.flows, traffic.clock)

    def in_zone(self, zone: str) -> None:
        for organization_id in NUMBERS:
            self.traffic.product.tenants.put_organization(Organization(organization_id, timezone=zone))


def figures(report: FlowReport) -> dict[str, Any]:
    """The values of the statement `report`, as the count gives them."""
    conversations, messages = (msgspec.structs.asdict(part) for part in (report.conversations, report.messages))
    total = messages.pop("total")
    assert conversations.pop("completion_rate") == rate(report.conversations.completed, report.conversations.total)
    assert messages.pop("average_per_conversation") == rate(total, report.conversations.total)
    from_agents = total - report.messages.from_user - report.messages.from_bot
    return {**conversations, **messages, "from_agents": from_agents, **msgspec.structs.asdict(report.duration)}


def check(
    world: Answers, organization_id: str, flow_id: str, days: int, zone: str, only: Iterable[str] | None = None
) -> None:
    """Assert that the reports (or some of them) say what the count says."""
    world.in_zone(zone)
    counted = Counted(world.traffic, organization_id, flow_id, days, zone)
    for name in only or CHECKS:
        CHECKS[name](counted, getattr(world.reports, name)(organization_id, flow_id, Days(days)))


def _report(counted: Counted, said: FlowReport) -> None:
    assert figures(said) == counted.report()


def _heatmap(counted: Counted, said: NodesHeatmap) -> None:
    assert {
        (node.flow_id, node.node_id): {
            "visits": node.visits,
            "conversations": node.conversations,
            "drop_off": node.drop_off,
            "still_here": node.still_here,
            "exits": {way.exit: (way.visits, way.drop_off) for way in node.exits},
        }
        for node in said.nodes
    } == counted.heatmap()
    assert said.conversations == len(counted.talks)


def _daily(counted: Counted, said: DailyActivity) -> None:
    assert [(day.date, day.messages, day.conversations, day.unique_users) for day in said.days] == counted.daily()


def _segments(counted: Counted, said: UserSegments) -> None:
    segments = said.segments
    counts = (segments.power.count, segments.active.count, segments.inactive.count)
    assert counts == counted.segments()


CHECKS: dict[str, Callable[[Counted, Any], None]] = {
    "flow_report": _report,
    "nodes_heatmap": _heatmap,
    "daily_activity": _daily,
    "user_segments": _segments,
}
