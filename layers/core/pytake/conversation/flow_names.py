"""The name of a flow in its organization's list."""

from typing import Any

LISTED_NAME_LENGTH = 200
"""Limit for a flow's name in its organization's list, in characters."""


def listed_name(document: dict[str, Any]) -> str:
    """A flow's name in a list: the document's name, or its id if it has no valid name."""
    name = document.get("name")
    return str(name if isinstance(name, str) and name.strip() else document.get("id") or "")[:LISTED_NAME_LENGTH]
