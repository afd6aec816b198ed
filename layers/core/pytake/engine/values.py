"""Values as text and as numbers, defined once so that messages, conditions and answers agree."""

from collections.abc import Callable
from typing import Any

import msgspec

from pytake.engine.limits import NUMBER_CHARACTERS, VALUE_CHARACTERS, VALUE_DEPTH, VALUE_ITEM_CHARACTERS
from pytake.engine.texts import Language

_json = msgspec.json.Encoder(order="deterministic").encode


def plain_text(value: Any) -> str:
    """A value as machine-readable text: `true`, `1.5`, list items joined by commas, objects as JSON, a missing value as empty."""
    kind = type(value)
    if kind is str:
        return str(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return _float_text(value)
    if kind is list or kind is tuple:
        return ", ".join(plain_text(item) for item in value)
    if kind is dict:
        return _json(value).decode()
    return str(value)


def _decimal_comma_text(value: Any) -> str:
    kind = type(value)
    if kind is float:
        return _float_text(value).replace(".", ",")
    if kind is list or kind is tuple:
        separator = "; " if any(type(item) is float for item in value) else ", "
        return separator.join(_decimal_comma_text(item) for item in value)
    return plain_text(value)


TEXT_PRESERVING_FORMATTERS = (plain_text, _decimal_comma_text)
"""The formatters that do not change a text."""


def value_formatter(language: Language) -> Callable[[Any], str]:
    """The function that formats values in messages of this language: Portuguese and Spanish write 1,5."""
    return plain_text if language == "en" else _decimal_comma_text


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.12g}"
    return text if "e" not in text else f"{value:.12f}".rstrip("0").rstrip(".")


def as_number(value: Any) -> int | float | None:
    """The value as a number: a number, or a text in plain notation (`5`, `-1.5`); None for anything else.

    Exponents, digit groups, `nan` and `inf` are not accepted: `1e5` may be a product code.
    """
    kind = type(value)
    if kind is int:
        return int(value)
    if kind is float:
        return float(value) if value - value == 0 else None
    if kind is not str or not 0 < len(value) <= NUMBER_CHARACTERS or not value.isascii():
        return None
    text = value.strip()
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits.isdigit():
        return int(text)
    whole, point, fraction = digits.partition(".")
    if point and fraction.isdigit() and (whole.isdigit() or not whole):
        return float(text)
    return None


def is_too_large(value: Any) -> bool:
    """Whether a value is too large for a variable, even if it takes little memory because its parts are shared.

    `["{{a}}", "{{a}}"]` stored in `a` doubles it with each visit: after a hundred nodes no machine could serialise it. The
    cost of this check is bounded by the limit, not by the value.
    """
    budget, waiting = VALUE_CHARACTERS, [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        kind = type(item)
        if kind is str:
            budget -= len(item)
        elif kind is list or kind is dict:
            budget -= VALUE_ITEM_CHARACTERS * len(item)
            if kind is dict:
                budget -= sum(map(len, item))
                item = item.values()
            if budget < 0 or depth >= VALUE_DEPTH:
                return True
            waiting.extend((part, depth + 1) for part in item)
        if budget < 0:
            return True
    return False


def exceeds_depth(value: Any, most: int) -> bool:
    """Whether lists and objects are nested more than `most` levels deep. Not recursive, because recursion has its own limit."""
    level = [value]
    for _ in range(most + 1):
        level = [part for part in level if type(part) is dict or type(part) is list]
        if not level:
            return False
        level = [part for item in level for part in (item.values() if type(item) is dict else item)]
    return True


def is_empty(value: Any) -> bool:
    """Whether a value is missing, a blank text, or an empty list or object."""
    if value is None:
        return True
    if type(value) is str:
        return not value or value.isspace()
    return type(value) in (list, dict) and not value


def value_at(value: Any, path: tuple[str, ...]) -> Any:
    """The part of a value at a path such as `items.0.title`; None if there is no such part."""
    for part in path:
        if type(value) is dict:
            value = value.get(part)
        elif type(value) is list and part.isascii() and part.isdigit() and len(part) < 7:
            index = int(part)
            value = value[index] if index < len(value) else None
        else:
            return None
    return value
