"""The four reports of a flow. docs/reports.md defines each figure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from pytake.analytics.queries import Value, query
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries
from pytake.conversation.ports.tenants import Flows, TenantRepository

MAX_DAYS = 365

LEVEL_ALL, LEVEL_NODE, LEVEL_EXIT = 7, 1, 0
"""The levels of `sql/heatmap.sql`: what GROUPING says of its grouping sets."""


class Period(Struct, frozen=True):
    """The organization's days that a report covers, both ends included; the last is today."""

    days: int
    first_day: date
    last_day: date
    timezone: str


class ReportScope(Struct, frozen=True):
    """What a report speaks of: everything up to `as_of` is in it (None: nothing was exported yet)."""

    flow_id: str
    period: Period
    as_of: datetime | None


class FlowReport(Struct, frozen=True):
    """Counts, and durations in seconds (None without conversations)."""

    about: ReportScope
    total: int
    completed: int
    active: int
    expired: int
    handed_off: int
    unique_users: int
    from_user: int
    from_bot: int
    from_agents: int
    billable: int
    average_seconds: float | None
    median_seconds: float | None
    p95_seconds: float | None
    min_seconds: float | None
    max_seconds: float | None


class ExitVisits(Struct, frozen=True):
    """An exit of a node: how often it was taken, its share of the node's exits, conversations given up after it."""

    exit: str
    visits: int
    share: float
    drop_off: int
    drop_off_rate: float


class NodeVisits(Struct, frozen=True):
    """A node: how often it was visited, the share of conversations that came by, those given up at it."""

    flow_id: str
    node_id: str
    visits: int
    conversations: int
    share: float
    drop_off: int
    drop_off_rate: float
    exits: list[ExitVisits]


class NodesHeatmap(Struct, frozen=True):
    """The nodes that were visited, the most visited first."""

    about: ReportScope
    conversations: int
    nodes: list[NodeVisits]


class DayActivity(Struct, frozen=True):
    """What happened on one of the organization's days."""

    day: date
    messages: int = 0
    conversations: int = 0
    unique_users: int = 0


class DailyActivity(Struct, frozen=True):
    """Every day of the period, in order."""

    about: ReportScope
    days: list[DayActivity]


class UserSegments(Struct, frozen=True):
    """How many people wrote 20 messages and more, 5 to 19, and 1 to 4."""

    about: ReportScope
    power: int
    active: int
    inactive: int


