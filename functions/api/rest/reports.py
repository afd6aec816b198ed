"""Reports of a flow: how its conversations went. They hold no personal data; agents have the conversations themselves.

docs/reports.md defines each figure. A report that takes longer than a request may is worked on while the caller waits: the
same request a few seconds later has it.
"""

from collections.abc import Callable
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, Field

from pytake.analytics.reports import MAX_DAYS, ReportScope, rate
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.lake import QueryNotReadyError, QueryTooLargeError
from pytake.wiring import api as wiring
from rest.caller import Role, caller
from rest.flows import FlowId
from rest.openapi import route_docs
from rest.problems import ProblemError, not_found, unprocessable

RETRY_AFTER_SECONDS = 5

BASE = "/api/v1/whatsapp-analytics/flows/<flow_id>"

ROLES: tuple[Role, ...] = ("analyst", "builder")
PROBLEMS = ("flow_unknown", "report_too_large", "report_not_ready")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Days = Annotated[
    int, Query(ge=1, le=MAX_DAYS, description="How many of the organization's days the report covers, today included")
]
Answer = TypeVar("Answer")


class ReportPeriod(BaseModel):
    """The days covered, both ends included, in the organization's time zone. The report speaks of the conversations that
    began on them.
    """

    days: int = Field(description="How many days")
    from_: date = Field(alias="from", description="The first day")
    to: date = Field(description="The last day: today")
    timezone: str = Field(description="Where these days begin and end, such as America/Sao_Paulo")


class Report(BaseModel):
    """What every report says of itself."""

    period: ReportPeriod
    as_of: datetime | None = Field(
        description="Everything that happened until then is counted, and perhaps more; null: nothing was exported yet"
    )


class ConversationCounts(BaseModel):
    """The conversations that began in the period, by how they stand now. Those that agents ended, that ended with an error
    or because the person opted out are in `total` alone.
    """

    total: int = Field(description="All conversations that began with this flow")
    completed: int = Field(description="The flow came to its end")
    active: int = Field(description="The bot waits for an answer or a timer")
    expired: int = Field(description="Nobody wrote for too long, and neither of the others had happened")
    handed_off: int = Field(description="A person took over, whatever came then (unless the flow came to its end)")
    completion_rate: float = Field(description="completed / total, 0 to 1; 0 without conversations")
    unique_users: int = Field(description="The people in these conversations, each counted once")


class MessageCounts(BaseModel):
    """The messages of these conversations, until now."""

    total: int = Field(description="Of people, of the bot and of agents")
    from_user: int = Field(description="What people wrote")
    from_bot: int = Field(description="What the flow sent")
    billable: int = Field(description="Sent messages that Meta took and did not report as failed")
    average_per_conversation: float = Field(description="total / conversations; 0 without conversations")


class DurationStatistics(BaseModel):
    """From a conversation's first message to its last, over all conversations; null without conversations."""

    average_seconds: float | None
    median_seconds: float | None = Field(description="The middle value, or the mean of the middle two")
    p95_seconds: float | None = Field(description="The smallest that 95 % of the conversations do not exceed")
    min_seconds: float | None
    max_seconds: float | None


class FlowReportResponse(Report):
    """How a flow's conversations went."""

    conversations: ConversationCounts
    messages: MessageCounts
    duration: DurationStatistics


class HeatmapExit(BaseModel):
    """A way out of a node. `invalid` and `stale` are answers that were refused: the person stays at the node."""

    exit: str = Field(description="`next`, `true`, `button:sales`, `path:b`, `invalid`, `timeout` …")
    visits: int = Field(description="How often it was taken")
    share: float = Field(description="Of all exits taken at this node, 0 to 1")
    drop_off: int = Field(description="Conversations that were given up with this as the last exit they took")
    drop_off_rate: float = Field(description="drop_off / visits, 0 to 1")


class HeatmapNode(BaseModel):
    """A node on the way of the conversations; `flow_id` is another one's in a sub-flow."""

    flow_id: str
    node_id: str
    visits: int = Field(description="How often it was reached; more than once in a conversation that comes back to it")
    share: float = Field(description="Of the conversations, those that came by, 0 to 1")
    drop_off: int = Field(
        description="Conversations that were given up here: they ended, not completed, not handed off"
    )
    drop_off_rate: float = Field(description="drop_off / conversations that came by, 0 to 1")
    exits: list[HeatmapExit] = Field(description="The most taken first")


class HeatmapResponse(Report):
    """Where a flow's conversations went, and where they were given up. Nodes that nobody reached are not listed."""

    conversations: int = Field(description="All conversations that began in the period")
    nodes: list[HeatmapNode] = Field(description="The most visited first")


class DayCounts(BaseModel):
    """One day in the organization's time zone."""

    date: date
    messages: int = Field(description="Of people, of the bot and of agents, sent on this day")
    conversations: int = Field(description="That began on this day")
    unique_users: int = Field(description="People who wrote on this day")


