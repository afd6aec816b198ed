"""How builders keep their flows in order: folders, tags, the archive, copies."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import DraftChangedError
from pytake.conversation.records import FlowMetadata
from pytake.wiring.flow_tests import flow_testing
from rest.caller import caller
from rest.flows import (
    FlowDraft,
    FlowFiling,
    FlowSummaryResponse,
    draft_changed,
    draft_response,
    summary_response,
)
from rest.identifiers import FLOW_ID, FlowId
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import flow_unknown

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class FlowCopy(ApiModel):
    """The new flow. Without a name it keeps that of the original."""

    model_config = ConfigDict(extra="forbid")

    flow_id: str = Field(pattern=FLOW_ID)
    name: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"\S")


@router.put(
    "/api/v1/flows/<flow_id>/metadata",
    summary="Put a flow into a folder, tag it, archive it",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["flow_unknown"]),
)
def file_flow(flow_id: FlowId, filing: FlowFiling) -> FlowSummaryResponse:
    """Replaces folder, tags and archive mark. Neither the draft nor the published version changes."""
    who = caller(router, "builder")
    tags = list(dict.fromkeys(filing.tags))
    metadata = FlowMetadata(filing.folder, tags, filing.archived)
    try:
        return summary_response(wiring.flow_authoring().file(who.organization_id, flow_id, metadata, who.subject))
    except (UnknownFlowError, ConflictError):
        raise flow_unknown(flow_id) from None


@router.post(
    "/api/v1/flows/<flow_id>/duplicate",
    summary="Copy the draft of a flow",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["flow_unknown", "draft_exists"], tagged=True),
)
def duplicate_flow(flow_id: FlowId, copy: FlowCopy) -> Response[FlowDraft]:
    """The copy is a draft of its own, in the same folder, with the same tags and tests. Repeating the request changes nothing."""
    who = caller(router, "builder")
    try:
        copied = wiring.flow_authoring().duplicate(who.organization_id, flow_id, copy.flow_id, copy.name, who.subject)
    except UnknownFlowError:
        raise flow_unknown(flow_id) from None
    except DraftChangedError as error:
        raise draft_changed(copy.flow_id, error.revision, "none") from None
    flow_testing().copy(who.organization_id, flow_id, copy.flow_id)
    return draft_response(copied)