class Reports:
    """Each report raises `UnknownFlowError` for a flow that the organization does not have, and what `LakeQueries.rows`
    raises. `days` is 1 to `MAX_DAYS`.

    All of a flow's reports speak of the same conversations: those that began with it within the period, with all that
    happened in them until now.
    """

    def __init__(
        self, queries: LakeQueries, event_log: EventLog, tenants: TenantRepository, flows: Flows, clock: Clock
    ) -> None:
        self._queries = queries
        self._event_log = event_log
        self._tenants = tenants
        self._flows = flows
        self._clock = clock

    def flow_report(self, organization_id: str, flow_id: str, days: int) -> FlowReport:
        about, [row] = self._ask("report", organization_id, flow_id, days)
        counts = {name: _int(row[name]) for name in _COUNTS}
        durations = [_seconds(row[f"{name}_milliseconds"]) for name in _DURATIONS]
        return FlowReport(about, *counts.values(), *durations)

    def nodes_heatmap(self, organization_id: str, flow_id: str, days: int) -> NodesHeatmap:
        about, rows = self._ask("heatmap", organization_id, flow_id, days)
        total, nodes, exits = 0, [], dict[tuple[str, str], list[Mapping[str, str | None]]]()
        for row in rows:
            level, place = _int(row["level"]), (row["node_flow_id"] or "", row["node_id"] or "")
            if level == LEVEL_ALL:
                total = _int(row["conversations"])
            elif level == LEVEL_NODE and row["node_id"] is not None:
                nodes.append((place, row))
            elif level == LEVEL_EXIT and _int(row["exits"]):
                exits.setdefault(place, []).append(row)
        found = [_node(place, row, exits.get(place, []), total) for place, row in nodes]
        return NodesHeatmap(about, total, sorted(found, key=lambda node: (-node.visits, node.flow_id, node.node_id)))

    def daily_activity(self, organization_id: str, flow_id: str, days: int) -> DailyActivity:
        about, rows = self._ask("daily_activity", organization_id, flow_id, days)
        found = {
            row["day"]: {name: _int(row[name]) for name in ("messages", "conversations", "unique_users")}
            for row in rows
        }
        every = (about.period.first_day + timedelta(days=count) for count in range(about.period.days))
        return DailyActivity(about, [DayActivity(day, **found.get(day.isoformat(), {})) for day in every])

    def user_segments(self, organization_id: str, flow_id: str, days: int) -> UserSegments:
        about, [row] = self._ask("user_segments", organization_id, flow_id, days)
        return UserSegments(about, _int(row["power"]), _int(row["active"]), _int(row["inactive"]))

    def _ask(
        self, name: str, organization_id: str, flow_id: str, days: int
    ) -> tuple[ReportScope, list[dict[str, str | None]]]:
        if self._flows.summary(organization_id, flow_id) is None:
            raise UnknownFlowError(flow_id)
        now = datetime.fromtimestamp(self._clock(), UTC)
        zone = self._tenants.organization(organization_id).timezone
        period = period_of(days, now, zone)
        exported, settled = self._event_log.progress().as_of, self._event_log.settled_through()
        as_of = datetime.fromtimestamp(exported, UTC) if exported is not None else None
        about = ReportScope(flow_id, period, as_of)
        asked = query(name, {"flow_id": flow_id, **self._range(organization_id, period, now, settled)})
        return about, self._queries.rows(asked.sql, asked.parameters, f"{exported} {settled}")

    @staticmethod
    def _range(organization_id: str, period: Period, now: datetime, settled: str | None) -> dict[str, Value]:
        zone = ZoneInfo(period.timezone)
        begins = datetime.combine(period.first_day, time(), zone).astimezone(UTC)
        ends = datetime.combine(period.last_day + timedelta(days=1), time(), zone).astimezone(UTC)
        first, last = begins.date(), now.date()
        settled_day = date.fromisoformat(settled) if settled is not None else first - timedelta(days=1)
        return {
            "organization_id": organization_id,
            "timezone": period.timezone,
            "begins": begins,
            "ends": ends,
            "daily_from": first,
            "daily_to": min(settled_day, last),
            "events_from": max(settled_day + timedelta(days=1), first),
            "events_to": last,
        }


_COUNTS = (
    "total", "completed", "active", "expired", "handed_off", "unique_users", "from_user", "from_bot", "from_agents",
    "billable",
)  # fmt: skip
_DURATIONS = ("average", "median", "p95", "min", "max")


def period_of(days: int, now: datetime, zone: str) -> Period:
    """The last `days` days in a time zone, today included."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return Period(days, today - timedelta(days=days - 1), today, zone)


def _node(
    place: tuple[str, str], row: Mapping[str, str | None], exits: list[Mapping[str, str | None]], total: int
) -> NodeVisits:
    left = sum(_int(found["exits"]) for found in exits)
    visits, drop_off = _int(row["visits"]), _int(row["node_drop_offs"])
    conversations = _int(row["conversations"])
    heats = [
        ExitVisits(
            str(found["node_exit"]),
            taken := _int(found["exits"]),
            rate(taken, left),
            given_up := _int(found["exit_drop_offs"]),
            rate(given_up, taken),
        )
        for found in exits
    ]
    return NodeVisits(
        *place,
        visits,
        conversations,
        rate(conversations, total),
        drop_off,
        rate(drop_off, conversations),
        sorted(heats, key=lambda heat: (-heat.visits, heat.exit)),
    )


def rate(part: int, whole: int) -> float:
    """A share from 0 to 1, to four places; 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def _int(text: str | None) -> int:
    return int(text or 0)


def _seconds(milliseconds: str | None) -> float | None:
    return round(float(milliseconds) / 1000, 3) if milliseconds is not None else None
