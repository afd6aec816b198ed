"""The REST application: all routes, errors as problem details, the OpenAPI document."""

import inspect
import json
import re
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from pytake.observability import logger
from rest import (
    agents,
    answers,
    api_call_trials,
    assignments,
    campaigns,
    changes,
    colleagues,
    contact_imports,
    contacts,
    conversations,
    deliveries,
    desk,
    events,
    experiments,
    flow_checks,
    flow_filing,
    flow_imports,
    flow_replays,
    flow_tests,
    flows,
    media,
    message_search,
    numbers,
    organization,
    queries,
    reports,
    secrets,
    segments,
    sequences,
    spending,
    starts,
    templates,
    timetables,
)
from rest.aws_outages import is_outage
from rest.docs_page import page, to_json
from rest.openapi import POLLED, complete, operation_id
from rest.problems import CONTENT_TYPE, ProblemError, not_found
from rest.requests import reject_unknown_input, routes_of, validate_json_body

TITLE = "PyTake Serverless"
VERSION = "1.0"
DESCRIPTION = (
    "WhatsApp conversations: flows, phone numbers, conversations and reports. Errors are RFC 9457 problem details."
)

DOCUMENT_CACHE_SECONDS = 300

GUARDS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
"""No browser takes an answer for a page, whatever a person has written into it, and none shows it within another page."""

_PARAMETER = re.compile(r"<(\w+)>")


