"""Campaigns: one template to the people of a segment, each at most once."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.campaigns.manage import (
    CampaignChangedError,
    CampaignReport,
    CampaignStateError,
    UnknownCampaignError,
)
from pytake.campaigns.records import Campaign, CampaignStatus, Waiting
from pytake.contacts.segment_ports import SegmentUnknownError
from pytake.conversation.opening import StartRefusedError
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.engine import FlowError
from rest.caller import caller
from rest.campaign_counts import CampaignCounts, counts_of
from rest.campaign_results import CampaignResultsResponse, Goal, results_answer
from rest.campaign_settings import ID, MILLION, CampaignSettings, definition_of, settings_of
from rest.comparisons import SmallestEffect
from rest.cursor import read_list_cursor, write_list_cursor
from rest.idempotency import idempotency_key, queue_unavailable
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import DEFAULT_LIMIT, Cursor, Limit, page_link
from rest.people import person
from rest.problems import ProblemError, conflict, not_found, unprocessable
from rest.revisions import changed, expected_revision, if_match, tagged
from rest.starts import REFUSALS

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

_LIST = "campaigns"
_CHECKS = ("number_unknown", "segment_unknown", "start_refused", "template_invalid")

CampaignId = Annotated[str, Path(pattern=ID, description="The campaign's id: letters, digits, `.`, `_`, `-`")]
IfMatch = Annotated[str | None, if_match("definition")]


class CampaignWarning(ApiModel):
    """What has to be corrected before the start: the code, and the place in the campaign."""

    code: Literal["media_unknown", "media_unsupported"]
    field: str
    message: str


class CampaignResponse(CampaignSettings):
    """A campaign. `reason` says why it paused or stopped by itself, `waiting` why it rests at the moment: the audience
    is being frozen, quiet hours, Meta's day limit, or the organization's budget.

    `pace` is the share of the allowed rate that a running campaign has: below 1, Meta has refused messages because they came too
    fast, and the campaign slowed down. It recovers by itself.

    `warnings` are library files with which nothing can be sent; a campaign with one is not started, resumed or tested.

    `counts` and `cost` are those of the messages so far; the outcomes of a message are complete after 72 hours."""

    campaign_id: str
    status: CampaignStatus
    status_at: datetime
    reason: str | None
    waiting: Waiting | None
    created_at: datetime
    started_at: datetime | None
    counts: CampaignCounts
    cost: float
    pace: float
    warnings: list[CampaignWarning]


class CampaignEntry(ApiModel):
    """A campaign in the list."""

    campaign_id: str
    name: str
    status: CampaignStatus
    status_at: datetime
    phone_number_id: str
    segment_id: str
    start_at: datetime | None
    started_at: datetime | None


class CampaignTest(ApiModel):
    """Who gets the campaign's template now. Consent counts as always; the campaign's counts do not change."""

    model_config = ConfigDict(extra="forbid")

    people: list[Annotated[str, Field(min_length=1, max_length=150)]] = Field(min_length=1, max_length=10)
    variant: str = Field(default="", max_length=32)


class CampaignTestAnswer(ApiModel):
    """The ids of the turns that send it."""

    message_ids: list[str]


@router.get(
    "/api/v1/campaigns",
    summary="Campaigns by id",
    tags=["Campaigns"],
    openapi_extensions=route_docs("builder", "analyst", problems=["cursor_invalid"], paged=True),
)
def list_campaigns(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[list[CampaignEntry]]:
    who = caller(router, "builder", "analyst")
    after = read_list_cursor(_LIST, who.organization_id, cursor) if cursor is not None else ""
    found = wiring.manage_campaigns().page(who.organization_id, limit + 1, after)
    shown = [_entry(campaign) for campaign in found[:limit]]
    following = write_list_cursor(_LIST, who.organization_id, shown[-1].campaign_id) if len(found) > limit else None
    return page_link("/api/v1/campaigns", shown, {"limit": limit}, following)


@router.get(
    "/api/v1/campaigns/<campaign_id>",
    summary="A campaign with its counts and cost",
    tags=["Campaigns"],
    openapi_extensions=route_docs("builder", "analyst", problems=["campaign_unknown"], tagged=True, polled=True),
)
def get_campaign(campaign_id: CampaignId) -> Response[CampaignResponse]:
    who = caller(router, "builder", "analyst")
    try:
        return _tagged(wiring.manage_campaigns().get(who.organization_id, campaign_id))
    except UnknownCampaignError:
        raise _unknown(campaign_id) from None


@router.get(
    "/api/v1/campaigns/<campaign_id>/results",
    summary="A campaign's variants and its holdout, compared",
    tags=["Campaigns"],
    openapi_extensions=route_docs("builder", "analyst", problems=["campaign_unknown"], polled=True),
)
def get_campaign_results(
    campaign_id: CampaignId, goal: Goal = "replied", smallest_effect: SmallestEffect = 0.02
) -> CampaignResultsResponse:
    """Look as often as you like: the stated error is that of all looks. Outcomes are complete 72 hours after the last message."""
    who = caller(router, "builder", "analyst")
    try:
        found = wiring.manage_campaigns().results(who.organization_id, campaign_id, goal, smallest_effect)
    except UnknownCampaignError:
        raise _unknown(campaign_id) from None
    return results_answer(found)


@router.put(
    "/api/v1/campaigns/<campaign_id>",
    summary="Define a campaign",
    tags=["Campaigns"],
    openapi_extensions=route_docs(
        "builder", problems=["campaign_state", "campaign_changed", "campaign_busy"], tagged=True
    ),
)
def put_campaign(
    campaign_id: CampaignId, request: CampaignSettings, given: IfMatch = None
) -> Response[CampaignResponse]:
    """Creates a draft, or replaces the definition. Once it is started, only `name`, `quiet_hours`, `pace_per_second` and
    `spend_cap` may change: audience and message stay as they are."""
    who = caller(router, "builder")
    expected = expected_revision(given)
    manage, definition = wiring.manage_campaigns(), definition_of(request)
    try:
        return _tagged(manage.put(who.organization_id, campaign_id, definition, who.subject, expected))
    except CampaignChangedError as error:
        raise changed("campaign_changed", "changed the campaign", error.revision) from None
    except (CampaignStateError, ConflictError) as error:
        raise _refused(campaign_id, error) from None


@router.post(
    "/api/v1/campaigns/<campaign_id>/start",
    summary="Start a campaign",
    tags=["Campaigns"],
    openapi_extensions=route_docs(
        "builder", problems=["campaign_unknown", "campaign_state", "campaign_busy", *_CHECKS], tagged=True
    ),
)
def start_campaign(campaign_id: CampaignId) -> Response[CampaignResponse]:
    """Freezes the audience, at `start_at` if that is later, and sends. A second start sends nothing."""
    return _step(campaign_id, wiring.manage_campaigns().start)


@router.post(
    "/api/v1/campaigns/<campaign_id>/pause",
    summary="Pause a campaign",
    tags=["Campaigns"],
    openapi_extensions=route_docs(
        "builder", problems=["campaign_unknown", "campaign_state", "campaign_busy"], tagged=True
    ),
)
def pause_campaign(campaign_id: CampaignId) -> Response[CampaignResponse]:
    """No further recipient is released. Messages that were released already leave within about a minute."""
    return _step(campaign_id, wiring.manage_campaigns().pause)


@router.post(
    "/api/v1/campaigns/<campaign_id>/resume",
    summary="Resume a campaign",
    tags=["Campaigns"],
    openapi_extensions=route_docs(
        "builder",
        problems=[
            "campaign_unknown",
            "campaign_state",
            "campaign_busy",
            "number_unknown",
            "start_refused",
            "template_invalid",
        ],
        tagged=True,
    ),
)
def resume_campaign(campaign_id: CampaignId) -> Response[CampaignResponse]:
    """Continues with the next recipient, after a pause or after the breaker stopped the campaign. Refused as the start is: when
    nothing could be sent."""
    return _step(campaign_id, wiring.manage_campaigns().resume)


@router.post(
    "/api/v1/campaigns/<campaign_id>/cancel",
    summary="Cancel a campaign",
    tags=["Campaigns"],
    openapi_extensions=route_docs(
        "builder", problems=["campaign_unknown", "campaign_state", "campaign_busy"], tagged=True
    ),
)
def cancel_campaign(campaign_id: CampaignId) -> Response[CampaignResponse]:
    """Ends it for good. What was sent stays counted, and answers still start the flow."""
    return _step(campaign_id, wiring.manage_campaigns().cancel)


@router.post(
    "/api/v1/campaigns/<campaign_id>/test",
    summary="Send a campaign to a few people",
    tags=["Campaigns"],
    status_code=HTTPStatus.ACCEPTED.value,
    openapi_extensions=route_docs(
        "builder",
        problems=["campaign_unknown", "variant_unknown", "person_invalid", "queue_unavailable", *_CHECKS],
    ),
)
def try_campaign(
    campaign_id: CampaignId,
    request: CampaignTest,
    key: Annotated[str | None, idempotency_key("sends")] = None,
) -> Response[CampaignTestAnswer]:
    """Sends the template now, whatever the campaign's status. Answers start its flow."""
    who = caller(router, "builder")
    manage, request_id = wiring.manage_campaigns(), key or who.request_id
    people = [person(one) for one in request.people]
    try:
        names = [variant.name for variant in manage.get(who.organization_id, campaign_id).campaign.definition.variants]
        if request.variant not in (names or [""]):
            known = ", ".join(names) if names else "none"
            raise unprocessable("variant_unknown", f"The campaign has no such variant; it has {known}.")
        queued = manage.try_out(
            who.organization_id, campaign_id, people, request.variant, request_id, correlation_id=who.request_id
        )
    except QueueingFailedError:
        detail = "Not all messages were queued. Repeat the request with this Idempotency-Key."
        raise queue_unavailable(detail, request_id) from None
    except (*_STATES, *_REFUSALS) as error:
        raise _refused(campaign_id, error) from None
    body = CampaignTestAnswer(message_ids=[one.message_id for one in queued])
    return Response(status_code=HTTPStatus.ACCEPTED.value, content_type="application/json", body=body)