class DailyActivityResponse(Report):
    """Every day of the period in order, those without anything too."""

    days: list[DayCounts]


class Segment(BaseModel):
    """People who wrote so many messages in the period's conversations."""

    count: int
    share: float = Field(description="Of all people who wrote, 0 to 1; 0 without anybody")


class Segments(BaseModel):
    """People by how many messages they wrote."""

    power: Segment = Field(description="20 messages and more")
    active: Segment = Field(description="5 to 19 messages")
    inactive: Segment = Field(description="1 to 4 messages")


class UserSegmentsResponse(Report):
    """How many people write much, and how many little."""

    segments: Segments


@router.get(
    f"{BASE}/report",
    summary="A flow's conversations, messages and durations",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_report(flow_id: FlowId, days: Days = 30) -> FlowReportResponse:
    found = _ask(wiring.reports().flow_report, flow_id, days)
    messages = found.from_user + found.from_bot + found.from_agents
    return FlowReportResponse(
        conversations=ConversationCounts(
            total=found.total,
            completed=found.completed,
            active=found.active,
            expired=found.expired,
            handed_off=found.handed_off,
            completion_rate=rate(found.completed, found.total),
            unique_users=found.unique_users,
        ),
        messages=MessageCounts(
            total=messages,
            from_user=found.from_user,
            from_bot=found.from_bot,
            billable=found.billable,
            average_per_conversation=rate(messages, found.total),
        ),
        duration=DurationStatistics(
            average_seconds=found.average_seconds,
            median_seconds=found.median_seconds,
            p95_seconds=found.p95_seconds,
            min_seconds=found.min_seconds,
            max_seconds=found.max_seconds,
        ),
        period=_period(found.about),
        as_of=found.about.as_of,
    )


@router.get(
    f"{BASE}/nodes-heatmap",
    summary="Visits, share and drop-off per node and exit",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_nodes_heatmap(flow_id: FlowId, days: Days = 30) -> HeatmapResponse:
    found = _ask(wiring.reports().nodes_heatmap, flow_id, days)
    nodes = [
        HeatmapNode(
            flow_id=node.flow_id,
            node_id=node.node_id,
            visits=node.visits,
            share=node.share,
            drop_off=node.drop_off,
            drop_off_rate=node.drop_off_rate,
            exits=[
                HeatmapExit(
                    exit=way.exit,
                    visits=way.visits,
                    share=way.share,
                    drop_off=way.drop_off,
                    drop_off_rate=way.drop_off_rate,
                )
                for way in node.exits
            ],
        )
        for node in found.nodes
    ]
    return HeatmapResponse(
        conversations=found.conversations, nodes=nodes, period=_period(found.about), as_of=found.about.as_of
    )


@router.get(
    f"{BASE}/daily-activity",
    summary="Messages, conversations and people per day",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_daily_activity(flow_id: FlowId, days: Days = 30) -> DailyActivityResponse:
    found = _ask(wiring.reports().daily_activity, flow_id, days)
    every = [
        DayCounts(date=day.day, messages=day.messages, conversations=day.conversations, unique_users=day.unique_users)
        for day in found.days
    ]
    return DailyActivityResponse(days=every, period=_period(found.about), as_of=found.about.as_of)


@router.get(
    f"{BASE}/user-segments",
    summary="People by how much they write",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_user_segments(flow_id: FlowId, days: Days = 30) -> UserSegmentsResponse:
    found = _ask(wiring.reports().user_segments, flow_id, days)
    people = found.power + found.active + found.inactive
    segments = Segments(
        power=Segment(count=found.power, share=rate(found.power, people)),
        active=Segment(count=found.active, share=rate(found.active, people)),
        inactive=Segment(count=found.inactive, share=rate(found.inactive, people)),
    )
    return UserSegmentsResponse(segments=segments, period=_period(found.about), as_of=found.about.as_of)


def _ask(report: Callable[[str, str, int], Answer], flow_id: str, days: int) -> Answer:
    who = caller(router, *ROLES)
    try:
        return report(who.organization_id, flow_id, days)
    except UnknownFlowError:
        raise not_found("flow_unknown", f"There is no flow {flow_id!r}. GET /api/v1/flows lists them.") from None
    except QueryNotReadyError:
        detail = "The report is still being made. Ask again in a few seconds: the work goes on and is not begun anew."
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "report_not_ready",
            detail,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from None
    except QueryTooLargeError:
        detail = (
            "The report would read more than this deployment allows for one query (QueryScanLimitBytes). "
            "Ask for fewer days, or let the operator raise the limit."
        )
        raise unprocessable("report_too_large", detail) from None


def _period(about: ReportScope) -> ReportPeriod:
    period = about.period
    return ReportPeriod.model_validate(
        {"days": period.days, "from": period.first_day, "to": period.last_day, "timezone": period.timezone}
    )
