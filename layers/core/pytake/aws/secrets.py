"""Number secrets in Secrets Manager: `{prefix}{organization}/{phone_number_id}`, one JSON document per number."""

from typing import TYPE_CHECKING

import msgspec

from pytake.aws.ttl_cache import TtlCache
from pytake.conversation.ports.common import Clock
from pytake.conversation.records import NumberSecrets

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300
MIN_REFRESH_SECONDS = 10
"""The minimum time between reads past the cache: forged webhooks must not cause calls to Secrets Manager."""


class SecretsManagerSecrets:
    """Implements `pytake.conversation.ports.tenants.Secrets`."""

    def __init__(self, client: "SecretsManagerClient", prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._cache: TtlCache[NumberSecrets] = TtlCache(CACHE_SECONDS, 1000, clock)

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        name = self._name(organization_id, phone_number_id)
        return self._cache.get(name, lambda: self._load(name), fresher_than=MIN_REFRESH_SECONDS if fresh else None)

    def put(self, organization_id: str, phone_number_id: str, secrets: NumberSecrets) -> None:
        name, text = self._name(organization_id, phone_number_id), msgspec.json.encode(secrets).decode()
        try:
            self._client.put_secret_value(SecretId=name, SecretString=text)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_secret(Name=name, SecretString=text)
        self._cache.forget(name)

    def remove(self, organization_id: str, phone_number_id: str) -> None:
        name = self._name(organization_id, phone_number_id)
        # Without a recovery window, in which the same number could not be connected again. AWS takes a name without a secret.
        self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        self._cache.forget(name)

    def _load(self, name: str) -> NumberSecrets | None:
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return msgspec.json.decode(answer["SecretString"], type=NumberSecrets)

    def _name(self, organization_id: str, phone_number_id: str) -> str:
        return f"{self._prefix}{organization_id}/{phone_number_id}"
