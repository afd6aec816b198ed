"""The four reports of a flow. docs/reports.md defines each value."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from pytake.analytics.queries import Value, query
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries
from pytake.conversation.ports.tenants import Flows, TenantRepository

MAX_DAYS = 365

LEVEL_ALL, LEVEL_NODE, LEVEL_EXIT = 7, 1, 0
"""The values of GROUPING for the grouping sets of `sql/heatmap.sql`."""


class PeriodError(ValueError):
    """The days of a period are not in order, in the future, or too many. The text says which."""


class Days(Struct, frozen=True):
    """The days that a caller asks for: the last `count` of them until `to` (None: today), or from `from_` on."""

    count: int = 30
    from_: date | None = None
    to: date | None = None


class ReportPeriod(Struct, frozen=True):
    """The organization's days that a report covers, both ends included."""

    days: int
    from_: date
    to: date
    timezone: str


class Report(Struct, frozen=True, kw_only=True):
    """What every report has. Everything up to `as_of` is counted (None: nothing was exported yet)."""

    period: ReportPeriod
    as_of: datetime | None


class ConversationCounts(Struct, frozen=True):
    """Conversations by their state."""

    total: int
    completed: int
    active: int
    expired: int
    handed_off: int
    completion_rate: float
    unique_users: int


class MessageCounts(Struct, frozen=True):
    """Messages by their sender. `total` also counts those of agents."""

    total: int
    from_user: int
    from_bot: int
    billable: int
    average_per_conversation: float


class DurationStatistics(Struct, frozen=True):
    """Seconds from a conversation's first message to its last; None without conversations."""

    average_seconds: float | None
    median_seconds: float | None
    p95_seconds: float | None
    min_seconds: float | None
    max_seconds: float | None


class FlowReport(Report, frozen=True):
    """How the conversations went."""

    conversations: ConversationCounts
    messages: MessageCounts
    duration: DurationStatistics


class HeatmapExit(Struct, frozen=True):
    """An exit of a node: how often it was taken, its share of the node's exits, conversations abandoned after it."""

    exit: str
    visits: int
    share: float
    drop_off: int
    drop_off_rate: float


class HeatmapNode(Struct, frozen=True):
    """A node: how often it was visited, the share of conversations that reached it, conversations abandoned at it, and those
    that are still there."""

    flow_id: str
    node_id: str
    visits: int
    conversations: int
    share: float
    drop_off: int
    drop_off_rate: float
    still_here: int
    exits: list[HeatmapExit]


class NodesHeatmap(Report, frozen=True):
    """The nodes that were visited, the most visited first."""

    conversations: int
    nodes: list[HeatmapNode]


class DayCounts(Struct, frozen=True):
    """One of the organization's days."""

    date: date
    messages: int = 0
    conversations: int = 0
    unique_users: int = 0


class DailyActivity(Report, frozen=True):
    """Every day of the period, in order."""

    days: list[DayCounts]


class Segment(Struct, frozen=True):
    """How many people it has, and their share of all people who wrote."""

    count: int
    share: float


class Segments(Struct, frozen=True):
    """People who wrote 20 messages and more, 5 to 19, and 1 to 4."""

    power: Segment
    active: Segment
    inactive: Segment


class UserSegments(Report, frozen=True):
    """People by how many messages they wrote."""

    segments: Segments