def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The response to a request of API Gateway (HTTP API, payload 2.0)."""
    answered = _resolved(event, context)
    return {**answered, "headers": {**answered["headers"], **GUARDS}}


def _resolved(event: dict[str, Any], context: Any) -> dict[str, Any]:
    try:
        return _tagged(event, application().resolve(validate_json_body(event), context))
    except ProblemError as refused:
        problem = refused
    except Exception as error:  # outside of a route: wiring, or a response that cannot be serialized
        problem = _unexpected(error, event)
    headers = {"Content-Type": CONTENT_TYPE, **problem.headers}
    return {"statusCode": problem.status.value, "headers": headers, "body": problem.body()}


def _tagged(event: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    """The answer with its tag, if the route is one that clients poll; 304 without a body if they have it already."""
    about = event["requestContext"]["http"]
    if answered["statusCode"] != HTTPStatus.OK.value or about["method"] != "GET" or not _is_polled(event["rawPath"]):
        return answered
    content = sha256(str(answered["body"]).encode()).hexdigest()[:32]
    revision = str(answered["headers"].get("ETag", "")).strip('"')
    tag = f'"{revision}.{content}"' if revision else f'"{content}"'
    headers = {**answered["headers"], "ETag": tag, "Cache-Control": "private, no-cache"}
    given = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if tag not in given.get("if-none-match", ""):
        return {**answered, "headers": headers}
    headers.pop("Content-Type", None)
    return {**answered, "statusCode": HTTPStatus.NOT_MODIFIED.value, "headers": headers, "body": ""}


def _is_polled(path: str) -> bool:
    found = (route for route in routes_of(application()) if route.method == "GET" and route.rule.match(path))
    return any((route.openapi_extensions or {}).get(POLLED) for route in found)


def _unexpected(error: Exception, event: dict[str, Any]) -> ProblemError:
    """Logs an unexpected error, and returns the problem for the caller."""
    about = event["requestContext"]
    called = f"{about['http']['method']} {_address(event['rawPath'])}"
    if is_outage(error):
        logger().exception("api.outage", route=called)
        detail = "AWS does not answer at the moment. Nothing was partly done; repeat the request later."
        again = {"Retry-After": "2"}
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable", detail, headers=again)
    logger().exception("api.error", route=called)
    detail = "An error occurred in the product. Try again; if it persists, give the operator the request id."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, request_id=about["requestId"])


def _address(path: str) -> str:
    """The address template of the route that a path belongs to: the path itself may name a person, or hold anything."""
    found = next((route.path for route in routes_of(application()) if route.rule.match(path)), "")
    return _PARAMETER.sub(r"{\1}", found) or "unknown"


def _described() -> dict[str, Any]:
    """What the document says about the whole API. Importing Powertools' models of OpenAPI is half of a cold start: only requests
    for the document and its page load them."""
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

    bearer = HTTPBearer(bearerFormat="JWT", description="A token of the deployment's OpenID Connect issuer")
    about: dict[str, Any] = {"title": TITLE, "version": VERSION, "description": DESCRIPTION}
    return about | {"security_schemes": {"bearer": bearer}, "security": [{"bearer": []}]}


@cache
def openapi_document() -> dict[str, Any]:
    """The document at `/api/v1/openapi.json`: OpenAPI 3.1 with every response of every route."""
    for route in routes_of(application()):
        route.description = route.description or inspect.getdoc(route.func)
        route.operation_id = operation_id(route.func.__name__)
    schema = application().get_openapi_json_schema(**_described())
    return complete(json.loads(schema))


def _cacheable(app: APIGatewayHttpResolver, content_type: str, body: str) -> Response[str]:
    """A document that changes only with a release: browsers keep it, and ask again with its tag."""
    tag = f'"{sha256(body.encode()).hexdigest()[:32]}"'
    headers: dict[str, str | list[str]] = {"Cache-Control": f"max-age={DOCUMENT_CACHE_SECONDS}", "ETag": tag}
    if tag in app.current_event.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers, body="")
    return Response(status_code=200, content_type=content_type, headers=headers, body=body)


@cache
def application() -> APIGatewayHttpResolver:
    """The REST application, built once per process."""
    app = APIGatewayHttpResolver(enable_validation=True)
    app.use([reject_unknown_input])
    settings = (numbers, secrets, organization, timetables, templates)
    for resource in (
        flows,
        flow_checks,
        api_call_trials,
        flow_filing,
        flow_imports,
        flow_replays,
        flow_tests,
        *settings,
        conversations,
        message_search,
        agents,
        starts,
        assignments,
        desk,
        media,
        events,
        deliveries,
        contact_imports,
        contacts,
        segments,
        campaigns,
        changes,
        colleagues,
        sequences,
        reports,
        spending,
        experiments,
        answers,
        queries,
    ):
        app.include_router(resource.router)

    @app.get("/api/v1/openapi.json", include_in_schema=False, compress=True)
    def openapi() -> Response[str]:
        return _cacheable(app, "application/json", to_json(openapi_document()))

    @app.get("/api/v1/docs", include_in_schema=False, compress=True)
    def docs() -> Response[str]:
        return _cacheable(app, "text/html", page(TITLE, to_json(openapi_document())))

    _answer_errors(app)
    return app


def _answer_errors(app: APIGatewayHttpResolver) -> None:
    """Let every error become a problem."""

    @app.exception_handler(ProblemError)  # type: ignore[untyped-decorator]
    def known_problem(error: ProblemError) -> Response[str]:
        return error.response()

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
    def invalid_request(error: RequestValidationError) -> Response[str]:
        found = [
            {"field": ".".join(str(part) for part in entry["loc"]), "message": entry["msg"]} for entry in error.errors()
        ]
        detail = "The request does not match the documentation; `errors` lists each place."
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, errors=found).response()

    @app.exception_handler(NotFoundError)  # type: ignore[untyped-decorator]
    def no_route(_: NotFoundError) -> Response[str]:
        found = [route for route in routes_of(app) if route.rule.match(app.current_event.path)]
        # `/flows/import` also has the form of `/flows/{flow_id}`; the document describes it under its own address.
        own = [route for route in found if not route.rule.groups]
        methods = sorted({route.method for route in own or found})
        if methods:
            detail = f"This address supports {', '.join(methods)}, not {app.current_event.http_method}."
            allow = {"Allow": ", ".join(methods)}
            return ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, headers=allow).response()
        return not_found("route_unknown", "This address does not exist. /api/v1/docs lists all routes.").response()

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unexpected(error: Exception) -> Response[str]:
        return _unexpected(error, app.current_event.raw_event).response()
