"""The secrets that flows use in api_call. Values are write-only: only calls to APIs read them."""

from collections.abc import Mapping

import msgspec

from pytake.conversation.ports.tenants import FlowSecretStore
from pytake.engine.template import is_name

MAX_NAME_LENGTH = 64
MIN_VALUE_LENGTH = 4
"""A shorter value could not be redacted from an API's answer without damaging other words (`pytake.effects.redaction`)."""

MAX_VALUE_BYTES = 8_192
"""The usual limit of servers for a header."""

MAX_SECRETS = 100
MAX_TOTAL_BYTES = 60_000
"""Limit for an organization's names and values together. A secret in Secrets Manager has at most 65,536 bytes of JSON."""


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

    def names(self, organization_id: str) -> list[str]:
        """The names, in order."""
        return sorted(self._store.names(organization_id))

    def put(self, organization_id: str, name: str, value: str) -> None:
        """Create a secret, or replace its value.

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

        def with_it(known: Mapping[str, str]) -> Mapping[str, str]:
            secrets = {**known, name: value}
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

    def remove(self, organization_id: str, name: str) -> None:
        """Delete a secret. Raises `UnknownSecretError`, and `ConflictError` when others keep writing."""

        def without_it(known: Mapping[str, str]) -> Mapping[str, str]:
            if name not in known:
                raise UnknownSecretError(name)
            return {kept: value for kept, value in known.items() if kept != name}

        self._store.change(organization_id, without_it)


def _size(secrets: Mapping[str, str]) -> int:
    """Bytes of the JSON, a little less than Secrets Manager counts."""
    return len(msgspec.json.encode(secrets))
