"""What starts a flow elsewhere: words, triggers, campaigns. PyTake keeps it beside the flows, so the report says where."""

from typing import Any

from pytake.importers.reading import as_list, as_text
from pytake.importers.report import Severity


def keywords_loss(words: list[Any]) -> tuple[str, Severity, str] | None:
    """The code, the severity and the message about words that start a flow; None without words."""
    named = ", ".join(f"`{word[:40]}`" for word in map(as_text, as_list(words)) if word.strip())
    if not named:
        return None
    message = f"The words {named} start this flow. Enter them as its keywords at the number when you publish it."
    return "keywords", "note", message
