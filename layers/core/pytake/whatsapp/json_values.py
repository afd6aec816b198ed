"""Lenient reading of single values in Meta's JSON."""

import math
from typing import Any

Json = dict[str, Any]

_MAX_ID = 512  # characters; ids become parts of keys, and Meta's longest (a BSUID) has 131


def identifier(value: Any) -> str | None:
    """An opaque id as text, or None. Meta has sent numbers where the documentation says text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_ID else None


def digits_of(value: Any) -> str | None:
    """The digits of a phone number with or without `+`. None for anything else, such as a business-scoped id."""
    text = identifier(value)
    digits = text.removeprefix("+") if text else ""
    return digits if digits.isascii() and digits.isdigit() else None


def objects_of(value: Any) -> list[Json]:
    """The objects in a list; empty for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number_of(value: Any) -> float | None:
    """A finite number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
