"""The signature of a webhook POST.

The header `X-Hub-Signature-256: sha256=<lowercase hex>` is an HMAC-SHA256 of the raw body with the app secret. Meta escapes
the body (`\\u00e9`, `\\/`), so the body must not be decoded and encoded before it is verified.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

_PREFIX = "sha256="
_HEADER = re.compile(r"sha256=[0-9a-f]{64}")


def sign(app_secret: str, body: bytes) -> str:
    """The header value for `body`, as Meta would send it: `sha256=` and lowercase hex."""
    return _PREFIX + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def is_well_formed(header: str | None) -> bool:
    """Whether the header has the form of a signature: without it there is no reason to look at the body."""
    return header is not None and _HEADER.fullmatch(header) is not None


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether `header` is the signature of `body` under one of `secrets` (two while a secret is being rotated).

    The comparison takes constant time. Without a header or a secret, and for an empty secret, the result is False: anyone
    can compute the signature for an empty key.
    """
    if not header:
        return False
    given = header.encode("utf-8", "surrogatepass")
    valid = False
    for secret in secrets:
        if secret and hmac.compare_digest(sign(secret, body).encode(), given):
            valid = True
    return valid
