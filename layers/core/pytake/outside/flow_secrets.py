"""The secrets that flows may use in api_call: one secret per organization, `{prefix}{organization_id}/flow-secrets`.

Its value is a JSON object of names and texts: `{"CRM_TOKEN": "…"}`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from pytake.conversation.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300
_MOST_ORGANIZATIONS = 1000

_read = msgspec.json.Decoder(dict[str, str])


class FlowSecretsError(Exception):
    """The stored secret is not a JSON object of texts. Says the organization, never what is stored."""


class SecretsManagerFlowSecrets:
    """Implements `pytake.outside.http_call.FlowSecrets`. `client` is called when the first secret is asked for."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, str]]] = {}

    def of_organization(self, organization_id: str) -> Mapping[str, str]:
        """The organization's secrets by name, at most five minutes old; none when it stored none.

        Raises `FlowSecretsError` for a malformed secret, and what the client raises when it cannot be read.
        """
        now = self._clock()
        known = self._known.get(organization_id)
        if known is not None and now - known[0] < CACHE_SECONDS:
            return known[1]
        secrets = self._load(organization_id)
        if len(self._known) >= _MOST_ORGANIZATIONS:
            self._known.clear()
        self._known[organization_id] = now, secrets
        return secrets

    def _load(self, organization_id: str) -> Mapping[str, str]:
        client = self._client()
        try:
            answer = client.get_secret_value(SecretId=f"{self._prefix}{organization_id}/flow-secrets")
        except client.exceptions.ResourceNotFoundException:
            return {}
        try:
            return _read.decode(answer["SecretString"])
        except (KeyError, msgspec.DecodeError):
            # From None: a decoder's complaint may quote what it read.
            raise FlowSecretsError(f"flow-secrets of {organization_id} is not a JSON object of texts") from None