class PeriodQueries:
    """Asks the lake about an organization's days, in its time zone."""

    def __init__(self, queries: LakeQueries, event_log: EventLog, tenants: TenantRepository, clock: Clock) -> None:
        self._queries = queries
        self._event_log = event_log
        self._tenants = tenants
        self._clock = clock

    def ask(
        self,
        name: str,
        organization_id: str,
        days: Days,
        values: Mapping[str, Any],
        *,
        from_daily: bool = True,
        remembered_seconds: int | None = None,
    ) -> tuple[dict[str, Any], list[dict[str, str | None]]]:
        """What a report has from `Report`, and the rows of the statement with this name.

        `from_daily`: the table `daily` has settled days. `remembered_seconds`: no result is used for longer, also without an
        export. Raises `PeriodError`, and what `LakeQueries.rows` raises.
        """
        now = datetime.fromtimestamp(self._clock(), UTC)
        period = period_of(days, now, self._tenants.organization(organization_id).timezone)
        exported = self._event_log.progress().as_of
        settled = self._event_log.settled_through() if from_daily else None
        asked = query(name, {**values, **range_of(organization_id, period, now, settled)})
        version: list[object] = [exported]
        if from_daily:
            version.append(settled)
        if remembered_seconds is not None:
            version.append(int(now.timestamp()) // remembered_seconds)
        rows = self._queries.rows(asked.sql, asked.parameters, " ".join(map(str, version)))
        as_of = datetime.fromtimestamp(exported, UTC) if exported is not None else None
        return {"period": period, "as_of": as_of}, rows


class Reports:
    """The reports of a flow.

    All reports of a flow cover the same conversations: those that began with it in the period, with everything that has
    happened in them since. Each raises `UnknownFlowError` if the organization has no such flow, `PeriodError`, and what
    `LakeQueries.rows` raises.
    """

    def __init__(
        self, queries: LakeQueries, event_log: EventLog, tenants: TenantRepository, flows: Flows, clock: Clock
    ) -> None:
        self._lake = PeriodQueries(queries, event_log, tenants, clock)
        self._flows = flows

    def flow_report(self, organization_id: str, flow_id: str, days: Days) -> FlowReport:
        scope, [row] = self._ask("report", organization_id, flow_id, days)
        count = {name: _int(row[name]) for name in _COUNTS}
        messages = count["from_user"] + count["from_bot"] + count["from_agents"]
        return FlowReport(
            **scope,
            conversations=ConversationCounts(
                total=count["total"],
                completed=count["completed"],
                active=count["active"],
                expired=count["expired"],
                handed_off=count["handed_off"],
                completion_rate=rate(count["completed"], count["total"]),
                unique_users=count["unique_users"],
            ),
            messages=MessageCounts(
                total=messages,
                from_user=count["from_user"],
                from_bot=count["from_bot"],
                billable=count["billable"],
                average_per_conversation=rate(messages, count["total"]),
            ),
            duration=DurationStatistics(*(_seconds(row[f"{name}_milliseconds"]) for name in _DURATIONS)),
        )

    def nodes_heatmap(self, organization_id: str, flow_id: str, days: Days) -> NodesHeatmap:
        scope, rows = self._ask("heatmap", organization_id, flow_id, days)
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
        found.sort(key=lambda node: (-node.visits, node.flow_id, node.node_id))
        return NodesHeatmap(**scope, conversations=total, nodes=found)

    def daily_activity(self, organization_id: str, flow_id: str, days: Days) -> DailyActivity:
        scope, rows = self._ask("daily_activity", organization_id, flow_id, days)
        found = {
            row["day"]: {name: _int(row[name]) for name in ("messages", "conversations", "unique_users")}
            for row in rows
        }
        period = scope["period"]
        every = (period.from_ + timedelta(days=count) for count in range(period.days))
        return DailyActivity(**scope, days=[DayCounts(day, **found.get(day.isoformat(), {})) for day in every])

    def user_segments(self, organization_id: str, flow_id: str, days: Days) -> UserSegments:
        scope, [row] = self._ask("user_segments", organization_id, flow_id, days)
        counts = [_int(row[name]) for name in ("power", "active", "inactive")]
        segments = Segments(*(Segment(count, rate(count, sum(counts))) for count in counts))
        return UserSegments(**scope, segments=segments)

    def _ask(
        self, name: str, organization_id: str, flow_id: str, days: Days
    ) -> tuple[dict[str, Any], list[dict[str, str | None]]]:
        """What the report has from `Report`, and the rows of the statement with this name."""
        if self._flows.summary(organization_id, flow_id) is None:
            raise UnknownFlowError(flow_id)
        return self._lake.ask(name, organization_id, days, {"flow_id": flow_id})


_COUNTS = (
    "total", "completed", "active", "expired", "handed_off", "unique_users", "from_user", "from_bot", "from_agents",
    "billable",
)  # fmt: skip
_DURATIONS = ("average", "median", "p95", "min", "max")


def period_of(days: Days, now: datetime, zone: str) -> ReportPeriod:
    """The period of these days in a time zone. Raises `PeriodError`."""
    today = now.astimezone(ZoneInfo(zone)).date()
    to = days.to or today
    from_ = days.from_ or to - timedelta(days=days.count - 1)
    if from_ > to:
        raise PeriodError(f"The first day, {from_}, is after the last one, {to}.")
    if to > today:
        raise PeriodError(f"The last day, {to}, is in the future: today is {today} in {zone}.")
    count = (to - from_).days + 1
    if count > MAX_DAYS:
        raise PeriodError(f"The period has {count} days. Ask for at most {MAX_DAYS}.")
    return ReportPeriod(count, from_, to, zone)


def range_of(organization_id: str, period: ReportPeriod, now: datetime, settled: str | None) -> dict[str, Value]:
    """What statements need to find the conversations of a period; `settled` is the last settled day."""
    zone = ZoneInfo(period.timezone)
    begins = datetime.combine(period.from_, time(), zone).astimezone(UTC)
    ends = datetime.combine(period.to + timedelta(days=1), time(), zone).astimezone(UTC)
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


def _node(
    place: tuple[str, str], row: Mapping[str, str | None], exits: list[Mapping[str, str | None]], total: int
) -> HeatmapNode:
    left = sum(_int(found["exits"]) for found in exits)
    visits, drop_off = _int(row["visits"]), _int(row["node_drop_offs"])
    conversations = _int(row["conversations"])
    heats = [
        HeatmapExit(
            str(found["node_exit"]),
            taken := _int(found["exits"]),
            rate(taken, left),
            given_up := _int(found["exit_drop_offs"]),
            rate(given_up, taken),
        )
        for found in exits
    ]
    return HeatmapNode(
        *place,
        visits,
        conversations,
        rate(conversations, total),
        drop_off,
        rate(drop_off, conversations),
        _int(row["still_here"]),
        sorted(heats, key=lambda heat: (-heat.visits, heat.exit)),
    )


def rate(part: int, whole: int) -> float:
    """A share from 0 to 1, to four places; 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def _int(text: str | None) -> int:
    return int(text or 0)


def _seconds(milliseconds: str | None) -> float | None:
    return round(float(milliseconds) / 1000, 3) if milliseconds is not None else None
