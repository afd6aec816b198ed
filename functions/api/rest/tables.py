"""Tables as JSON, or as CSV for a client that asks for it."""

import csv
import io
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

CSV = "text/csv"

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins with one of these for a formula; a person may have written it."""


def wants_csv(router: APIGatewayHttpRouter) -> bool:
    """Whether the request asks for CSV, and not for JSON too (`Accept`)."""
    accepted = router.current_event.headers.get("accept", "").lower()
    return CSV in accepted and "json" not in accepted


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Response[str]:
    """A table as a file in UTF-8 with a header line (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    headers: dict[str, str | list[str]] = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(status_code=HTTPStatus.OK.value, content_type=CSV, body=text.getvalue(), headers=headers)


def _cell(value: str | None) -> str:
    if value is None:
        return ""
    return f"'{value}" if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
