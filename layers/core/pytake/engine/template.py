"""Templates such as `Hello {{contact.name | first_name | default("friend")}}!`: parsed once, rendered in one pass.

A rendered value is never rendered again, whatever it contains. A missing value is rendered as an empty text.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.engine.filters import FILTERS

NAMESPACES = ("contact", "input", "secrets")


class TemplateError(ValueError):
    """A template is invalid; the message says why."""


class Expression(Struct, frozen=True):
    """The content of a `{{...}}`: a path and the filters applied to its value."""

    path: tuple[str, ...]
    filters: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...] = ()


def parse_template(text: str) -> list[str | Expression]:
    """The literal texts and the expressions of a template, in order. Raises TemplateError."""
    parts: list[str | Expression] = []
    position = 0
    while True:
        start = text.find("{{", position)
        end = _closing(text, start + 2) if start >= 0 else -1
        if end < 0:
            if position < len(text):
                parts.append(text[position:])
            return parts
        if start > position:
            parts.append(text[position:start])
        parts.append(parse_expression(text[start + 2 : end]))
        position = end + 2


def is_unclosed(text: str) -> bool:
    """Whether the text contains a `{{` without a matching `}}`, which is shown as it is."""
    start = text.rfind("{{")
    return start >= 0 and _closing(text, start + 2) < 0


def is_name(text: str) -> bool:
    """Whether a text is a valid part of a path: letters, digits, `_` and `-`."""
    return bool(text) and all(c.isalnum() or c in "_-" for c in text)


def parse_path(text: str) -> tuple[str, ...]:
    """A path such as `order.items.0.title` or `items[0].title`. Raises TemplateError."""
    path = tuple(text.strip().replace("[", ".").replace("]", "").split("."))
    if not all(map(is_name, path)):
        raise TemplateError(f"`{text.strip()}` is not a valid name; use letters, digits and _, separated by dots")
    return path


def parse_expression(text: str) -> Expression:
    """Parse the content of a `{{...}}`. Raises TemplateError."""
    head, *tails = _split(text, "|")
    if not head.strip():
        raise TemplateError("`{{}}` is empty; write the name of a variable between the braces")
    return Expression(parse_path(head), tuple(_filter(tail.strip()) for tail in tails))


def _filter(text: str) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    name, parenthesis, rest = text.partition("(")
    name, rest = name.strip(), rest.strip()
    if parenthesis and not rest.endswith(")"):
        raise TemplateError(f"the filter `{text}` has no closing parenthesis")
    inside = rest[:-1].strip() if parenthesis else ""
    arguments = tuple(_argument(part.strip()) for part in _split(inside, ",")) if inside else ()
    found = FILTERS.get(name)
    if found is None:
        raise TemplateError(f"there is no filter `{name}`; the filters are {', '.join(FILTERS)}")
    if not found.least <= len(arguments) <= found.most:
        raise TemplateError(f"the filter `{name}` takes {_count(found.least, found.most)}, not {len(arguments)}")
    return found.apply, arguments


def _count(least: int, most: int) -> str:
    numbers = str(least) if least == most else f"{least} to {most}"
    return f"{numbers} argument" + ("" if numbers == "1" else "s")


def _argument(text: str) -> Any:
    if len(text) >= 2 and text[0] in "\"'“" and text[-1] in "\"'”":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise TemplateError(f"`{text}` is neither a quoted text nor a number") from None


def _closing(text: str, position: int) -> int:
    """The position of the `}}` that ends an expression, ignoring quoted braces; -1 if there is none."""
    quote = ""
    for index in range(position, len(text) - 1):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and "|" in text[position:index]:
            quote = character
        elif character == "}" and text[index + 1] == "}":
            return index
        elif character == "{" and text[index + 1] == "{":
            return -1
    # An unclosed quote must not hide the closing braces.
    return text.find("}}", position) if quote else -1


def _split(text: str, separator: str) -> list[str]:
    """The text split at separators that are not inside quotes."""
    parts, quote, start = [], "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == separator:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts
