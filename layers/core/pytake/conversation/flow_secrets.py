"""The secrets that flows use in api_call. Values are write-only: only calls to APIs read them, for the hosts they name."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from pytake.conversation.ports.tenants import FlowSecret, FlowSecretStore
from pytake.engine.template import is_name

MAX_NAME_LENGTH = 64
MIN_VALUE_LENGTH = 4
"""A shorter value could not be redacted from an API's answer without damaging other words (`pytake.effects.redaction`)."""

MAX_VALUE_BYTES = 8_192
"""The usual limit of servers for a header."""

MAX_HOSTS = 10
MAX_HOST_LENGTH = 253
MAX_SECRETS = 100
MAX_TOTAL_BYTES = 60_000
"""Limit for an organization's names and values together. A secret in Secrets Manager has at most 65,536 bytes of JSON."""


_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f]*:[0-9a-f:.]+")  # a name, an IPv4 or an IPv6 address


class FlowSecretRefusedError(ValueError):
    """A secret that cannot be stored. `code` is stable; the text says what to do and never quotes a value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownSecretError(Exception):
    """The organization has no secret of this name."""


class ManageFlowSecrets:
    """The use cases of admins for an organization's flow secrets."""

    def __init__(self, store: FlowSecretStore) -> None:
        self._store = store

    def hosts(self, organization_id: str) -> dict[str, tuple[str, ...]]:
        """The hosts that each secret may be sent to, by the secret's name and in the order of the names."""
        return dict(sorted(self._store.hosts(organization_id).items()))

    def put(self, organization_id: str, name: str, value: str, hosts: Sequence[str]) -> tuple[str, ...]:
        """Create a secret, or replace its value and its hosts; returns the hosts in the form in which they are compared.

        Raises `FlowSecretRefusedError`, and `ConflictError` when others keep writing.
        """
        if not (is_name(name) and len(name) <= MAX_NAME_LENGTH):
            message = f"A secret's name has only letters, digits, `_` and `-`, at most {MAX_NAME_LENGTH} characters."
            raise FlowSecretRefusedError("secret_name_invalid", message)
        if len(value.strip()) < MIN_VALUE_LENGTH:
            message = f"A secret has at least {MIN_VALUE_LENGTH} characters: a shorter one could not be redacted from answers."
            raise FlowSecretRefusedError("secret_too_short", message)
        if len(value.encode(errors="replace")) > MAX_VALUE_BYTES:
            message = f"A secret has at most {MAX_VALUE_BYTES} bytes."
            raise FlowSecretRefusedError("secret_too_large", message)

        secret = FlowSecret(value, _checked_hosts(hosts))

        def with_it(known: Mapping[str, FlowSecret]) -> Mapping[str, FlowSecret]:
            secrets = {**known, name: secret}
            if len(secrets) > MAX_SECRETS:
                message = f"An organization has at most {MAX_SECRETS} secrets. Delete one that no flow uses."
                raise FlowSecretRefusedError("secrets_full", message)
            if _size(secrets) > MAX_TOTAL_BYTES:
                message = (
                    f"An organization's secrets have at most {MAX_TOTAL_BYTES} bytes together. Delete unused ones."
                )
                raise FlowSecretRefusedError("secrets_full", message)
            return secrets

        self._store.change(organization_id, with_it)
        return secret.hosts

    def remove(self, organization_id: str, name: str) -> None:
        """Delete a secret. Raises `UnknownSecretError`, and `ConflictError` when others keep writing."""

        def without_it(known: Mapping[str, FlowSecret]) -> Mapping[str, FlowSecret]:
            if name not in known:
                raise UnknownSecretError(name)
            return {kept: value for kept, value in known.items() if kept != name}

        self._store.change(organization_id, without_it)


def _checked_hosts(hosts: Sequence[str]) -> tuple[str, ...]:
    checked = tuple(dict.fromkeys(host.strip().lower().removesuffix(".").strip("[]") for host in hosts))
    if not 0 < len(checked) <= MAX_HOSTS:
        message = f"Name the hosts that may receive the secret, at least one and at most {MAX_HOSTS}."
        raise FlowSecretRefusedError("secret_hosts_invalid", message)
    for host in checked:
        if len(host) > MAX_HOST_LENGTH or not _HOST.fullmatch(host):
            message = (
                "A host is a name such as `api.example.com`, without `https://`, port and path. Write an international name in "
                "its ASCII form (`xn--...`)."
            )
            raise FlowSecretRefusedError("secret_hosts_invalid", message)
    return checked


def _size(secrets: Mapping[str, FlowSecret]) -> int:
    """Bytes of the JSON, a little less than Secrets Manager counts."""
    return len(msgspec.json.encode(secrets))
