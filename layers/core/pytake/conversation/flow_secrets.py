"""Keep the secrets that flows may use in api_call. Values go in, and only calls to APIs see them again."""

from collections.abc import Mapping

import msgspec

from pytake.conversation.ports.tenants import FlowSecretStore
from pytake.engine.template import is_name

MAX_NAME_LENGTH = 64
MIN_VALUE_LENGTH = 4
"""A shorter value cannot be taken out of what an API echoes without tearing other words apart (`pytake.effects.redaction`)."""

MAX_VALUE_BYTES = 8_192
"""What servers commonly take as a header."""

MAX_SECRETS = 100
MAX_TOTAL_BYTES = 60_000
"""Of an organization's names and values together: one secret of Secrets Manager holds 65,536 bytes, JSON's quotes included."""


class FlowSecretRefusedError(ValueError):
    """A secret that cannot be kept. `code` is stable; the text says what to do and never quotes a value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownSecretError(Exception):
    """The organization has no secret of this name."""


class ManageFlowSecrets:
    """What admins do with an organization's secrets."""

    def __init__(self, store: FlowSecretStore) -> None:
        self._store = store

    def names(self, organization_id: str) -> list[str]:
        """The names, in order."""
        return sorted(self._store.names(organization_id))

    def put(self, organization_id: str, name: str, value: str) -> None:
        """Store a secret, or another value for it.

        Raises `FlowSecretRefusedError`, and `ConflictError` when others write without a pause.
        """
        if not (is_name(name) and len(name) <= MAX_NAME_LENGTH):
            message = f"A secret's name has letters, digits, `_` and `-` only, at most {MAX_NAME_LENGTH}."
            raise FlowSecretRefusedError("secret_name_invalid", message)
        if len(value.strip()) < MIN_VALUE_LENGTH:
            message = (
                f"A secret has at least {MIN_VALUE_LENGTH} characters: a shorter one could not be hidden in answers."
            )
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
                message = f"An organization's secrets have at most {MAX_TOTAL_BYTES} bytes together. Delete what no flow uses."
                raise FlowSecretRefusedError("secrets_full", message)
            return secrets

        self._store.change(organization_id, with_it)

    def remove(self, organization_id: str, name: str) -> None:
        """Forget a secret. Raises `UnknownSecretError`, and `ConflictError` when others write without a pause."""

        def without_it(known: Mapping[str, str]) -> Mapping[str, str]:
            if name not in known:
                raise UnknownSecretError(name)
            return {kept: value for kept, value in known.items() if kept != name}

        self._store.change(organization_id, without_it)


def _size(secrets: Mapping[str, str]) -> int:
    """Bytes of the stored JSON, a little less than what Secrets Manager counts."""
    return len(msgspec.json.encode(secrets))
