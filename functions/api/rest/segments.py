"""Segments: sets of contacts by conditions, for campaigns. Their members are people, so only agents and admins see them."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, StringConstraints

import pytake.wiring.api as wiring
from pytake.contacts.manage_segments import SegmentChangedError, SegmentsFullError
from pytake.contacts.segment_ports import SegmentUnknownError
from pytake.contacts.segments import Condition, Segment, SegmentError, SegmentQuery
from pytake.conversation.ports.common import ConflictError
from rest.caller import Role, caller
from rest.contacts import ContactResponse, contact_response
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable
from rest.reports import lake_problems
from rest.revisions import changed, expected_revision, if_match, tagged

READERS: tuple[Role, ...] = ("builder", "agent", "analyst")
WRITERS: tuple[Role, ...] = ("builder", "agent")
LAKE_PROBLEMS = ("report_not_ready", "report_too_large")

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

SegmentId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="The segment's id: letters, digits, `.`, `_`, `-`")
]
IfMatch = Annotated[str | None, if_match("segment")]


class SegmentCondition(ApiModel):
    """A comparison of a contact's field, with the operators of flows.

    `field`: `tags`, `name`, `language`, `country`, `phone`, `user_id`, `username`, `numbers` (ids of phone numbers where the
    person has a conversation), `last_activity`, `created_at`, `fields.NAME`, `consent.service`, `consent.utility`,
    `consent.marketing` (`granted`, `withdrawn` or `unknown`), or `flow.started`, `flow.completed`, `flow.handed_off`,
    `flow.expired` with the id of a flow as value.
    """

    model_config = ConfigDict(extra="forbid")

    field: str = Field(min_length=1, max_length=200)
    operator: str = Field(
        min_length=1, max_length=20, description="As in conditions of flows; `flow.…` has `==` and `!=` only"
    )
    value: Any = Field(
        default=None, description='A text, a number or a list. Of a time: `2026-11-01` or `{"days_ago": 30}`'
    )
    days: int | None = Field(default=None, description="How far back `flow.…` looks; 90 if not given, at most 365")


class AudienceQuery(ApiModel):
    """A query of the lake that names people by their pseudonyms: `reached_node` (`flow_id`, `node_id`) or `answered` (`flow_id`,
    `variable`, `value`). Both take `days`, 90 if not given."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    parameters: dict[str, Any] = Field(default_factory=dict)


class SegmentSettings(ApiModel):
    """A contact belongs to the segment when every condition of `all` holds, one of `any` if there are some, and the query names
    them. Without conditions and query, all contacts do."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    all: list[SegmentCondition] = Field(default=[], max_length=50)
    any: list[SegmentCondition] = Field(default=[], max_length=50)
    query: AudienceQuery | None = None


class SegmentResponse(SegmentSettings):
    """A segment as it is stored."""

    id: str
    updated_at: datetime


class SegmentList(ApiModel):
    """The organization's segments, by id."""

    segments: list[SegmentResponse]


class SegmentCountResponse(ApiModel):
    """How many contacts belong to the segment, as of a time. `count` null: counting goes on; ask again."""

    count: int | None
    as_of: datetime
    seen: int = Field(description="How many contacts are counted so far")


class SegmentPreview(ApiModel):
    """Members among the newest 1,000 contacts. `complete`: the segment has no others."""

    contacts: list[ContactResponse]
    complete: bool


@router.get(
    "/api/v1/segments",
    summary="The organization's segments",
    tags=["Segments"],
    openapi_extensions=route_docs(*READERS),
)
def list_segments() -> SegmentList:
    who = caller(router, *READERS)
    return SegmentList(segments=[_response(segment) for segment in wiring.manage_segments().all(who.organization_id)])


@router.get(
    "/api/v1/segments/<segment_id>",
    summary="A segment",
    tags=["Segments"],
    openapi_extensions=route_docs(*READERS, problems=["segment_unknown"], tagged=True),
)
def get_segment(segment_id: SegmentId) -> Response[SegmentResponse]:
    who = caller(router, *READERS)
    return _tagged(_known(who.organization_id, segment_id))


