"""Flows: drafts, publishing, versions, rollback.

Two people may work on one draft. A client that sends the `ETag` it read as `If-Match` never overwrites a change that it has not
seen (RFC 9110, section 13).
"""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.flow_authoring import Draft, NotPublishableError, UnknownFlowError
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import DraftChangedError, ExpectedDraft
from pytake.conversation.records import FlowChange, FlowSummary, FlowVersion
from pytake.engine import Problem
from rest.caller import caller
from rest.cursor import read_list_cursor, read_version_cursor, write_list_cursor
from rest.flow_problems import FlowProblem, flow_problems
from rest.identifiers import FlowId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import DEFAULT_LIMIT, Cursor, Limit, page_response
from rest.problems import ProblemError, conflict, flow_unknown, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=r'^(\*|"[0-9]{1,15}")$',
        description='Only if the stored draft has this `ETag`, such as `"3"`; `*`: only if there is a draft',
    ),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", pattern=r"^\*$", description="`*`: only if there is no draft yet")
]


class FlowDraft(ApiModel):
    """A draft as it was saved, with the prover's problems. `saved_by`: the subject of the token that saved it."""

    flow_id: str
    document: dict[str, Any]
    problems: list[FlowProblem]
    saved_at: datetime | None
    saved_by: str | None


class FlowFiling(ApiModel):
    """How a flow is filed. An archived flow is only hidden in lists: a published version of it runs on."""

    model_config = ConfigDict(extra="forbid")

    folder: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"\S")
    tags: list[Annotated[str, Field(min_length=1, max_length=64, pattern=r"\S")]] = Field(
        default_factory=list, max_length=20
    )
    archived: bool = Field(default=False, strict=True)


class FlowSummaryResponse(ApiModel):
    """A flow with its published version (null: not published), how it is filed, and who changed it last: the subject of the
    token (null: it was changed before this was recorded)."""

    flow_id: str
    name: str
    latest_version: int
    published_version: int | None
    updated_at: datetime
    updated_by: str | None
    last_change: FlowChange
    folder: str | None
    tags: list[str]
    archived: bool


class PublishedVersion(ApiModel):
    """An immutable version. Its sub-flows are pinned with it."""

    flow_id: str
    version: int
    published_at: datetime
    published_by: str
    sub_flows: list[str] = Field(default_factory=list)
    problems: list[FlowProblem] = Field(default_factory=list)


class VersionDocuments(PublishedVersion):
    """A version with the flow as it was published, and the sub-flows pinned with it."""

    document: dict[str, Any]
    sub_flow_documents: dict[str, dict[str, Any]] = Field(default_factory=dict, description="By flow id")


