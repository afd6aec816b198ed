"""The organization's people by name: records and assignments have accounts."""

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from pytake.conversation.colleagues import Colleague
from pytake.wiring.desk import colleagues
from rest.caller import Caller, Role, caller
from rest.models import ApiModel
from rest.openapi import ROLES, route_docs

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

MOST_NAME = 200


class ColleagueResponse(ApiModel):
    """A person who uses the API. `subject` is their account: the subject of their tokens."""

    subject: str
    name: str
    role: Role


@router.get(
    "/api/v1/colleagues",
    summary="The organization's people by name",
    tags=["Organization"],
    openapi_extensions=route_docs(*ROLES),
)
def list_colleagues() -> list[ColleagueResponse]:
    """Those who have told their name with `PUT /colleagues/me` within 400 days, as the console does at each sign-in."""
    who = caller(router, *ROLES)
    found = sorted(colleagues().all(who.organization_id), key=lambda colleague: colleague.name.casefold())
    return [ColleagueResponse.model_validate(colleague, from_attributes=True) for colleague in found]


@router.put(
    "/api/v1/colleagues/me",
    summary="Tell colleagues your name",
    tags=["Organization"],
    openapi_extensions=route_docs(*ROLES),
)
def put_colleague() -> ColleagueResponse:
    """The name is the claim `name`, `preferred_username`, `cognito:username`, `username` or `email` of the token, the first that
    there is; without any of them it is the account."""
    who: Caller = caller(router, *ROLES)
    name = (who.name or who.subject)[:MOST_NAME]
    if who.subject:
        colleagues().put(who.organization_id, Colleague(who.subject, name, who.role))
    return ColleagueResponse(subject=who.subject, name=name, role=who.role)
