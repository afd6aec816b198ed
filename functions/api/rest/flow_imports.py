"""Importing flows of other platforms."""

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

SourceFormat = Annotated[
    str | None,
    Query(
        pattern=r"^(typebot|rapidpro|glific|pytake|whatsapp-flow)$",
        description="`typebot`, `rapidpro`, `glific`, `pytake` or `whatsapp-flow`. Recognised if left out",
    ),
]


class ImportLoss(ApiModel):
    """What an imported flow does not do as the source did, where, and what to do about it."""

    code: str
    severity: str = Field(
        description="`blocker`: the conversation cannot go on as it did; `loss`: something is missing or different; `note`: "
        "the conversation goes on as it did, and there is something to check"
    )
    source: str = Field(description="The place in the export")
    node_id: str | None = Field(description="The node of the imported flow, if there is one")
    message: str
    flow_id: str | None = None


class ImportedFlows(ApiModel):
    """The documents of an export, not yet saved, and what could not be brought along."""

    format: str
    documents: list[dict[str, Any]]
    losses: list[ImportLoss]


@router.post(
    "/api/v1/flows/import",
    summary="Import an export of another platform",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["export_refused"]),
)
def import_flows(
    export: Annotated[dict[str, Any] | list[Any], Body(description="The export as the other platform writes it")],
    source_format: SourceFormat = None,
) -> ImportedFlows:
    """Nothing is saved or published: save each document with `PUT /api/v1/flows/{flow_id}`."""
    from pytake.importers import ImportRefusedError, import_export  # only this route pays for the importers

    caller(router, "builder")
    try:
        found = import_export(export, source_format)
    except ImportRefusedError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "export_refused", str(error)) from None
    losses = [ImportLoss(**msgspec.structs.asdict(loss)) for loss in found.losses]
    return ImportedFlows(format=found.format, documents=found.documents, losses=losses)
