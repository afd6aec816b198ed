"""What every request must be like before a route sees it: its body, its query. Everything else is a clear 4xx."""

import json
from base64 import b64decode
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from pytake.engine.strict_json import read_json
from rest.problems import ProblemError, bad_request

FLOW_BYTES = 4_000_000
"""A flow document, decoded. A Lambda's request ends at 6 MB, in base64."""

OTHER_BYTES = 256_000

_WITHOUT_BODY = frozenset({"GET", "DELETE"})
"""A body has no meaning there (RFC 9110, 9.3): some clients send one, nobody reads it."""


def validate_json_body(event: dict[str, Any]) -> dict[str, Any]:
    """An event of an HTTP API, if its body (if any) is JSON that can be worked with. Raises a 400, 413 or 415 problem."""
    body = event.get("body")
    if not body:
        return event
    if event.get("requestContext", {}).get("http", {}).get("method") in _WITHOUT_BODY:
        return {**event, "body": None}
    most = FLOW_BYTES if str(event.get("rawPath", "")).startswith("/api/v1/flows/") else OTHER_BYTES
    encoded = bool(event.get("isBase64Encoded"))
    if len(body) > (most * 4 // 3 if encoded else most):
        detail = f"The body is larger than the {most:,} bytes that this route takes."
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        detail = f"The body is sent as {content_type or 'nothing'}; send JSON with Content-Type: application/json."
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", detail)
    try:
        text = b64decode(body, validate=True).decode() if encoded else str(body)
        text.encode()  # a half of a surrogate pair cannot be stored
        read = read_json(text)
        json.dumps(read, ensure_ascii=False).encode()  # nor one that was escaped
    except ValueError as error:  # also of base64 and UTF-8
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        if isinstance(error, UnicodeError):
            reason = "it is not text in UTF-8"
        raise bad_request("json_invalid", f"The body is not JSON that can be read: {reason}{place}.") from None
    return {**event, "headers": {**headers, "content-type": content_type}}


def reject_unknown_input(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """A middleware: a parameter or a body that the route does not have is a mistake of the caller, never ignored."""
    route = app.context["_route"]
    if route in routes_of(app) and route.include_in_schema:
        known = [param.alias for param in route.dependant.query_params]
        unknown = sorted(set(app.current_event.query_string_parameters or ()) - set(known))
        if unknown:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise bad_request("query_unknown", f"This route has no query parameter {unknown[0]!r}; {has}.")
        if not route.dependant.body_params and app.current_event.body and app.current_event.json_body:
            raise bad_request(
                "body_unknown", "This route takes no body: leave it out, or look for the route you meant."
            )
    return next_middleware(app)


def routes_of(app: APIGatewayHttpResolver) -> list[Any]:
    """The routes that were registered; powertools makes one more for an unknown address."""
    return [*app._static_routes, *app._dynamic_routes]
