"""The secrets that flows may use in api_call: one secret per organization, `{prefix}{organization_id}/flow-secrets`.

Its value is a JSON object of names and secrets: `{"CRM_TOKEN": {"value": "…", "hosts": ["api.crm.example"]}}`.
"""

import time
from collections.abc import Callable, Mapping
from random import uniform
from typing import TYPE_CHECKING

import msgspec

from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.tenants import ChangeFlowSecrets, FlowSecret, FlowSecretsUnreadableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300
MIN_REFRESH_SECONDS = 1
"""A name that is not cached is looked up in Secrets Manager at most once in this time: it may just have been stored."""

MAX_ATTEMPTS = 10
_MOST_ORGANIZATIONS = 1000

Pause = Callable[[float], None]

_read = msgspec.json.Decoder(dict[str, FlowSecret])


class SecretsManagerFlowSecrets:
    """Implements `pytake.effects.http_call.FlowSecrets`. `client` is called when the first secret is needed."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, FlowSecret]]] = {}

    def of_organization(self, organization_id: str, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
        """The organization's secrets by name, at most five minutes old (`fresh`: one second); empty if it stored none.

        Raises `FlowSecretsUnreadableError` for a malformed secret, and what the client raises when the secret cannot be read.
        """
        now = self._clock()
        known = self._known.get(organization_id)
        if known is not None and now - known[0] < (MIN_REFRESH_SECONDS if fresh else CACHE_SECONDS):
            return known[1]
        secrets, _ = _load(self._client(), _secret_id(self._prefix, organization_id))
        if len(self._known) >= _MOST_ORGANIZATIONS:
            self._known.clear()
        self._known[organization_id] = now, secrets
        return secrets


class SecretsManagerFlowSecretStore:
    """Implements `pytake.conversation.ports.tenants.FlowSecretStore`: no cache, and no change is ever lost.

    Secrets Manager has no conditional write, but it moves a label only away from the version that has it. So the new value is
    stored beside the current one, and then `AWSCURRENT` moves away from exactly the version that was read. `client` is called
    when the first secret is needed.
    """

    def __init__(self, client: "Callable[[], SecretsManagerClient]", prefix: str, pause: Pause = time.sleep) -> None:
        self._client = client
        self._prefix = prefix
        self._pause = pause

    def hosts(self, organization_id: str) -> dict[str, tuple[str, ...]]:
        secrets, _ = _load(self._client(), _secret_id(self._prefix, organization_id))
        return {name: secret.hosts for name, secret in secrets.items()}

    def change(self, organization_id: str, change: ChangeFlowSecrets) -> None:
        secret_id = _secret_id(self._prefix, organization_id)
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                self._pause(uniform(0.5, 1) * 0.02 * 2**attempt)  # noqa: S311  # nosec B311
            before, version = _load(self._client(), secret_id)
            after = change(before)
            if after == before or self._replace(secret_id, version, msgspec.json.encode(after).decode()):
                return
        raise ConflictError(organization_id)

    def _replace(self, secret_id: str, version: str | None, text: str) -> bool:
        """Makes a text the secret's value if `version` (None: no secret yet) is still the current one."""
        client = self._client()
        known = client.exceptions
        try:
            if version is None:
                client.create_secret(Name=secret_id, SecretString=text)
                return True
            stored = client.put_secret_value(SecretId=secret_id, SecretString=text, VersionStages=["AWSPENDING"])
            client.update_secret_version_stage(
                SecretId=secret_id,
                VersionStage="AWSCURRENT",
                MoveToVersionId=stored["VersionId"],
                RemoveFromVersionId=version,
            )
        except (
            known.ResourceExistsException,
            known.InvalidParameterException,  # the label has moved to another version
            known.InvalidRequestException,
            known.LimitExceededException,  # too many versions within a day; AWS deletes old ones
        ):
            return False
        return True


def _secret_id(prefix: str, organization_id: str) -> str:
    return f"{prefix}{organization_id}/flow-secrets"


def _load(client: "SecretsManagerClient", secret_id: str) -> tuple[Mapping[str, FlowSecret], str | None]:
    """The stored secrets and their version; empty and None if there is no such secret."""
    try:
        answer = client.get_secret_value(SecretId=secret_id, VersionStage="AWSCURRENT")
    except client.exceptions.ResourceNotFoundException:
        return {}, None
    try:
        return _read.decode(answer["SecretString"]), answer["VersionId"]
    except (KeyError, msgspec.DecodeError):
        # From None: a decoder's message may quote its input.
        raise FlowSecretsUnreadableError(f"{secret_id} is not a JSON object of secrets") from None
