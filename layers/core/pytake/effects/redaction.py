"""Redacts secrets in results: an API may echo its request, and results are stored and displayed.

A secret is found as it is, URL-encoded, in JSON, in base64 (both alphabets, also inside a longer encoded text), in hexadecimal,
and backwards. What an API splits, hashes or encrypts is not found: a secret's list of hosts decides which API gets it at all.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 4
"""A shorter secret is too common to be redacted: `br` is part of many words."""

_SHORTEST_BASE64 = 6
"""A shorter part of a base64 text is too common to be redacted."""

_HIDDEN = "***"


class Redactor:
    """Redacts the given secrets in texts and JSON values, in all spellings that the module names."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {spelling for secret in secrets for spelling in (secret, secret.strip())}
        spellings = {text for secret in known if len(secret) >= SHORTEST_SECRET for text in _spellings(secret)}
        # The longest first: a secret may be the beginning of another.
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, value: Any) -> Any:
        """The value with every secret in it replaced by `***`; a number that is a secret is replaced as a whole."""
        if not self._spellings:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, dict):
            return {self._text(key): self(item) for key, item in value.items()}
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _HIDDEN if str(value) in self._spellings else value
        return value

    def _text(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, _HIDDEN)
        return text


def _spellings(secret: str) -> Iterator[str]:
    content = secret.encode(errors="replace")
    encoded = (
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
        "".join(f"%{byte:02X}" for byte in content),
    )
    yield from (secret, secret[::-1], content.hex(), content.hex().upper())
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    for text in encoded:
        yield text
        yield re.sub("%..", lambda found: found[0].lower(), text)
    whole = b64encode(content).decode()
    parts = [whole, whole.rstrip("=")]
    for offset in range(3):
        # The characters that depend only on the secret when it begins `offset` bytes into a group of three.
        begin, end = -(-8 * offset // 6), 8 * (offset + len(content)) // 6
        parts.append(b64encode(b"\0" * offset + content).decode()[begin:end])
    for part in parts:
        if len(part) >= _SHORTEST_BASE64:
            yield part
            yield part.replace("+", "-").replace("/", "_")
