"""Checks of the body and the query of every request before a route sees it. Every violation is a specific 4xx."""

import json
from base64 import b64decode
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from pytake.engine.strict_json import read_json
from rest.openapi import BODY, QUERY_PREFIX
from rest.problems import ProblemError, bad_request

FLOW_BYTES = 4_000_000
"""The limit of a decoded flow document. A Lambda request is limited to 6 MB, in base64."""

MEDIA_BYTES = 5_700_000
"""The limit of a file in base64 with its description: 4.2 MB of the file itself."""

IMPORT_BYTES = 5_000_000
"""The limit of a file of contacts in a request: Lambda takes 6 MB with its JSON around the text."""

IMPORT_PATH = "/api/v1/contacts/import"

OTHER_BYTES = 256_000

_WITHOUT_BODY = frozenset({"GET", "DELETE"})
"""A body has no meaning for these methods (RFC 9110, 9.3). Some clients send one; it is ignored."""


def validate_json_body(event: dict[str, Any]) -> dict[str, Any]:
    """The event of an HTTP API whose body, if any, is valid JSON. Raises a 400, 413 or 415 problem for another one."""
    body = event.get("body")
    if not body:
        return event
    if event.get("requestContext", {}).get("http", {}).get("method") in _WITHOUT_BODY:
        return {**event, "body": None}
    path = str(event.get("rawPath", ""))
    flows = path.startswith("/api/v1/flows/")
    most = FLOW_BYTES if flows else MEDIA_BYTES if path == "/api/v1/media" else OTHER_BYTES
    if path == IMPORT_PATH:
        most = IMPORT_BYTES
    encoded = bool(event.get("isBase64Encoded"))
    size = len(body) * 3 // 4 - body[-2:].count("=") if encoded else len(body.encode(errors="surrogatepass"))
    if size > most:
        detail = f"The body is larger than the {most:,} bytes that this route accepts."
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if path == IMPORT_PATH:
        if content_type != "text/csv":
            detail = f"The Content-Type is {content_type or 'missing'}; send CSV with Content-Type: text/csv."
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
        return event
    if content_type != "application/json":
        detail = f"The Content-Type is {content_type or 'missing'}; send JSON with Content-Type: application/json."
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
    try:
        text = b64decode(body, validate=True).decode() if encoded else str(body)
        text.encode()  # half of a surrogate pair cannot be stored
        _check_lost_bytes(text, headers.get("content-length", ""))
        read = read_json(text)
        json.dumps(read, ensure_ascii=False).encode()  # not even an escaped one
    except ValueError as error:  # also of base64 and of UTF-8
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        if isinstance(error, UnicodeError):
            reason = "it is not UTF-8 text"
        raise bad_request("json_invalid", f"The body is not valid JSON: {reason}{place}.") from None
    return {**event, "headers": {**headers, "content-type": content_type}}


def _check_lost_bytes(text: str, content_length: str) -> None:
    """Raises a UnicodeError for a body that was not UTF-8: API Gateway replaced what it could not decode by U+FFFD.

    The length of what the client sent tells that from a U+FFFD of the client's own.
    """
    if "\ufffd" in text and content_length.isdecimal() and int(content_length) != len(text.encode()):
        raise UnicodeError


def reject_unknown_input(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """A middleware that rejects query parameters and bodies that the route does not have, instead of ignoring them."""
    route = app.context["_route"]
    if route in routes_of(app) and route.include_in_schema:
        known = [param.alias for param in route.dependant.query_params]
        prefix = (route.openapi_extensions or {}).get(QUERY_PREFIX) or None
        asked = app.current_event.query_string_parameters or ()
        unknown = sorted(name for name in asked if name not in known and not (prefix and name.startswith(prefix)))
        if unknown:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise bad_request("query_unknown", f"This route has no query parameter {unknown[0]!r}; {has}.")
        takes_file = (route.openapi_extensions or {}).get(BODY)
        if (
            not takes_file
            and not route.dependant.body_params
            and app.current_event.body
            and app.current_event.json_body
        ):
            raise bad_request("body_unknown", "This route accepts no body: omit it, or check the address.")
    return next_middleware(app)


def routes_of(app: APIGatewayHttpResolver) -> list[Any]:
    """The registered routes. Powertools adds one for unknown addresses."""
    return [*app._static_routes, *app._dynamic_routes]
