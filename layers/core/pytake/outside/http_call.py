"""Performs the request of an api_call node."""

from collections.abc import Mapping
from typing import Protocol

from pytake.engine import EffectResult, HttpRequest


class FlowSecrets(Protocol):
    """Where the secrets of `{{secrets.NAME}}` are kept."""

    def of_organization(self, organization_id: str) -> Mapping[str, str]:
        """The organization's secrets by name. May raise anything: the request is not sent then."""


class HttpCalls:
    """Sends the requests of flows."""

    def __init__(
        self, secrets: FlowSecrets, *, allow_plain_http: bool = False, allow_private_addresses: bool = False
    ) -> None:
        self._secrets = secrets
        self._allow_private_addresses = allow_private_addresses
        self._allow_plain_http = allow_plain_http

    def perform(self, organization_id: str, request: HttpRequest) -> EffectResult:
        return EffectResult(ok=False, error="internal: The request could not be performed.")
