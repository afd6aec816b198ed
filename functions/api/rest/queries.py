"""Saved queries of analysts, by name and with named parameters. The organization is bound here; free SQL is not offered."""

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

import pytake.wiring.api as wiring
from pytake.analytics.saved_queries import SAVED_QUERIES, ParameterError, ParameterType
from rest.caller import caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import not_found, unprocessable
from rest.reports import ROLES, Day, Model, lake_problems
from rest.tables import csv_response, wants_csv

MOST_ROWS = 10_000

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Text = Annotated[str, Field(min_length=1, max_length=200)]


class QueryParameter(Model):
    """A parameter besides the days. `type`: `flow` and `node` take an id, `nodes` a list of ids, `goal` takes `completed` or a
    node's id, `hours` a whole number, `text` any text. `default` null: it must be given."""

    name: str
    type: ParameterType
    description: str
    default: int | None


class SavedQuery(Model):
    """A query that can be asked by its name."""

    name: str
    description: str
    parameters: list[QueryParameter]


class QueryRequest(ApiModel):
    """The days (UTC) that the query covers, both included, and its parameters."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    from_: Day = Field(alias="from")
    to: Day
    parameters: dict[str, Annotated[int, Field(strict=True)] | Text | Annotated[list[Text], Field(max_length=50)]] = (
        Field(default_factory=dict)
    )


class QueryRows(ApiModel):
    """The rows; every value is a text, or null. Everything up to `as_of` is counted (null: nothing was exported yet)."""

    name: str
    columns: list[str]
    rows: list[dict[str, str | None]]
    as_of: datetime | None
    truncated: bool = Field(description="There are more than 10,000 rows")


@router.get(
    "/api/v1/queries",
    summary="The saved queries and their parameters",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES),
)
def list_queries() -> list[SavedQuery]:
    caller(router, *ROLES)
    return [SavedQuery.model_validate(saved) for saved in SAVED_QUERIES.values()]


@router.post(
    "/api/v1/queries/<query_name>",
    summary="Ask a saved query",
    tags=["Reports"],
    openapi_extensions=route_docs(
        *ROLES,
        problems=[
            "saved_query_unknown",
            "query_parameter_invalid",
            "period_invalid",
            "report_too_large",
            "report_not_ready",
        ],
        csv=True,
    ),
)
def ask_query(
    query_name: Annotated[str, Path(min_length=1, max_length=64)], request: QueryRequest
) -> Response[QueryRows | str]:
    """Reads the caller's organization only. With `Accept: text/csv` the answer is a file."""
    who = caller(router, *ROLES)
    saved = SAVED_QUERIES.get(query_name)
    if saved is None:
        names = ", ".join(SAVED_QUERIES)
        raise not_found(
            "saved_query_unknown", f"The saved query {query_name!r} does not exist. The saved queries are {names}."
        )
    try:
        with lake_problems():
            rows, as_of = wiring.ask_saved_query()(
                who.organization_id, saved, request.from_, request.to, request.parameters
            )
    except ParameterError as error:
        raise unprocessable("query_parameter_invalid", str(error), field=f"parameters.{error.name}") from None
    columns = list(rows[0]) if rows else []
    if wants_csv(router):
        cells = ([row[column] for column in columns] for row in rows)
        return csv_response(query_name, columns, cells)  # type: ignore[return-value]
    body = QueryRows(
        name=query_name, columns=columns, rows=rows[:MOST_ROWS], as_of=as_of, truncated=len(rows) > MOST_ROWS
    )
    return Response(status_code=200, content_type="application/json", body=body)
