"""The caller: organization and role, only from the claims of the verified token. The stage names the claims."""

import re
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeGuard, get_args

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from pytake.conversation.change_log import Author
from pytake.wiring import shared
from rest.problems import ProblemError

Role = Literal["admin", "builder", "agent", "analyst"]

_ROLES: tuple[Role, ...] = get_args(Role)
_ORGANIZATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_AN_ID = frozenset({"null", "none", "nil", "true", "false", "undefined", "nan"})
"""What providers send, or libraries write, for a claim without a value: all such people would share one organization."""


_NAMES = ("name", "preferred_username", "cognito:username", "username", "email")
"""The claims that name a person, the best one first."""


class Caller(NamedTuple):
    """The organization that all reads and writes of the request are confined to, the role, and the token's subject.

    `request_id` is API Gateway's id of the request. Log lines of its consequences carry it. `name`: what colleagues call the
    person, if the token says it.
    """

    organization_id: str
    role: Role
    subject: str
    request_id: str
    name: str | None = None

    def author(self) -> Author:
        """The caller as the author of a change, now."""
        return Author(self.subject, shared.clock())


def caller(app: APIGatewayHttpResolver | APIGatewayHttpRouter, *allowed: Role) -> Caller:
    """The caller, if the role is `admin` or one of `allowed`. Raises a 401 or 403 problem.

    API Gateway has already verified signature, issuer, audience and expiry.
    """
    request = app.current_event.request_context
    claims, names = request.authorizer.jwt_claim or {}, app.current_event.stage_variables or {}
    organization_claim, role_claim = names.get("organization_claim", "organization_id"), names.get("role_claim", "role")
    organization_id, role = claims.get(organization_claim), _role(claims.get(role_claim))
    if not _is_organization_id(organization_id) or role is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "token_incomplete",
            f"The token needs the claims {organization_claim} (letters, digits, - and _, not digits alone) and "
            f"{role_claim} (one of admin, builder, agent, analyst).",
        )
    if role != "admin" and role not in allowed:
        needed = ", ".join(("admin", *allowed))
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "role_not_allowed",
            f"This route needs one of the roles {needed}; the token has {role}.",
        )
    person = next((str(claims[claim]) for claim in _NAMES if claims.get(claim)), None)
    return Caller(organization_id, role, str(claims.get("sub", "")), request.request_id, person)


def _role(claim: object) -> Role | None:
    """The role in a claim: the claim itself, or the only role in a list, which API Gateway passes on as `[staff admin]`."""
    if not isinstance(claim, str):
        return None
    words = claim[1:-1].split() if claim.startswith("[") and claim.endswith("]") else [claim]
    roles = [role for role in _ROLES if role in words]
    return roles[0] if len(roles) == 1 else None


def _is_organization_id(claim: object) -> TypeGuard[str]:
    """API Gateway passes every claim on as text, so a number cannot be told from an id of digits: neither is one."""
    return (
        isinstance(claim, str)
        and bool(_ORGANIZATION_ID.fullmatch(claim))
        and not claim.isdecimal()
        and claim.lower() not in _NOT_AN_ID
    )
