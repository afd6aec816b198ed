"""Filters for numbers."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pytake.engine.calculation import calculate, number_of
from pytake.engine.filters.filter import Filter, Setting
from pytake.engine.limits import LARGEST_NUMBER
from pytake.engine.reading import read_number
from pytake.engine.values import as_number, plain_text

_COMMA_FOR_POINT = str.maketrans(",.", ".,")


def _round(value: Any, digits: Any = 0) -> Any:
    """The number with at most so many decimals. A tie is rounded away from zero, as at school: 2.5 becomes 3, -2.5 becomes -3."""
    number, places = as_number(value), as_number(digits)
    if number is None or not isinstance(places, int) or not 0 <= places <= 12:
        return value
    if isinstance(number, int) or abs(number) > LARGEST_NUMBER:
        return number
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return float(rounded) if places else int(rounded)


def _number(value: Any, *, at: Setting) -> int | float | None:
    """The number that a text means in the flow's language; None if it is not a number."""
    number = as_number(value)
    text = plain_text(value).strip()
    return number if number is not None or not text else read_number(text, decimal_comma=at.language != "en")


def _decimals(value: Any, digits: Any = 2, *, at: Setting) -> str:
    """The number with exactly so many decimals: `12.5` becomes `12.50`, or `12,50` in Portuguese and Spanish."""
    return _written(value, digits, "f", at)


def amount(value: Any, digits: Any = 2, *, at: Setting) -> str:
    """The same with the thousands in groups: `1234.5` becomes `1,234.50`, or `1.234,50` in Portuguese and Spanish."""
    return _written(value, digits, ",f", at)


def _written(value: Any, digits: Any, form: str, at: Setting) -> str:
    places = digits if type(digits) is int and 0 <= digits <= 12 else 2
    text = format(Decimal(repr(number_of(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), form)
    return text if at.language == "en" else text.translate(_COMMA_FOR_POINT)


NUMBER_FILTERS: dict[str, Filter] = {
    "round": Filter(_round, 0, 1),
    "abs": Filter(lambda value: abs(calculate("+", value, 0))),
    "number": Filter(_number, in_setting=True),
    "decimals": Filter(_decimals, 0, 1, in_setting=True),
    "amount": Filter(amount, 0, 1, in_setting=True),
}
