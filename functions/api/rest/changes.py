"""Who changed what the organization has set up."""

from datetime import datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from pytake.conversation.change_log import RESOURCES, Action, Resource
from pytake.wiring.desk import change_log
from rest.caller import caller
from rest.cursor import read_list_cursor, write_list_cursor
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.paging import DEFAULT_LIMIT, Cursor, Limit, page_response

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

PATH = "/api/v1/changes"


class ChangeResponse(ApiModel):
    """A change. `by`: the account of the person, the subject of their token. `name`: the id of what was changed; null for
    lists that are replaced as a whole, and for the organization.

    `fields`: the old and the new value by field, of a list by entry. It is empty for values that are secret, may name a person,
    or are too large.
    """

    at: datetime
    by: str
    resource: Resource
    action: Action
    name: str | None
    fields: dict[str, list[Any]]


@router.get(
    PATH,
    summary="Who changed what the organization has set up",
    tags=["Organization"],
    openapi_extensions=route_docs(problems=["cursor_invalid"], paged=True),
)
def list_changes(
    resource: Annotated[Resource | None, Query(description="Only changes of these; without it, all")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[list[ChangeResponse]]:
    """The newest first, of 400 days. Flows say themselves who changed them (`updated_by`, `saved_by`, `published_by`)."""
    who = caller(router)
    name = f"changes of {resource}"
    before = read_list_cursor(name, who.organization_id, cursor) if cursor is not None else None
    found = change_log().page(who.organization_id, RESOURCES if resource is None else (resource,), limit + 1, before)
    shown = [ChangeResponse.model_validate(change, from_attributes=True) for _, change in found[:limit]]
    rest = write_list_cursor(name, who.organization_id, found[limit - 1][0]) if len(found) > limit else None
    return page_response(PATH, shown, limit, rest, {"resource": resource} if resource is not None else None)
