"""Redacts secrets in results: an API may echo its request, and results are stored and displayed."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 4
"""A shorter secret is too common to be redacted: `br` is part of many words."""

_HIDDEN = "***"


class Redactor:
    """Redacts the given secrets in texts and JSON values, also in their URL and JSON encodings."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {spelling for secret in secrets for spelling in (secret, secret.strip())}
        spellings = {
            spelling
            for secret in known
            if len(secret) >= SHORTEST_SECRET
            for spelling in (
                secret,
                quote(secret, safe="", errors="replace"),
                quote(secret, errors="replace"),
                quote_plus(secret, errors="replace"),
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
            )
        }
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