def _step(campaign_id: str, step: Callable[[str, str, str], CampaignReport]) -> Response[CampaignResponse]:
    """The campaign after a step of its life."""
    who = caller(router, "builder")
    try:
        return _tagged(step(who.organization_id, campaign_id, who.subject))
    except (*_STATES, *_REFUSALS) as error:
        raise _refused(campaign_id, error) from None


_STATES = (UnknownCampaignError, CampaignStateError, ConflictError)
_REFUSALS = (UnknownNumberError, SegmentUnknownError, StartRefusedError, FlowError)


def _refused(campaign_id: str, error: Exception) -> ProblemError:
    match error:
        case UnknownCampaignError():
            return _unknown(campaign_id)
        case CampaignStateError():
            detail = f"The campaign is {error.status}; this does not allow the request."
            return conflict("campaign_state", detail, campaign_status=error.status)
        case UnknownNumberError():
            return not_found("number_unknown", "This organization does not have the campaign's phone number.")
        case SegmentUnknownError():
            return not_found("segment_unknown", "This organization does not have the campaign's segment.")
        case StartRefusedError():
            return conflict("start_refused", f"Nothing can be sent: {error.code}.", reason=error.code)
        case FlowError():
            return unprocessable("template_invalid", f"An expression in the template is not valid: {error}")
        case _:
            return conflict("campaign_busy", "Others are writing the campaign. Try again.")