class Rollback(ApiModel):
    """The version that new sessions get again."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, strict=True)


@router.get(
    "/api/v1/flows",
    summary="The organization's flows",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", "analyst", "agent", problems=["cursor_invalid"], paged=True),
)
def list_flows(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[list[FlowSummaryResponse]]:
    who = caller(router, "builder", "analyst", "agent")
    after = read_list_cursor("flows", who.organization_id, cursor) if cursor is not None else ""
    found = wiring.flows().summaries(who.organization_id, limit + 1, after)
    shown = found[:limit]
    rest = write_list_cursor("flows", who.organization_id, shown[-1].flow_id) if len(found) > limit else None
    return page_response("/api/v1/flows", [summary_response(summary) for summary in shown], limit, rest)


@router.put(
    "/api/v1/flows/<flow_id>",
    summary="Save a draft, also one with errors",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", problems=["flow_id_mismatch", "draft_changed", "draft_exists"], tagged=True
    ),
)
def save_draft(
    flow_id: FlowId,
    document: Annotated[dict[str, Any], Body(description="The flow document")],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[FlowDraft]:
    """Without `If-Match` or `If-None-Match` the draft is replaced in any case."""
    who = caller(router, "builder")
    if document.get("id", flow_id) != flow_id:
        theirs, ours = json.dumps(document["id"], ensure_ascii=False), json.dumps(flow_id)
        detail = f"The id in the document is {theirs}, the id in the address is {ours}. They must be the same."
        raise unprocessable("flow_id_mismatch", detail)
    expected: ExpectedDraft | None = "none" if if_none_match is not None else None
    if if_match is not None:
        expected = _expected(if_match)
    try:
        saved = wiring.flow_authoring().save_draft(who.organization_id, flow_id, document, expected, who.subject)
        return draft_response(saved)
    except DraftChangedError as error:
        raise draft_changed(flow_id, error.revision, expected) from None


@router.get(
    "/api/v1/flows/<flow_id>",
    summary="The draft of a flow",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", "analyst", "agent", problems=["flow_unknown"], tagged=True),
)
def get_draft(flow_id: FlowId) -> Response[FlowDraft]:
    who = caller(router, "builder", "analyst", "agent")
    try:
        return draft_response(wiring.flow_authoring().draft(who.organization_id, flow_id))
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None


@router.get(
    "/api/v1/flows/<flow_id>/versions",
    summary="The published versions, newest first",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", "analyst", "agent", problems=["flow_unknown", "cursor_invalid"], paged=True
    ),
)
def list_flow_versions(
    flow_id: FlowId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response[list[PublishedVersion]]:
    who = caller(router, "builder", "analyst", "agent")
    name = f"versions of {flow_id}"
    before = read_version_cursor(name, who.organization_id, cursor) if cursor is not None else None
    flows = wiring.flows()
    found = flows.versions(who.organization_id, flow_id, limit + 1, before)
    if not found and flows.summary(who.organization_id, flow_id) is None:
        raise flow_unknown(flow_id)
    shown = found[:limit]
    rest = write_list_cursor(name, who.organization_id, str(shown[-1].version)) if len(found) > limit else None
    versions = [_version(version, []) for version in shown]
    return page_response(f"/api/v1/flows/{flow_id}/versions", versions, limit, rest)


@router.get(
    "/api/v1/flows/<flow_id>/versions/<version>",
    summary="A version as it was published",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", "analyst", "agent", problems=["version_unknown"]),
)
def get_flow_version(flow_id: FlowId, version: Annotated[int, Path(ge=1)]) -> VersionDocuments:
    who = caller(router, "builder", "analyst", "agent")
    found = wiring.flows().version(who.organization_id, flow_id, version)
    if found is None:
        raise _unknown_version(flow_id, version)
    documents = dict(found.documents)
    document = documents.pop(flow_id)
    shown = _version(found, []).model_dump()
    return VersionDocuments(**shown, document=document, sub_flow_documents=documents)


@router.post(
    "/api/v1/flows/<flow_id>/publish",
    summary="Publish the draft as the next version",
    tags=["Flows"],
    openapi_extensions=route_docs(
        "builder", problems=["flow_unknown", "flow_has_errors", "published_meanwhile", "draft_changed"]
    ),
)
def publish_flow(flow_id: FlowId, if_match: IfMatch = None) -> PublishedVersion:
    """Safe to repeat: a draft that equals the published version creates no new version. With `If-Match`, exactly the draft that
    you have read is published, or none."""
    who = caller(router, "builder")
    expected = _expected(if_match) if if_match is not None else "any"
    try:
        version, problems = wiring.flow_authoring().publish(
            who.organization_id, flow_id, who.subject, None if expected == "any" else expected
        )
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None
    except DraftChangedError as error:
        raise draft_changed(flow_id, error.revision, expected) from None
    except NotPublishableError as error:
        listed = [msgspec.to_builtins(problem) for problem in error.problems]
        detail = "The flow has errors. Correct the listed `problems`, save the draft and publish again."
        raise unprocessable("flow_has_errors", detail, problems=listed) from None
    except ConflictError:
        detail = "This flow was published by another request at the same moment. Read that version, then publish again."
        raise conflict("published_meanwhile", detail) from None
    return _version(version, problems)


@router.post(
    "/api/v1/flows/<flow_id>/rollback",
    summary="Give new sessions another published version",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["version_unknown"]),
)
def roll_back_flow(flow_id: FlowId, request: Rollback) -> FlowSummaryResponse:
    who = caller(router, "builder")
    try:
        summary = wiring.flow_authoring().rollback(who.organization_id, flow_id, request.version, who.subject)
    except UnknownFlowError:
        raise _unknown_version(flow_id, request.version) from None
    return summary_response(summary)


def _unknown_version(flow_id: str, version: int) -> Exception:
    return not_found("version_unknown", f"The flow {flow_id!r} has no version {version}, or does not exist.")


def saved_draft(organization_id: str, flow_id: str) -> dict[str, Any]:
    """The document of a saved draft. Raises the 404 problem `flow_unknown`."""
    try:
        return wiring.flow_authoring().draft(organization_id, flow_id).stored.document
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None


def draft_response(draft: Draft) -> Response[FlowDraft]:
    """A draft with its tag."""
    stored = draft.stored
    body = FlowDraft(
        flow_id=draft.flow_id,
        document=stored.document,
        problems=flow_problems(draft.problems, stored.document),
        saved_at=datetime.fromtimestamp(stored.saved_at, UTC) if stored.saved_at else None,
        saved_by=stored.saved_by or None,
    )
    return Response(
        status_code=HTTPStatus.OK.value,
        content_type="application/json",
        body=body,
        headers={"ETag": _tag(stored.revision)},
    )


def _tag(revision: int) -> str:
    return f'"{revision}"'


def _expected(if_match: str) -> int | Literal["any"]:
    return "any" if if_match == "*" else int(if_match.strip('"'))


def draft_changed(flow_id: str, revision: int | None, expected: ExpectedDraft | None) -> ProblemError:
    """The problem of a draft that is not the expected one, with the tag of the stored draft."""
    headers = {"ETag": _tag(revision)} if revision is not None else {}
    address = f"GET /api/v1/flows/{flow_id}"
    if expected == "none":
        detail = f"A draft of {flow_id!r} exists already. {address} returns it; choose another id."
        return ProblemError(HTTPStatus.PRECONDITION_FAILED, "draft_exists", detail, headers=headers)
    detail = (
        f"There is no draft of {flow_id!r}. Omit If-Match to create one."
        if revision is None
        else f"Another request has saved the draft of {flow_id!r}. {address} returns that draft and its ETag: "
        "merge the two and try again with that ETag."
    )
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, "draft_changed", detail, headers=headers)


def summary_response(summary: FlowSummary) -> FlowSummaryResponse:
    """A flow as the list shows it."""
    filed = summary.metadata
    return FlowSummaryResponse(
        flow_id=summary.flow_id,
        name=summary.name,
        latest_version=summary.latest_version,
        published_version=summary.published_version,
        updated_at=datetime.fromtimestamp(summary.updated_at, UTC),
        updated_by=summary.updated_by or None,
        last_change=summary.last_change,
        folder=filed.folder,
        tags=filed.tags,
        archived=filed.archived,
    )


def _version(version: FlowVersion, problems: list[Problem]) -> PublishedVersion:
    return PublishedVersion(
        flow_id=version.flow_id,
        version=version.version,
        published_at=datetime.fromtimestamp(version.published_at, UTC),
        published_by=version.published_by,
        sub_flows=version.sub_flows,
        problems=flow_problems(problems),
    )
