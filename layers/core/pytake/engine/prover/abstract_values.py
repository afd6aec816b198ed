"""The abstract values of the prover: what is known about the value of a variable.

An `AbstractValue` represents every value that a variable can have at one place of the flow. It may represent more values than
can really occur, but never fewer: what the prover calls impossible is impossible.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from pytake.engine.values import is_empty, plain_text

MISSING, TEXT, NUMBER, OTHER = "missing", "text", "number", "other"  # `other`: objects, lists, booleans
EVERY_KIND = frozenset((MISSING, TEXT, NUMBER, OTHER))
NEVER, ALWAYS = 1, 2  # whether a variable was assigned; both bits are set if only some paths assign it
_MAX_VALUES = 64
_FRACTION = 15  # the sign, the decimal separator and the digits after it
_MAX_CHARACTERS = 2000  # of a listed value

Scalar = tuple[str, Any]  # the name of the type distinguishes 1, 1.0 and true
DecidedComparison = tuple[tuple[str, ...], str, str, bool]  # path, operator, right side, outcome


class Interval(Struct, frozen=True):
    """Numbers between two bounds. A bound of None means unbounded; an open bound is excluded."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def join(self, other: "Interval") -> "Interval":
        """The smallest interval that contains both."""
        low = high = None
        low_open = high_open = False
        if self.low is not None and other.low is not None:
            low, low_open = min((self.low, self.low_open), (other.low, other.low_open))
        if self.high is not None and other.high is not None:
            high, closed = max((self.high, not self.high_open), (other.high, not other.high_open))
            high_open = not closed
        return Interval(low, high, low_open, high_open)

    def below(self, bound: float, *, open_: bool) -> "Interval":
        """The part up to an upper bound."""
        if self.high is not None and (self.high, not self.high_open) <= (bound, not open_):
            return self
        return structs.replace(self, high=bound, high_open=open_)

    def above(self, bound: float, *, open_: bool) -> "Interval":
        """The part from a lower bound."""
        if self.low is not None and (self.low, self.low_open) >= (bound, open_):
            return self
        return structs.replace(self, low=bound, low_open=open_)

    @property
    def is_nothing(self) -> bool:
        """Whether it contains no number."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def describe(self) -> str:
        """The interval in words."""
        low = f"{'above' if self.low_open else 'at least'} {plain_text(self.low)}" if self.low is not None else ""
        high = f"{'below' if self.high_open else 'at most'} {plain_text(self.high)}" if self.high is not None else ""
        return " and ".join(filter(None, (low, high)))


class AbstractValue(Struct, frozen=True):
    """The values that a variable can have.

    `values` lists every value, or is None if there are too many. If `exact` is false, each listed value represents every value
    that compares as equal to it (`sim` represents `Sim`). The other fields describe values that are not listed: their kinds,
    the interval of numbers, the lengths of texts. `nonempty`: `is_empty` cannot hold. `assigned` is NEVER, ALWAYS or both.
    `outside`: the value may come from a flow that jumps into the root. `decided` holds the outcomes of earlier conditions.
    """

    values: frozenset[Scalar] | None = None
    exact: bool = True
    kinds: frozenset[str] = EVERY_KIND
    numbers: Interval = Interval()
    shortest: int = 0
    longest: int | None = None
    nonempty: bool = False
    assigned: int = ALWAYS
    outside: bool = False
    decided: frozenset[DecidedComparison] = frozenset()

    def listed(self) -> list[Any]:
        """The listed values; none if they are not listed."""
        return [value for _, value in self.values or ()]

    def text_lengths(self, write: Any = plain_text, *, whole: bool = False) -> tuple[int, int | None]:
        """The smallest and the largest number of characters when the value is rendered; None if there is no known bound.

        `whole`: only the digits before the decimal separator count, because people rarely answer 1.23456789.
        """
        if self.values is not None:
            lengths = [len(write(value)) for value in self.listed()]
            return (min(lengths, default=0) if self.exact else 0), max(lengths, default=0)
        if OTHER in self.kinds:
            return 0, None
        fewest: list[int] = []
        most: list[int | None] = []
        if MISSING in self.kinds:
            fewest, most = [0], [0]
        if TEXT in self.kinds:
            fewest.append(self.shortest)
            most.append(self.longest)
        if NUMBER in self.kinds:
            ends = [len(str(int(end))) if end is not None else 17 for end in (self.numbers.low, self.numbers.high)]
            fewest.append(1)
            most.append(max(ends) + (0 if whole else _FRACTION))
        return min(fewest, default=0), None if None in most else max((m for m in most if m is not None), default=0)

    def describe(self) -> str:
        """What is known, in words that can follow "is"."""
        if self.values is not None:
            names = sorted("empty" if is_empty(value) else f"`{plain_text(value)}`" for value in self.listed())
            if len(names) == 1:
                return names[0]
            shown = names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"]
            return f"one of {', '.join(shown)}"
        if self.kinds == {NUMBER}:
            return f"a number, {self.numbers.describe()}" if self.numbers != Interval() else "a number"
        if self.kinds == {TEXT}:
            least = f"at least {self.shortest}" if self.shortest > 1 else ""
            most = f"at most {self.longest}" if self.longest is not None else ""
            bounds = " and ".join(filter(None, (least, most)))
            return (
                f"a text of {bounds} characters"
                if bounds
                else "a text that is not empty"
                if self.nonempty
                else "a text"
            )
        return "not empty" if self.nonempty else "unknown"


def scalar(value: Any) -> Scalar:
    """A value in the form in which it is listed."""
    return type(value).__name__, value


def one_of(values: Iterable[Any], *, exact: bool = True, assigned: int = ALWAYS) -> AbstractValue:
    """A value that is one of these. Too many values, or long ones, are summarized instead of listed."""
    found = list(values)
    if any(isinstance(value, list | dict) for value in found):
        full = all(not is_empty(value) for value in found)
        return AbstractValue(kinds=frozenset(map(kind_of, found)), nonempty=full, assigned=assigned)
    known = AbstractValue(frozenset(map(scalar, found)), exact, frozenset(map(kind_of, found)), assigned=assigned)
    too_long = any(isinstance(value, str) and len(value) > _MAX_CHARACTERS for value in found)
    return summarized(known) if too_long or len(known.values or ()) > _MAX_VALUES else known


def kind_of(value: Any) -> str:
    """The kind of a value."""
    if value is None:
        return MISSING
    if type(value) is str:
        return TEXT
    return NUMBER if type(value) in (int, float) else OTHER


def summarized(known: AbstractValue) -> AbstractValue:
    """The same value, without a list of values."""
    if known.values is None:
        return known
    values = known.listed()
    numbers = [value for value in values if kind_of(value) == NUMBER]
    texts = [len(value) for value in values if kind_of(value) == TEXT]
    return AbstractValue(
        kinds=frozenset(map(kind_of, values)) if known.exact else known.kinds | frozenset(map(kind_of, values)),
        numbers=Interval(min(numbers), max(numbers)) if numbers and known.exact else Interval(),
        shortest=min(texts, default=0) if known.exact else 0,
        longest=max(texts, default=0) if known.exact else None,
        nonempty=all(not is_empty(value) for value in values),
        assigned=known.assigned,
        outside=known.outside,
        decided=known.decided,
    )


def join(left: AbstractValue, right: AbstractValue) -> AbstractValue:
    """What is known where two paths meet: all that can be true on either of them."""
    if left is right or left == right:
        return left
    assigned, outside, decided = (
        left.assigned | right.assigned,
        left.outside or right.outside,
        left.decided & right.decided,
    )
    if left.values is not None and right.values is not None:
        values = left.values | right.values
        if len(values) <= _MAX_VALUES:
            kinds = left.kinds | right.kinds
            return AbstractValue(
                values, left.exact and right.exact, kinds, assigned=assigned, outside=outside, decided=decided
            )
    left, right = summarized(left), summarized(right)
    has_numbers = [one for one in (left, right) if NUMBER in one.kinds]
    has_texts = [one for one in (left, right) if TEXT in one.kinds]
    numbers = has_numbers[0].numbers if has_numbers else Interval()
    longest: int | None = 0
    for one in has_numbers[1:]:
        numbers = numbers.join(one.numbers)
    for one in has_texts:
        longest = None if longest is None or one.longest is None else max(longest, one.longest)
    return AbstractValue(
        kinds=left.kinds | right.kinds,
        numbers=numbers,
        shortest=min((one.shortest for one in has_texts), default=0),
        longest=longest if has_texts else None,
        nonempty=left.nonempty and right.nonempty,
        assigned=assigned,
        outside=outside,
        decided=decided,
    )


Environment = Mapping[str, AbstractValue]
"""What is known about every relevant variable at one place of the flow."""


def join_environments(left: Environment, right: Environment) -> Environment:
    """What is known where two paths meet: all that can be true on either of them."""
    if left is right:
        return left
    joined, changed = {}, False
    for name, known in left.items():
        other = right[name]
        if other is not known:
            found = join(known, other)
            changed = changed or found is not known
            known = found
        joined[name] = known
    return joined if changed else left


class JoinCache:
    """Joins environments and caches the results, because the same few values meet again and again."""

    def __init__(self) -> None:
        self._same: dict[AbstractValue, AbstractValue] = {}
        self._joined: dict[
            tuple[int, int], tuple[AbstractValue, AbstractValue, AbstractValue]
        ] = {}  # holds the values, so that their ids stay valid

    def one(self, known: AbstractValue) -> AbstractValue:
        """The one object that is used for all values equal to this one."""
        return self._same.setdefault(known, known)

    def environments(self, left: Environment, right: Environment) -> Environment:
        """Like `join_environments`."""
        changed: dict[str, AbstractValue] = {}
        remembered = self._joined
        for name, known in left.items():
            other = right[name]
            if other is not known:
                key = (id(known), id(other))
                entry = remembered.get(key)
                if entry is None:
                    found = join(known, other)
                    found = known if found == known else self.one(found)
                    remembered[key] = entry = (found, known, other)
                if entry[0] is not known:
                    changed[name] = entry[0]
        return {**left, **changed} if changed else left


def widen(before: AbstractValue, known: AbstractValue) -> AbstractValue:
    """A coarser value than `known`, so that the analysis of a loop in which a value grows terminates.

    Of what differs from `before`, each bound is given up at once, so that it changes only a few more times. A counter that only
    grows keeps its lower bound.
    """
    before, known = summarized(before), summarized(known)
    old, new = before.numbers, known.numbers
    same_low, same_high = (old.low, old.low_open) == (new.low, new.low_open), old.high == new.high
    numbers = Interval(
        new.low if same_low else None,
        new.high if same_high else None,
        new.low_open and same_low,
        new.high_open and same_high,
    )
    return AbstractValue(
        kinds=known.kinds,
        numbers=numbers,
        shortest=known.shortest if known.shortest == before.shortest else 0,
        longest=known.longest if known.longest == before.longest else None,
        nonempty=known.nonempty,
        assigned=known.assigned,
        outside=known.outside,
    )


ANYTHING = AbstractValue()
ABSENT = one_of([None], assigned=NEVER)
FROM_OUTSIDE = AbstractValue(assigned=NEVER, outside=True)
