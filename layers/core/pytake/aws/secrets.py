"""Number secrets in Secrets Manager, one secret for each kind, so that a function's role can read its own kind only.

`{prefix}{organization}/{phone_number_id}/app-secret` holds what verifies the number's webhooks, `.../access-token` what sends for
the number.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from pytake.conversation.ports.common import Clock
from pytake.conversation.records import NumberSecrets
from pytake.conversation.ttl_cache import TtlCache

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHE_SECONDS = 300
MIN_REFRESH_SECONDS = 10
"""The minimum time between reads past the cache: forged webhooks must not cause calls to Secrets Manager."""


class _AppSecret(Struct, omit_defaults=True):
    app_secret: str
    previous_app_secret: str | None = None


class _AccessToken(Struct):
    access_token: str


_NAMES: dict[Any, str] = {_AppSecret: "app-secret", _AccessToken: "access-token"}
_Kind = TypeVar("_Kind", _AppSecret, _AccessToken)


class SecretsManagerSecrets:
    """Implements `pytake.conversation.ports.tenants.Secrets`. `client` gives the client, which the first request makes."""

    def __init__(self, client: "Callable[[], SecretsManagerClient]", prefix: str, clock: Clock) -> None:
        self._client = client
        self._prefix = prefix
        self._cache: TtlCache[Any] = TtlCache(CACHE_SECONDS, 1000, clock)
        self._unsigned: TtlCache[bool] = TtlCache(MIN_REFRESH_SECONDS, 1000, clock)  # numbers without an app secret

    def app_secrets(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> tuple[str, ...]:
        name = self._name(_AppSecret, organization_id, phone_number_id)
        if self._unsigned.get(name, lambda: None):
            return ()
        found = self._get(_AppSecret, organization_id, phone_number_id, fresh=fresh)
        if found is None:
            self._unsigned.put(name, True)
            return ()
        return NumberSecrets(found.app_secret, "", found.previous_app_secret).app_secrets

    def cached_app_secrets(self, organization_id: str, phone_number_id: str) -> tuple[str, ...]:
        found = self._cache.get(self._name(_AppSecret, organization_id, phone_number_id), lambda: None)
        return NumberSecrets(found.app_secret, "", found.previous_app_secret).app_secrets if found is not None else ()

    def access_token(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> str | None:
        found = self._get(_AccessToken, organization_id, phone_number_id, fresh=fresh)
        return found.access_token if found is not None else None

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        app = self._get(_AppSecret, organization_id, phone_number_id, fresh=fresh)
        token = self._get(_AccessToken, organization_id, phone_number_id, fresh=fresh)
        if app is None or token is None:
            return None
        return NumberSecrets(app.app_secret, token.access_token, app.previous_app_secret)

    def put(self, organization_id: str, phone_number_id: str, secrets: NumberSecrets) -> None:
        for secret in (
            _AppSecret(secrets.app_secret, secrets.previous_app_secret),
            _AccessToken(secrets.access_token),
        ):
            name = self._name(type(secret), organization_id, phone_number_id)
            text = msgspec.json.encode(secret).decode()
            try:
                self._client().put_secret_value(SecretId=name, SecretString=text)
            except self._client().exceptions.ResourceNotFoundException:
                self._client().create_secret(Name=name, SecretString=text)
            self._cache.forget(name)
            self._unsigned.forget(name)

    def remove(self, organization_id: str, phone_number_id: str) -> None:
        for kind in _NAMES:
            name = self._name(kind, organization_id, phone_number_id)
            # Without a recovery window, in which the same number could not be connected again. AWS accepts the name of a secret
            # that does not exist; the local cloud does not.
            with suppress(self._client().exceptions.ResourceNotFoundException):
                self._client().delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            self._cache.forget(name)

    def _get(self, kind: type[_Kind], organization_id: str, phone_number_id: str, *, fresh: bool) -> _Kind | None:
        name = self._name(kind, organization_id, phone_number_id)

        def load() -> _Kind | None:
            try:
                answer = self._client().get_secret_value(SecretId=name)
            except self._client().exceptions.ResourceNotFoundException:
                return None
            return msgspec.json.decode(answer["SecretString"], type=kind)

        found: _Kind | None = self._cache.get(name, load, fresher_than=MIN_REFRESH_SECONDS if fresh else None)
        return found

    def _name(self, kind: type, organization_id: str, phone_number_id: str) -> str:
        return f"{self._prefix}{organization_id}/{phone_number_id}/{_NAMES[kind]}"
