"""Secrets that flows use in api_call. Values are write-only."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import ConfigDict, Field, SecretStr

import pytake.wiring.api as wiring
from pytake.conversation.change_log import change_of
from pytake.conversation.flow_secrets import (
    MAX_HOSTS,
    MAX_NAME_LENGTH,
    MAX_VALUE_BYTES,
    MIN_VALUE_LENGTH,
    FlowSecretRefusedError,
    UnknownSecretError,
)
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.tenants import FlowSecretsUnreadableError
from pytake.wiring.desk import change_log
from rest.caller import Caller, caller
from rest.models import ApiModel
from rest.openapi import route_docs
from rest.problems import ProblemError, conflict, not_found, unprocessable

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Name = Annotated[
    str,
    Path(
        min_length=1,
        max_length=12 * MAX_NAME_LENGTH,  # percent-encoded
        description=f"The NAME in `{{{{secrets.NAME}}}}`: letters, digits, `_`, `-`; at most {MAX_NAME_LENGTH}",
    ),
]


class Secret(ApiModel):
    """A secret, without its value."""

    name: str
    hosts: list[str] = Field(description="The hosts that API calls may send it to")


class SecretValue(ApiModel):
    """The value to store: a token, a password, a key."""

    model_config = ConfigDict(extra="forbid")

    # The use case checks the limits in bytes, and explains them.
    value: SecretStr = Field(json_schema_extra={"minLength": MIN_VALUE_LENGTH, "maxLength": MAX_VALUE_BYTES})
    hosts: list[str] = Field(
        description="The hosts that API calls may send it to, such as `api.example.com`, without scheme, port and path",
        json_schema_extra={"minItems": 1, "maxItems": MAX_HOSTS},
    )


@router.get(
    "/api/v1/secrets",
    summary="The secrets that flows may use, and their hosts",
    tags=["Secrets"],
    openapi_extensions=route_docs("builder", problems=["secrets_unreadable"]),
)
def list_secrets() -> list[Secret]:
    who = caller(router, "builder")
    try:
        stored = wiring.manage_flow_secrets().hosts(who.organization_id)
        return [Secret(name=name, hosts=list(hosts)) for name, hosts in stored.items()]
    except FlowSecretsUnreadableError:
        raise _unreadable() from None


@router.put(
    "/api/v1/secrets/<name>",
    summary="Store a secret, or change its value and its hosts",
    tags=["Secrets"],
    openapi_extensions=route_docs(
        problems=[
            "secret_name_invalid",
            "secret_too_short",
            "secret_too_large",
            "secret_hosts_invalid",
            "secrets_full",
            "secrets_busy",
            "secrets_unreadable",
        ]
    ),
)
def put_secret(name: Name, request: SecretValue) -> Secret:
    """API calls use a new secret at once, and changed hosts or a changed value within five minutes."""
    who = caller(router)
    secret_name = unquote(name)
    try:
        known = _hosts(who.organization_id, secret_name)
        value = request.value.get_secret_value()
        hosts = wiring.manage_flow_secrets().put(who.organization_id, secret_name, value, request.hosts)
    except FlowSecretRefusedError as error:
        raise unprocessable(error.code, str(error)) from None
    except ConflictError:
        raise _busy() from None
    except FlowSecretsUnreadableError:
        raise _unreadable() from None
    _record(who, secret_name, known, {"hosts": hosts}, ["value"])
    return Secret(name=secret_name, hosts=list(hosts))


@router.delete(
    "/api/v1/secrets/<name>",
    summary="Delete a secret",
    tags=["Secrets"],
    status_code=HTTPStatus.NO_CONTENT.value,
    openapi_extensions=route_docs(problems=["secret_unknown", "secrets_busy", "secrets_unreadable"]),
)
def delete_secret(name: Name) -> Response[str]:
    """API calls that use it fail within five minutes."""
    who = caller(router)
    try:
        known = _hosts(who.organization_id, unquote(name))
        wiring.manage_flow_secrets().remove(who.organization_id, unquote(name))
    except UnknownSecretError:
        raise not_found(
            "secret_unknown", f"There is no secret {unquote(name)!r}. GET /api/v1/secrets lists the secrets."
        ) from None
    except ConflictError:
        raise _busy() from None
    except FlowSecretsUnreadableError:
        raise _unreadable() from None
    _record(who, unquote(name), known, None)
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="")


def _hosts(organization_id: str, name: str) -> dict[str, Any] | None:
    hosts = wiring.manage_flow_secrets().hosts(organization_id).get(name)
    return {"hosts": hosts} if hosts is not None else None


def _record(
    who: Caller, name: str, before: dict[str, Any] | None, after: dict[str, Any] | None, also: Sequence[str] = ()
) -> None:
    change = change_of(who.author(), "secrets", before, after, name, also=also)
    if change is not None:
        change_log().add(who.organization_id, change)


def _busy() -> ProblemError:
    return conflict("secrets_busy", "Another request is writing the secrets. Try again.")


def _unreadable() -> ProblemError:
    detail = "The stored secrets of this organization are not a JSON object of strings. An operator has to repair them."
    return conflict("secrets_unreadable", detail)
