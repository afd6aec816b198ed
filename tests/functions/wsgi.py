"""The API's handler behind WSGI, with what API Gateway does before it: the token and the event."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from functions.api.handler import handler
from tests.functions.conftest import LambdaContext

OPEN = {"/api/v1/openapi.json", "/api/v1/docs"}


def api_application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A token is `Bearer ORGANIZATION/ROLE`: verifying signatures is API Gateway's, not the handler's."""
    request = Request(environ)
    return _answer(request)(environ, start_response)


def _answer(request: Request) -> Response:
    # As it was sent: werkzeug's own path is decoded.
    path = request.environ.get("REQUEST_URI") or request.environ["RAW_URI"]
    path, _, query = path.partition("?")
    organization_id, _, role = request.headers.get("Authorization", "").removeprefix("Bearer ").partition("/")
    if path not in OPEN and not role:
        return _json({"message": "Unauthorized"}, 401)
    body = request.get_data()
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "queryStringParameters": {name: ",".join(values) for name, values in request.args.lists()} or None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "authorizer": {
                "jwt": {"claims": {"organization_id": organization_id, "role": role, "sub": "tester"}, "scopes": None}
            },
            "domainName": "api.example.com",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "t",
            },
            "requestId": "request-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1,
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }
    answer = handler(event, LambdaContext())
    content = answer.get("body") or ""
    decoded = base64.b64decode(content) if answer.get("isBase64Encoded") else content.encode()
    return Response(decoded, answer["statusCode"], answer.get("headers") or {})


def _json(body: Any, status: int) -> Response:
    return Response(json.dumps(body), status, {"Content-Type": "application/json"})
