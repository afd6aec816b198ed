"""Options of a question within WhatsApp's limits: 3 buttons of 20 characters, or a list of 10 rows of 24."""

import re
from typing import Any

from msgspec import Struct

from pytake.whatsapp import limits as meta


class Choices(Struct):
    """How options are shown: `buttons`, or a `choice` validation with `values` if there are too many.

    `lines` belong to the question's text: the numbered options, or the whole labels of buttons that are too short for them.
    """

    buttons: list[dict[str, Any]]
    lines: list[str]
    values: list[str]
    shortened: list[str]


def fit_options(labels: list[str], targets: list[str | None] | None = None) -> Choices:
    """Options with these labels, as WhatsApp can show them. The value of an option is its whole label.

    A label that is too long for a row is shortened, and the whole label becomes the row's description; that of a button becomes a
    line of the text. More options than a list holds become numbered lines of the text.
    """
    targets = targets or [None] * len(labels)
    values = distinct([" ".join(label.split())[: meta.ROW_ID] or str(at) for at, label in enumerate(labels, 1)])
    if len(values) > meta.LIST_ROWS:
        lines = [f"{number}. {value}" for number, value in enumerate(values, 1)]
        return Choices([], lines, values, [])
    as_list = len(values) > meta.BUTTONS
    most = meta.ROW_TITLE if as_list else meta.BUTTON_TITLE
    titles = distinct([_shown(value, most) for value in values], most)
    shortened = [value for value in values if _length(value) > meta.ROW_DESCRIPTION]
    buttons = []
    for value, title, target in zip(values, titles, targets, strict=True):
        button: dict[str, Any] = {"label": title}
        if value != title:
            button["value"] = value
        if as_list and value != title:
            button["description"] = _shown(value, meta.ROW_DESCRIPTION)
        if target is not None:
            button["next_node_id"] = target
        buttons.append(button)
    lines = [] if as_list else [f"• {value}" for value, title in zip(values, titles, strict=True) if value != title]
    return Choices(buttons, lines, values, shortened if as_list else [])


def with_lines(text: str, choices: Choices) -> str:
    """The text of a question with the lines of its options."""
    return "\n".join([text, *choices.lines]).strip("\n") if choices.lines else text


def _length(label: str) -> int:
    """The length of a label; how long a value in it will be is not known."""
    return len(re.sub(r"\{\{.*?\}\}", "", label))


def _shown(text: str, most: int) -> str:
    return text if _length(text) <= most else text[: most - 1].rstrip() + "…"


def distinct(texts: list[str], most: int = meta.ROW_ID) -> list[str]:
    """The texts, with a number behind those that are there already: WhatsApp refuses two equal options."""
    found: list[str] = []
    for text in texts:
        candidate, number = text, 1
        while candidate.casefold() in {other.casefold() for other in found}:
            number += 1
            mark = f" {number}"
            candidate = text[: most - len(mark)] + mark
        found.append(candidate)
    return found
