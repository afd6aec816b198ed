"""Reports of a flow. They hold no personal data; agents have the conversations themselves.

docs/reports.md defines each value. A report that takes longer than a request may take continues in Athena: the same request a
few seconds later gets it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BeforeValidator, ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.analytics.reports import MAX_DAYS, Days, PeriodError
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.lake import QueryNotReadyError, QueryTooLargeError
from rest.caller import Role, caller
from rest.identifiers import FlowId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, flow_unknown, unprocessable

RETRY_AFTER_SECONDS = 5

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

BASE = "/api/v1/whatsapp-analytics/flows/<flow_id>"

ROLES: tuple[Role, ...] = ("analyst", "builder")
PROBLEMS = ("flow_unknown", "period_invalid", "report_too_large", "report_not_ready")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Count = Annotated[
    int, Query(ge=1, le=MAX_DAYS, description="How many of the organization's days the report covers, `to` included")
]


def _only_a_day(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("a day such as 2026-11-01")


Day = Annotated[date, BeforeValidator(_only_a_day)]
"""A day as RFC 3339 writes it; pydantic would also take a number of seconds."""

From = Annotated[
    Day | None, Query(alias="from", description="The first day, such as `2026-11-01`; null: `days` before `to`")
]
To = Annotated[Day | None, Query(description="The last day; null: today")]
Found = TypeVar("Found")


class Model(ApiModel):
    """Made from the struct of the same shape in `pytake.analytics.reports`."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True, validate_by_alias=True)


class ReportPeriod(Model):
    """The days covered, both ends included, in the organization's time zone. The report covers the conversations that began
    on them.
    """

    days: int = Field(description="How many days")
    from_: date = Field(alias="from", description="The first day")
    to: date = Field(description="The last day")
    timezone: str = Field(description="The time zone of these days, such as America/Sao_Paulo")


class Report(Model):
    """What every report has."""

    period: ReportPeriod
    as_of: datetime | None = Field(
        description="Everything that happened before is counted, and perhaps more; null: nothing was exported yet"
    )


class ConversationCounts(Model):
    """The conversations that began in the period, by their present state. Conversations that an agent ended, that failed, or in
    which the person opted out count in `total` only.
    """

    total: int = Field(description="All conversations that began with this flow")
    completed: int = Field(description="The flow reached its end")
    active: int = Field(description="The bot waits for an answer or a timer")
    expired: int = Field(description="The session expired before the flow ended or an agent took over")
    handed_off: int = Field(description="An agent took over, whatever followed, unless the flow reached its end")
    completion_rate: float = Field(description="completed / total, 0 to 1; 0 without conversations")
    unique_users: int = Field(description="The people in these conversations, each counted once")


class MessageCounts(Model):
    """The messages of these conversations until now."""

    total: int = Field(description="Messages of people, of the bot and of agents")
    from_user: int = Field(description="Messages that people wrote")
    from_bot: int = Field(description="Messages that the flow sent")
    billable: int = Field(description="Sent messages that Meta accepted and did not report as failed")
    average_per_conversation: float = Field(description="total / conversations; 0 without conversations")


class DurationStatistics(Model):
    """From a conversation's first message to its last, over all conversations; null without conversations."""

    average_seconds: float | None
    median_seconds: float | None = Field(description="The middle value, or the mean of the two middle values")
    p95_seconds: float | None = Field(description="The smallest value that 95 % of the conversations do not exceed")
    min_seconds: float | None
    max_seconds: float | None


class FlowReportResponse(Report):
    """How a flow's conversations went."""

    conversations: ConversationCounts
    messages: MessageCounts
    duration: DurationStatistics


class HeatmapExit(Model):
    """An exit of a node. `invalid` and `stale` are rejected answers: the person stays at the node."""

    exit: str = Field(description="`next`, `true`, `button:sales`, `path:b`, `invalid`, `timeout` …")
    visits: int = Field(description="How often it was taken")
    share: float = Field(description="Share of all exits taken at this node, 0 to 1")
    drop_off: int = Field(description="Abandoned conversations whose last exit this was")
    drop_off_rate: float = Field(description="drop_off / visits, 0 to 1")


