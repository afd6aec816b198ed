"""What people answered in a flow: a table of the variables that the flow reports."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import msgspec
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

import pytake.wiring.api as wiring
from pytake.analytics.answers import AnswerRow, counted, matching
from pytake.analytics.reports import Days
from rest.caller import caller
from rest.cursor import read_list_cursor, write_list_cursor
from rest.identifiers import FlowId
from rest.openapi import route_docs
from rest.paging import Cursor, page_link
from rest.reports import PROBLEMS, ROLES, Count, From, Model, Report, To, ask_lake
from rest.tables import csv_response, wants_csv

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class AnswerQuestion(Model):
    """A column of the table. The question is that of the published flow, or of its draft; null: no node asks for the variable."""

    variable: str
    question: str | None
    node_id: str | None
    flow_id: str


class Answer(Model):
    """One conversation. `contact` is a pseudonym of the person; `state`: completed, handed_off, expired, ended or active."""

    session: str
    contact: str
    started_at: datetime
    state: str
    answers: dict[str, str] = Field(description="The latest answer to each question, by variable")


class AnswerCount(Model):
    """How many rows have an answer, in its most frequent spelling."""

    value: str
    count: int


class QuestionCounts(Model):
    """The ten most frequent answers to a question; case and accents do not matter."""

    variable: str
    answered: int = Field(description="How many rows answer the question")
    most_frequent: list[AnswerCount]
    others: int = Field(description="How many of them have another answer")


class AnswersResponse(Report):
    """A page of the table, the latest conversations first. `truncated`: only the latest 10,000 of the period are in the table."""

    questions: list[AnswerQuestion]
    counts: list[QuestionCounts] = Field(description="Of all matching rows; empty behind the first page")
    rows: list[Answer]
    total: int = Field(description="How many rows match")
    truncated: bool
    next_cursor: str | None = Field(description="Pass it as `cursor` to get the next page; null: this is the last page")


@router.get(
    "/api/v1/flows/<flow_id>/answers",
    summary="What people answered in a flow",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=(*PROBLEMS, "cursor_invalid"), paged=True, csv=True),
)
def list_answers(
    flow_id: FlowId,
    days: Count = 30,
    from_: From = None,
    to: To = None,
    variable: Annotated[str | None, Query(min_length=1, max_length=100, description="Only rows that answer it")] = None,
    value: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Only rows whose answer contains it")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="The page size; CSV always has all rows")] = 100,
    cursor: Cursor = None,
) -> Response[AnswersResponse | str]:
    """The flow's `report_variables` decide which answers are here. Without `variable`, `value` is searched in all answers; case
    and accents do not matter. With `Accept: text/csv` the answer is a file with all rows."""
    who = caller(router, *ROLES)
    name = f"answers of {flow_id}"
    after = read_list_cursor(name, who.organization_id, cursor) if cursor is not None else None
    table = ask_lake(wiring.answers().table, flow_id, Days(days, from_, to))
    rows = matching(table.rows, variable, value)
    if wants_csv(router):
        variables = [question.variable for question in table.questions]
        columns = ["session", "contact", "started_at", "state", *variables]
        return csv_response(f"{flow_id}-answers", columns, (_cells(row, variables) for row in rows))  # type: ignore[return-value]
    behind = iter(rows) if after is None else (row for row in rows if _place(row) > after)
    shown = list(islice(behind, limit + 1))
    rest = None
    if len(shown) > limit:
        shown = shown[:limit]
        rest = write_list_cursor(name, who.organization_id, _place(shown[-1]))
    page = msgspec.structs.asdict(table) | {"rows": shown, "total": len(rows), "next_cursor": rest}
    page["counts"] = counted(table.questions, rows) if after is None else []
    body = AnswersResponse.model_validate(page)
    return page_link(f"/api/v1/flows/{flow_id}/answers", body, _query(router), rest)


def _place(row: AnswerRow) -> str:
    """Grows along the table: later conversations come first."""
    return f"{2**50 - round(row.started_at.timestamp() * 1000):016d} {row.session}"


def _cells(row: AnswerRow, variables: list[str]) -> list[str | None]:
    return [row.session, row.contact, row.started_at.isoformat(), row.state, *map(row.answers.get, variables)]


def _query(router: APIGatewayHttpRouter) -> dict[str, Any]:
    return {
        name: value for name, value in (router.current_event.query_string_parameters or {}).items() if name != "cursor"
    }
