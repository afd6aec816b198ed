"""The request of an api_call node, sent once for a person who builds it."""

from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field

from pytake.engine import Contact, FlowError
from pytake.wiring.api_call_trials import try_api_call
from rest.caller import caller
from rest.flow_checks import RehearsalContact, shown_request
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import flow_has_errors
from rest.throttle import throttle

TESTS_PER_SECOND = 1

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


class TestRequest(ApiModel):
    """The data of an api_call node, and example values for the variables that it uses."""

    model_config = ConfigDict(extra="forbid")

    data: dict[str, Any] = Field(description="As in the flow: `url`, `method`, `headers`, ... (docs/flow-reference.md)")
    variables: dict[str, Any] = Field(default_factory=dict, max_length=100)
    contact: RehearsalContact = Field(default_factory=RehearsalContact, description="The person; null: a sample")


class TestedRequest(ApiModel):
    """How the call ended. Without `ok`, the flow takes the error exit, with `error` as the reason: `code: sentence`."""

    ok: bool
    status: int | None = Field(description="The HTTP status; null: there was no response")
    seconds: float = Field(description="How long the call took, with all its attempts")
    body: Any = Field(description="The response's JSON, or its text. Secrets of the request are shown as `***`")
    error: str | None
    stored: dict[str, Any] = Field(description="The variables that the node stores, with their values")
    request: dict[str, Any] = Field(
        description="The whole request as the flow makes it. Secrets are shown as `{{secrets.NAME}}`"
    )


@router.post(
    "/api/v1/flows/test-request",
    summary="Send the request of an api_call node once",
    tags=["Flows"],
    openapi_extensions=route_docs("builder", problems=["flow_has_errors", "too_many_requests"]),
)
def test_request(request: TestRequest) -> TestedRequest:
    """The request is really sent, as the flow would send it, with its secrets and its limits; nothing is stored. A person may ask
    this once a second. The problems of a node that cannot run name the node `test_request`."""
    who = caller(router, "builder")
    throttle(who, "test-request", TESTS_PER_SECOND)
    contact = Contact(id="sample", **request.contact.model_dump())
    try:
        tried = try_api_call()(who.organization_id, request.data, request.variables, contact, who.subject)
    except FlowError as error:
        raise flow_has_errors(error.problems) from None
    result = tried.result
    return TestedRequest(
        ok=result.ok,
        status=result.status,
        seconds=round(tried.seconds, 3),
        body=result.body,
        error=result.error,
        stored=tried.stored,
        request=shown_request(tried.request),
    )
