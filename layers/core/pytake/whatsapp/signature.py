"""The signature Meta puts on every webhook POST.

Header `X-Hub-Signature-256: sha256=<lowercase hex>`, an HMAC-SHA256 of the raw body bytes with the app secret. Meta
sends the body already escaped (`\\u00e9`, `\\/`), so a body is never decoded and encoded again before it is verified.
"""

import hashlib
import hmac
from collections.abc import Iterable

_PREFIX = "sha256="


def sign(app_secret: str, body: bytes) -> str:
    """The header value for `body`, as Meta would send it: `sha256=` and lowercase hex."""
    return _PREFIX + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether `header` is the signature of `body` under one of `secrets` (two while a secret is being rotated).

    Takes the same time wherever a signature differs. A missing header, an empty secret and no secrets at all are never
    valid: anyone can compute the signature under an empty key.
    """
    if not header:
        return False
    given = header.encode("utf-8", "surrogatepass")
    valid = False
    for secret in secrets:
        if secret and hmac.compare_digest(sign(secret, body).encode(), given):
            valid = True
    return valid
