"""Tables as JSON, or as CSV for a client that asks for it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

CSV = "text/csv"

_FORMULA = re.compile(
    r"(^|[;\t\r\n])([ \v\f\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]*)(?=[=+\-@＝＋－＠])"
)
"""A spreadsheet takes a cell that begins so for a formula, and a person may have written it. Where lists are separated by
semicolons, a spreadsheet divides a cell of this file at them, whatever its quotes; invisible characters are dropped."""


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
    return value if _is_number(value) else _FORMULA.sub(r"\1\2'", value)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
