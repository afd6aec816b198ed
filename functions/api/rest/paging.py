"""Lists in parts: `limit` and `cursor` in, and where the rest is in the `Link` header (RFC 8288)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

Entry = TypeVar("Entry")

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many; `Link` says where the rest is")]
Cursor = Annotated[str | None, Query(description="From the `Link` of the part before")]

DEFAULT_LIMIT = 100


def page_response(path: str, entries: Sequence[Entry], limit: int, cursor: str | None) -> Response[list[Entry]]:
    """An answer with a part of a list. `cursor` (None: this is all) goes on behind it."""
    headers: dict[str, str | list[str]] = {}
    if cursor is not None:
        headers["Link"] = f'<{path}?{urlencode({"limit": limit, "cursor": cursor})}>; rel="next"'
    return Response(
        status_code=HTTPStatus.OK.value, content_type="application/json", body=list(entries), headers=headers
    )
