"""Where the console's tokens come from: made by the local cloud's issuer, or read from a file."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

RENEW_SECONDS = 300
"""A token that ends this soon is replaced."""


@dataclass(frozen=True)
class Identity:
    """For whom the console asks. A token's own claims win where the token is given."""

    organization_id: str
    role: str


class NoTokenError(Exception):
    """There is no token to ask with; the message says where it was looked for and what to do."""


class Tokens(Protocol):
    """Gives tokens."""

    @property
    def chooses_identity(self) -> bool:
        """Whether the person may choose the organization and the role, because a token is made for any of them."""

    def token(self, identity: Identity) -> str:
        """Return a token for this identity, or the one there is. Raises `NoTokenError`."""


@dataclass
class MintedTokens:
    """Tokens of the local cloud's own issuer, for users of this machine."""

    mint: Callable[[str, str], str]
    """Takes the organization and the role."""
    clock: Callable[[], float] = time.time
    chooses_identity: bool = True
    _kept: dict[Identity, str] = field(default_factory=dict)

    def token(self, identity: Identity) -> str:
        """Return a token that is good for some minutes at least."""
        kept = self._kept.get(identity)
        if kept is None or claims_of(kept).get("exp", 0) - self.clock() < RENEW_SECONDS:
            kept = self._kept[identity] = self.mint(identity.organization_id, identity.role)
        return kept


@dataclass
class FileToken:
    """The token in a file, read for each request, so that a renewed one is used without a restart."""

    path: Path
    chooses_identity: bool = False

    def token(self, identity: Identity) -> str:  # noqa: ARG002  the token says whose it is
        """Return what the file holds."""
        try:
            token = self.path.read_text().strip()
        except OSError as error:
            raise NoTokenError(f"{self.path}: {error.strerror}") from None
        if not token:
            raise NoTokenError(f"{self.path} is empty")
        return token


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says of itself, unverified and only for showing; nothing when it cannot be read."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
