"""The filters of templates, as in `{{name | first_name | upper}}`. Each maps a value and its arguments to a value."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pytake.engine.limits import VALUE_CHARACTERS
from pytake.engine.text_split import truncate
from pytake.engine.values import as_number, is_empty, plain_text


class Filter(Struct, frozen=True):
    """A filter and the number of arguments it takes."""

    apply: Callable[..., Any]
    least: int = 0
    most: int = 0


def _title(value: Any) -> str:
    # Not str.title(), which makes "It'S" of "it's": only the letter after a space becomes upper case.
    return " ".join(word[:1].upper() + word[1:].lower() for word in plain_text(value).split(" "))


def _first_name(value: Any) -> str:
    words = plain_text(value).split()
    return words[0] if words else ""


def _item(index: int) -> Callable[[Any], Any]:
    def item(value: Any) -> Any:
        if isinstance(value, list):
            return value[index] if value else None
        return plain_text(value)[index:][:1] if index >= 0 else plain_text(value)[-1:]

    return item


def _round(value: Any, digits: Any = 0) -> Any:
    number, places = as_number(value), as_number(digits)
    if number is None or not isinstance(places, int) or not 0 <= places <= 12:
        return value
    return round(number, places) if places else round(number)


def _truncate(value: Any, length: Any) -> Any:
    return truncate(plain_text(value), length) if isinstance(length, int) and length > 0 else value


def _replace(value: Any, old: Any, new: Any) -> Any:
    if not old:
        return value
    text, old, new = plain_text(value), str(old), str(new)
    # A chain of replacements could grow a short text without limit, so a result that is too long is discarded.
    return text if len(text) + text.count(old) * len(new) > VALUE_CHARACTERS else text.replace(old, new)


FILTERS: dict[str, Filter] = {
    "upper": Filter(lambda value: plain_text(value).upper()),
    "lower": Filter(lambda value: plain_text(value).lower()),
    "title": Filter(_title),
    "capitalize": Filter(lambda value: (text := plain_text(value))[:1].upper() + text[1:]),
    "trim": Filter(lambda value: plain_text(value).strip()),
    "default": Filter(lambda value, instead: instead if is_empty(value) else value, 1, 1),
    "first_name": Filter(_first_name),
    "first": Filter(_item(0)),
    "last": Filter(_item(-1)),
    "join": Filter(
        lambda value, by=", ": by.join(map(plain_text, value)) if isinstance(value, list) else plain_text(value), 0, 1
    ),
    "length": Filter(lambda value: len(value) if isinstance(value, list | dict) else len(plain_text(value))),
    "digits": Filter(lambda value: "".join(c for c in plain_text(value) if c.isdecimal())),
    "replace": Filter(_replace, 2, 2),
    "round": Filter(_round, 0, 1),
    "truncate": Filter(_truncate, 1, 1),
}
