"""Paged lists: `limit` and `cursor` in the query, the next page in the `Link` header (RFC 8288)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

Entry = TypeVar("Entry")
Body = TypeVar("Body")

Limit = Annotated[int, Query(ge=1, le=1000, description="The page size; `Link` is the address of the next page")]
Cursor = Annotated[str | None, Query(description="From the `Link` of the previous page")]

DEFAULT_LIMIT = 100


def page_response(
    path: str, entries: Sequence[Entry], limit: int, cursor: str | None, query: Mapping[str, str] | None = None
) -> Response[list[Entry]]:
    """A response with a page of a list. `cursor` is the next page's (None: this is the last page), `query` the list's filters."""
    return page_link(path, list(entries), {**(query or {}), "limit": limit}, cursor)


def page_link(path: str, body: Body, query: Mapping[str, Any], cursor: str | None) -> Response[Body]:
    """A response with the address of the next page, if there is one, in its `Link` header."""
    headers: dict[str, str | list[str]] = {}
    if cursor is not None:
        headers["Link"] = f'<{path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'
    return Response(status_code=HTTPStatus.OK.value, content_type="application/json", body=body, headers=headers)
