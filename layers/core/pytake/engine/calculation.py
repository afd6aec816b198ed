"""Arithmetic on the values of a flow: decimal, so that 0.1 + 0.2 is 0.3, and total: what has no result says why."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import Any, Literal

from pytake.engine.limits import LARGEST_NUMBER
from pytake.engine.values import as_number

Number = int | float
Operator = Literal["+", "-", "*", "/"]
Reason = Literal["division_by_zero", "not_a_number", "not_a_date", "too_large"]

# Numbers in JSON are binary fractions, which keep 15 decimal digits exactly.
_context = Context(prec=15, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])


class CalculationError(ValueError):
    """A value cannot be computed. The turn goes on with an empty value and an event with the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def calculate(operator: Operator, left: Any, right: Any) -> Number:
    """The result of an operation on two values. Raises CalculationError."""
    first, second = number_of(left), number_of(right)
    if operator == "/" and not second:
        raise CalculationError("division_by_zero")
    if type(first) is int and type(second) is int and operator != "/":
        whole = first + second if operator == "+" else first - second if operator == "-" else first * second
        return _within_limits(whole)
    a, b = Decimal(repr(first)), Decimal(repr(second))
    try:
        match operator:
            case "+":
                found = _context.add(a, b)
            case "-":
                found = _context.subtract(a, b)
            case "*":
                found = _context.multiply(a, b)
            case "/":
                found = _context.divide(a, b)
    except DecimalException:
        raise CalculationError("too_large") from None
    return _within_limits(_number(found))


def total(values: Iterable[Any]) -> Number:
    """The sum of some values, 0 if there are none. Raises CalculationError."""
    found: Number = 0
    for value in values:
        found = calculate("+", found, value)
    return found


def number_of(value: Any) -> Number:
    """The value as a number. Raises CalculationError."""
    number = as_number(value)
    if number is None:
        raise CalculationError("not_a_number")
    return _within_limits(number)


def _number(value: Decimal) -> Number:
    return int(value) if value == value.to_integral_value() and abs(value) <= LARGEST_NUMBER else float(value)


def _within_limits(number: Number) -> Number:
    if abs(number) > LARGEST_NUMBER:
        raise CalculationError("too_large")
    return number