class HeatmapNode(Model):
    """A node that conversations reached. In a sub-flow, `flow_id` is the sub-flow's."""

    flow_id: str
    node_id: str
    visits: int = Field(description="How often it was reached, also several times in one conversation")
    share: float = Field(description="Share of the conversations that reached it, 0 to 1")
    drop_off: int = Field(description="Conversations abandoned here: they ended without completion and handoff")
    drop_off_rate: float = Field(description="drop_off / conversations that reached it, 0 to 1")
    still_here: int = Field(description="Conversations that have not ended, and whose last node this is")
    exits: list[HeatmapExit] = Field(description="The most taken first")


class HeatmapResponse(Report):
    """Where a flow's conversations went, and where they were abandoned. Nodes that were never reached are not listed."""

    conversations: int = Field(description="All conversations that began in the period")
    nodes: list[HeatmapNode] = Field(description="The most visited first")


class DayCounts(Model):
    """One day in the organization's time zone."""

    date: date
    messages: int = Field(description="Messages of people, of the bot and of agents on this day")
    conversations: int = Field(description="Conversations that began on this day")
    unique_users: int = Field(description="People who wrote on this day")


class DailyActivityResponse(Report):
    """Every day of the period in order, including days without activity."""

    days: list[DayCounts]


class Segment(Model):
    """People by the number of messages they wrote in the period's conversations."""

    count: int
    share: float = Field(description="Share of all people who wrote, 0 to 1; 0 without people")


class Segments(Model):
    """People by how many messages they wrote."""

    power: Segment = Field(description="20 messages and more")
    active: Segment = Field(description="5 to 19 messages")
    inactive: Segment = Field(description="1 to 4 messages")


class UserSegmentsResponse(Report):
    """How many people write much, and how many write little."""

    segments: Segments


@router.get(
    f"{BASE}/report",
    summary="A flow's conversations, messages and durations",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_flow_report(flow_id: FlowId, days: Count = 30, from_: From = None, to: To = None) -> FlowReportResponse:
    found = ask_lake(wiring.reports().flow_report, flow_id, Days(days, from_, to))
    return FlowReportResponse.model_validate(found)


@router.get(
    f"{BASE}/nodes-heatmap",
    summary="Visits, share and drop-off per node and exit",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_nodes_heatmap(flow_id: FlowId, days: Count = 30, from_: From = None, to: To = None) -> HeatmapResponse:
    found = ask_lake(wiring.reports().nodes_heatmap, flow_id, Days(days, from_, to))
    return HeatmapResponse.model_validate(found)


@router.get(
    f"{BASE}/daily-activity",
    summary="Messages, conversations and people per day",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_daily_activity(flow_id: FlowId, days: Count = 30, from_: From = None, to: To = None) -> DailyActivityResponse:
    found = ask_lake(wiring.reports().daily_activity, flow_id, Days(days, from_, to))
    return DailyActivityResponse.model_validate(found)


@router.get(
    f"{BASE}/user-segments",
    summary="People by how many messages they write",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def get_user_segments(flow_id: FlowId, days: Count = 30, from_: From = None, to: To = None) -> UserSegmentsResponse:
    found = ask_lake(wiring.reports().user_segments, flow_id, Days(days, from_, to))
    return UserSegmentsResponse.model_validate(found)


def ask_lake(report: Callable[[str, str, Days], Found], flow_id: str, days: Days) -> Found:
    """What a report of a flow answers to the caller. Raises its problems: `PROBLEMS`."""
    who = caller(router, *ROLES)
    with lake_problems():
        return report(who.organization_id, flow_id, days)


@contextmanager
def lake_problems() -> Iterator[None]:
    """Turns the errors of reports and queries into problems."""
    try:
        yield
    except UnknownFlowError as error:
        raise flow_unknown(str(error)) from None
    except PeriodError as error:
        raise unprocessable("period_invalid", str(error)) from None
    except QueryNotReadyError:
        detail = "The report is still being prepared. Repeat the request in a few seconds: the work continues."
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "report_not_ready",
            detail,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from None
    except QueryTooLargeError:
        detail = (
            "The report would read more than this deployment allows for one query (QueryScanLimitBytes). "
            "Ask for fewer days, or ask the operator to raise the limit."
        )
        raise unprocessable("report_too_large", detail) from None
