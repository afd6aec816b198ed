"""Placeholder: the handler is on its way."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers that nothing is here yet."""
    raise NotImplementedError
