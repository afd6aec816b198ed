"""`pytake sql`: ask the lake from the terminal. Athena runs the statement: the stack's, or the local cloud's."""

import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from cli.api_client import DEFAULT_URL
from cli.ending import fail, terminal
from cli.stack import DeployedStack, Region, StackName, Url, aws_errors_as_text, find_stack

if TYPE_CHECKING:
    from pytake.analytics.queries import Query
    from pytake.analytics.saved_queries import Given

WAIT_SECONDS = 600.0
DAYS = 30

Row = list[str | None]

Statement = Annotated[
    str | None,
    typer.Argument(metavar="SQL", help="A statement with names such as :org. @FILE reads it, - standard input."),
]
Values = Annotated[
    list[str] | None, typer.Option("--value", "-v", help="NAME=TEXT for :NAME, or NAME:=NUMBER. Give it once per name.")
]
Saved = Annotated[
    str | None, typer.Option(help="Ask a saved query instead, such as drop_off; docs/lake.md lists them.")
]
Organization = Annotated[str, typer.Option("--org", help="The organization: the value of :org.")]
First = Annotated[
    str | None, typer.Option("--from", help=f"The first day, in UTC: the value of :from. Default: {DAYS} days ago.")
]
Last = Annotated[str | None, typer.Option("--to", help="The last day, in UTC: the value of :to. Default: today.")]


def sql(
    statement: Statement = None,
    values: Values = None,
    saved: Saved = None,
    org: Organization = "demo",
    first: First = None,
    last: Last = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of a table.")] = False,
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
) -> None:
    """Ask the lake in SQL, or with a saved query, and print the rows.

    Athena bills what a statement reads, so name the days as well as the organization:
    SELECT type, count(*) FROM events WHERE organization_id = :org AND dt BETWEEN :from AND :to GROUP BY type
    """
    if (statement is None) == (saved is None):
        fail("Give either a statement or --saved NAME.", 2)
    today = datetime.now(UTC).date()
    days = _day(first, today - timedelta(days=DAYS)), _day(last, today)
    given = dict(map(_named, values or []))
    asked = _saved(saved, org, days, given) if saved is not None else _written(str(statement), org, days, given)
    with aws_errors_as_text():
        found = rows(find_stack(url, stack, region), asked)
        header = next(found, None)
        if header is not None:
            (_print_csv if as_csv else _print_table)(header, found)


def rows(stack: DeployedStack, asked: "Query") -> Iterator[Row]:
    """Yield the names of the columns, then the rows; nothing if the statement has no result. Ends the command if it fails."""
    from pytake.aws.athena import AthenaQueries
    from pytake.conversation.ports.lake import QueryFailedError, QueryNotReadyError, QueryTooLargeError

    athena, outputs = stack.client("athena"), stack.outputs
    queries = AthenaQueries(athena, outputs["WorkGroupName"], outputs["LakeDatabaseName"], WAIT_SECONDS)
    try:
        execution = queries.run(asked.sql, asked.parameters, uuid4().hex)
    except (QueryFailedError, QueryTooLargeError) as error:
        fail(f"Athena refused: {error}")
    except QueryNotReadyError:
        fail("Athena is busy, or the query takes more than ten minutes. Try again, or ask for fewer days.")
    names: Row = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution):
        found: list[Row] = [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
        if not names:
            names = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            # The first row of a query's result repeats the names; that of DDL does not.
            found = found if names and found[:1] == [names] else [names, *found] if names else found
        yield from found


def _print_csv(header: Row, found: Iterator[Row]) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(chain([header], found))


def _print_table(header: Row, found: Iterator[Row]) -> None:
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(*(escape(name or "") for name in header))
    for row in found:
        table.add_row(*(Text("NULL", style="dim") if cell is None else Text(cell) for cell in row))
    terminal().print(table)
    if not table.rows:
        terminal().print(
            "No rows. The lake is about five minutes behind: events appear with the next export.", style="dim"
        )


def _written(text: str, org: str, days: tuple[date, date], given: Mapping[str, str | int]) -> "Query":
    from pytake.analytics.queries import bind

    try:
        return bind(_read(text), {"org": org, "from": days[0], "to": days[1], **given})
    except KeyError as error:
        fail(f"The statement names :{error.args[0]}, which has no value. Give it with -v {error.args[0]}=TEXT.", 2)


def _saved(name: str, org: str, days: tuple[date, date], given: Mapping[str, str | int]) -> "Query":
    from pytake.analytics.reports import PeriodError
    from pytake.analytics.saved_queries import SAVED_QUERIES, ParameterError, bound

    query = SAVED_QUERIES.get(name)
    if query is None:
        fail(f"No saved query is named {name!r}. The saved queries are {', '.join(SAVED_QUERIES)}.", 2)
    lists = {parameter.name for parameter in query.parameters if parameter.type == "nodes"}
    checked: dict[str, Given] = {
        name: value.split(",") if name in lists and isinstance(value, str) else value for name, value in given.items()
    }
    try:
        return bound(query, org, *days, checked)
    except (ParameterError, PeriodError) as error:
        fail(str(error), 2)


def _read(text: str) -> str:
    try:
        return sys.stdin.read() if text == "-" else Path(text[1:]).read_text() if text.startswith("@") else text
    except OSError as error:
        fail(f"{text[1:]}: {error.strerror}", 2)


def _named(given: str) -> tuple[str, str | int]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        fail(f"{given!r} has no name. Write NAME=TEXT or NAME:=NUMBER.", 2)
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], int(value)
    except ValueError:
        fail(f"{given!r}: {value!r} is not a whole number.", 2)


def _day(text: str | None, default: date) -> date:
    try:
        return date.fromisoformat(text) if text is not None else default
    except ValueError:
        fail(f"{text!r} is not a day. Write 2026-11-30.", 2)
