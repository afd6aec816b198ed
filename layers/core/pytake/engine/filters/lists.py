"""Filters for lists. Positions count from 1."""

import re
from collections.abc import Callable
from typing import Any

from pytake.engine.calculation import CalculationError, number_of, total
from pytake.engine.filters.filter import Filter, Setting
from pytake.engine.filters.numbers import amount
from pytake.engine.limits import VALUE_CHARACTERS
from pytake.engine.values import as_number, plain_text, value_at

_PLACE = r"\{([^{}]*)\}"
_PLACES = re.compile("[0-9]|1[0-2]", re.ASCII)


def _end(index: int) -> Callable[[Any], Any]:
    def end(value: Any) -> Any:
        if isinstance(value, list):
            return value[index] if value else None
        return plain_text(value)[index:][:1] if index >= 0 else plain_text(value)[-1:]

    return end


def _join(value: Any, by: Any = ", ") -> str:
    return str(by).join(map(plain_text, value)) if isinstance(value, list) else plain_text(value)


def _item(value: Any, number: Any) -> Any:
    position = as_number(number)
    if not isinstance(value, list) or type(position) is not int or not 0 < abs(position) <= len(value):
        return None
    return value[position - 1 if position > 0 else position]


def _items(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty list, anything else as a list of one item."""
    return value if isinstance(value, list) else [] if value is None or value == "" else [value]


def _parts(value: Any, field: Any) -> list[Any]:
    path = tuple(str(field).split("."))
    return [value_at(item, path) for item in _items(value)]


def _map(value: Any, field: Any) -> list[Any]:
    return [part for part in _parts(value, field) if part is not None]


def _sum(value: Any, field: Any = None) -> int | float:
    return total(_items(value) if field is None else _parts(value, field))


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(value: Any, field: Any = None) -> Any:
        found = _items(value) if field is None else _parts(value, field)
        return choose(map(number_of, found)) if found else None

    return extreme


def _lines(value: Any, pattern: Any = "{value}", by: Any = "\n", *, at: Setting) -> str:
    """Each item in the pattern: `{index}` is its position, `{value}` the item itself, `{name}` a part of it, and `{name:2}` what
    `amount(2)` writes: a number with exactly two decimals, and the thousands in groups."""
    lines: list[str] = []
    left = VALUE_CHARACTERS
    for index, item in enumerate(_items(value), 1):

        def part(found: re.Match[str], index: int = index, item: Any = item) -> str:
            name, _, places = (text.strip() for text in found[1].partition(":"))
            if name == "index":
                return str(index)
            inside = value_at(item, tuple(name.split(".")))
            inside = item if inside is None and name == "value" else inside
            if _PLACES.fullmatch(places) and as_number(inside) is not None:
                return amount(inside, int(places), at=at)
            return at.write(inside)

        lines.append(re.sub(_PLACE, part, str(pattern)))
        left -= len(lines[-1]) + len(str(by))
        if left < 0:
            raise CalculationError("too_large")
    return str(by).join(lines)


LIST_FILTERS: dict[str, Filter] = {
    "first": Filter(_end(0)),
    "last": Filter(_end(-1)),
    "join": Filter(_join, 0, 1),
    "length": Filter(lambda value: len(value) if isinstance(value, list | dict) else len(plain_text(value))),
    "item": Filter(_item, 1, 1, reads=True),
    "map": Filter(_map, 1, 1),
    "sum": Filter(_sum, 0, 1),
    "min": Filter(_extreme(min), 0, 1),
    "max": Filter(_extreme(max), 0, 1),
    "lines": Filter(_lines, 0, 2, in_setting=True),
}