def _unknown(campaign_id: str) -> ProblemError:
    return not_found("campaign_unknown", f"There is no campaign {campaign_id!r}. GET /api/v1/campaigns lists them.")


def _answer(report: CampaignReport) -> CampaignResponse:
    campaign = report.campaign
    return CampaignResponse(
        **settings_of(campaign.definition),
        campaign_id=campaign.campaign_id,
        status=campaign.status,
        status_at=datetime.fromtimestamp(campaign.status_at, UTC),
        reason=campaign.reason,
        waiting=campaign.waiting,
        created_at=datetime.fromtimestamp(campaign.created_at, UTC),
        started_at=_time(campaign.started_at),
        counts=counts_of(report.counts),
        cost=report.counts.cost_micros / MILLION,
        pace=round(report.pace, 4),
        warnings=[
            CampaignWarning(code=found.code, field=found.field, message=REFUSALS[found.code]) for found in report.files
        ],
    )


def _entry(campaign: Campaign) -> CampaignEntry:
    definition = campaign.definition
    return CampaignEntry(
        campaign_id=campaign.campaign_id,
        name=definition.name,
        status=campaign.status,
        status_at=datetime.fromtimestamp(campaign.status_at, UTC),
        phone_number_id=definition.phone_number_id,
        segment_id=definition.segment_id,
        start_at=_time(definition.start_at),
        started_at=_time(campaign.started_at),
    )


def _time(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


def _tagged(report: CampaignReport) -> Response[CampaignResponse]:
    return tagged(_answer(report), report.campaign.definition_revision)
