"""The application: routes together, errors as problem details, the OpenAPI document."""

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from pytake.observability import logger
from rest import conversations, flows, numbers, organization, secrets
from rest.problems import ProblemError, not_found

TITLE = "PyTake Serverless"
VERSION = "1.0"
DESCRIPTION = "WhatsApp conversations: flows, numbers and what became of them. Errors are RFC 9457 problem details."

_PERSON = re.compile(r"(/(?:conversations|contacts)/)[^/]+")
"""Where an address names a person: logs leave that out."""

_BEARER: dict[str, Any] = {
    "security_schemes": {
        "bearer": HTTPBearer(bearerFormat="JWT", description="A token of the deployment's OpenID Connect issuer")
    },
    "security": [{"bearer": []}],
}


@cache
def application() -> APIGatewayHttpResolver:
    """The REST application, built once per process."""
    app = APIGatewayHttpResolver(enable_validation=True)
    for resource in (flows, numbers, secrets, organization, conversations):
        app.include_router(resource.router)
    app.enable_swagger(path="/api/v1/docs", title=TITLE, version=VERSION, description=DESCRIPTION, **_BEARER)

    @app.get("/api/v1/openapi.json", include_in_schema=False)
    def openapi() -> Response[str]:
        schema = app.get_openapi_json_schema(title=TITLE, version=VERSION, description=DESCRIPTION, **_BEARER)
        return Response(status_code=200, content_type="application/json", body=schema)

    @app.exception_handler(ProblemError)  # type: ignore[untyped-decorator]
    def known_problem(error: ProblemError) -> Response[str]:
        return error.response()

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
    def invalid_request(error: RequestValidationError) -> Response[str]:
        found = [
            {"field": ".".join(str(part) for part in entry["loc"]), "message": entry["msg"]} for entry in error.errors()
        ]
        detail = "The request does not have the form the documentation shows; `errors` lists each place."
        return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, errors=found).response()

    @app.exception_handler(NotFoundError)  # type: ignore[untyped-decorator]
    def no_route(_: NotFoundError) -> Response[str]:
        return not_found(
            "route_unknown", "There is nothing at this address. /api/v1/docs lists what there is."
        ).response()

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unexpected(_: Exception) -> Response[str]:
        logger().exception("api.error", path=_PERSON.sub(r"\1{phone}", app.current_event.path))
        detail = "Something went wrong on our side. Try again; if it stays, give the operator the request id."
        request_id = app.current_event.request_context.request_id
        return ProblemError(
            HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, request_id=request_id
        ).response()

    return app
