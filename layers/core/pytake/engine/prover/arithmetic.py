"""Arithmetic on abstract values."""

from itertools import product

from pytake.engine.calculation import CalculationError, Number, Operator, calculate
from pytake.engine.prover.abstract_values import MISSING, NUMBER, TEXT, AbstractValue, Interval, one_of, summarized

_MAX_COMBINATIONS = 256


def calculated(operator: Operator, left: AbstractValue, right: AbstractValue) -> AbstractValue:
    """The result of an operation. It is missing if an operand is not a number, or if the result is too large."""
    if left.values is not None and left.exact and right.values is not None and right.exact:
        pairs = list(product(left.listed(), right.listed()))
        if len(pairs) <= _MAX_COMBINATIONS:
            return one_of([_result(operator, *pair) for pair in pairs])
    left, right = summarized(left), summarized(right)
    if not all(side.kinds & {NUMBER, TEXT} for side in (left, right)):
        return one_of([None])
    if left.kinds == {NUMBER} == right.kinds:
        return _of_numbers(operator, left.numbers, right.numbers)
    return AbstractValue(kinds=frozenset((NUMBER, MISSING)))


def _result(operator: Operator, left: object, right: object) -> Number | None:
    try:
        return calculate(operator, left, right)
    except CalculationError:
        return None


def _of_numbers(operator: Operator, left: Interval, right: Interval) -> AbstractValue:
    """Each operation is monotone in each operand, so the ends of the operands give the ends of the result."""
    ends = (left.low, left.high), (right.low, right.high)
    divides_by_zero = operator == "/" and not right.above(0, open_=False).below(0, open_=False).is_nothing
    if divides_by_zero or None in ends[0] or None in ends[1]:
        return _half_bounded(operator, left, right)
    found = [_result(operator, a, b) for a, b in product(*ends)]
    numbers = [number for number in found if number is not None]
    if len(numbers) < len(found):  # the result of an end is too large
        return AbstractValue(kinds=frozenset((NUMBER, MISSING)))
    return AbstractValue(kinds=frozenset((NUMBER,)), numbers=Interval(min(numbers), max(numbers)), nonempty=True)


def _half_bounded(operator: Operator, left: Interval, right: Interval) -> AbstractValue:
    """A sum or difference with one unbounded end, such as a counter in a loop."""
    low = high = None
    if operator == "+":
        low, high = _end("+", left.low, right.low), _end("+", left.high, right.high)
    elif operator == "-":
        low, high = _end("-", left.low, right.high), _end("-", left.high, right.low)
    return AbstractValue(kinds=frozenset((NUMBER, MISSING)), numbers=Interval(low, high))


def _end(operator: Operator, left: Number | None, right: Number | None) -> Number | None:
    return None if left is None or right is None else _result(operator, left, right)