@router.put(
    "/api/v1/segments/<segment_id>",
    summary="Create or change a segment",
    tags=["Segments"],
    openapi_extensions=route_docs(
        *WRITERS, problems=["segment_invalid", "segment_changed", "segments_full", "conversation_busy"], tagged=True
    ),
)
def put_segment(segment_id: SegmentId, request: SegmentSettings, given: IfMatch = None) -> Response[SegmentResponse]:
    """Replaces name, conditions and query. A campaign that has frozen its audience keeps it."""
    who = caller(router, *WRITERS)
    query = SegmentQuery(request.query.name, request.query.parameters) if request.query is not None else None
    segment = Segment(
        id=segment_id, name=request.name, all=_conditions(request.all), any=_conditions(request.any), query=query
    )
    expected = expected_revision(given)
    try:
        return _tagged(wiring.manage_segments().put(who.organization_id, segment, who.author(), expected))
    except SegmentError as error:
        raise unprocessable("segment_invalid", str(error), field=error.path) from None
    except SegmentsFullError:
        detail = "The organization has as many segments as it may have. Delete one that is not used."
        raise unprocessable("segments_full", detail) from None
    except SegmentChangedError as error:
        raise changed("segment_changed", "changed or deleted the segment", error.revision) from None
    except ConflictError:
        raise conflict("conversation_busy", "Another request is writing the segment. Try again.") from None


@router.delete(
    "/api/v1/segments/<segment_id>",
    summary="Delete a segment",
    tags=["Segments"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs(*WRITERS, problems=["segment_unknown"]),
)
def delete_segment(segment_id: SegmentId) -> Response[str]:
    """The contacts stay. A campaign that has frozen its audience keeps it."""
    who = caller(router, *WRITERS)
    try:
        wiring.manage_segments().delete(who.organization_id, segment_id, who.author())
    except SegmentUnknownError:
        raise _unknown(segment_id) from None
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


@router.get(
    "/api/v1/segments/<segment_id>/count",
    summary="How many contacts a segment has",
    tags=["Segments"],
    openapi_extensions=route_docs(*READERS, problems=["segment_unknown", *LAKE_PROBLEMS]),
)
def count_segment(segment_id: SegmentId) -> Response[SegmentCountResponse]:
    """Counts the contacts as they are now. With so many contacts that this takes longer than two seconds, the answer is 202
    until repeated requests have counted all; the count is then kept for five minutes, and `as_of` says its time."""
    who = caller(router, *READERS)
    try:
        with lake_problems():
            found = wiring.manage_segments().count(who.organization_id, segment_id)
    except SegmentUnknownError:
        raise _unknown(segment_id) from None
    body = SegmentCountResponse(count=found.count, as_of=datetime.fromtimestamp(found.as_of, UTC), seen=found.seen)
    if found.count is None:
        headers: dict[str, str | list[str]] = {"Retry-After": "1"}
        return Response(
            status_code=HTTPStatus.ACCEPTED.value, content_type="application/json", body=body, headers=headers
        )
    return Response(status_code=HTTPStatus.OK.value, content_type="application/json", body=body)


@router.get(
    "/api/v1/segments/<segment_id>/preview",
    summary="Some contacts of a segment",
    tags=["Segments"],
    openapi_extensions=route_docs("agent", problems=["segment_unknown", *LAKE_PROBLEMS]),
)
def preview_segment(segment_id: SegmentId, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> SegmentPreview:
    """The newest contacts first. The preview looks at the newest 1,000 contacts of the organization."""
    who = caller(router, "agent")
    try:
        with lake_problems():
            preview = wiring.manage_segments().preview(who.organization_id, segment_id, limit)
    except SegmentUnknownError:
        raise _unknown(segment_id) from None
    return SegmentPreview(
        contacts=[contact_response(contact) for contact in preview.contacts], complete=preview.complete
    )


def _conditions(given: list[SegmentCondition]) -> list[Condition]:
    return [Condition(one.field, one.operator.strip(), one.value, one.days) for one in given]


def _known(organization_id: str, segment_id: str) -> Segment:
    try:
        return wiring.manage_segments().get(organization_id, segment_id)
    except SegmentUnknownError:
        raise _unknown(segment_id) from None


def _response(segment: Segment) -> SegmentResponse:
    def conditions(found: list[Condition]) -> list[SegmentCondition]:
        return [
            SegmentCondition(field=one.field, operator=one.operator, value=one.value, days=one.days) for one in found
        ]

    query = segment.query
    return SegmentResponse(
        id=segment.id,
        name=segment.name,
        all=conditions(segment.all),
        any=conditions(segment.any),
        query=AudienceQuery(name=query.name, parameters=query.parameters) if query is not None else None,
        updated_at=datetime.fromtimestamp(segment.updated_at, UTC),
    )


def _tagged(segment: Segment) -> Response[SegmentResponse]:
    return tagged(_response(segment), segment.revision)


def _unknown(segment_id: str) -> ProblemError:
    return not_found("segment_unknown", f"There is no segment {segment_id!r}. GET /api/v1/segments lists the segments.")
