"""Comparisons on what is known: can this hold, can it fail, and what is known afterwards."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from pytake.engine.conditions import EMPTINESS, OPERATORS, equal
from pytake.engine.facts import BranchCondition
from pytake.engine.field_types import Comparison
from pytake.engine.prover.abstract_values import (
    ALWAYS,
    MISSING,
    NUMBER,
    OTHER,
    TEXT,
    AbstractValue,
    Environment,
    Interval,
    join_states,
    one_of,
)
from pytake.engine.prover.evaluation import evaluate_constant, evaluate_expression
from pytake.engine.template import Expression, parse_path, parse_template
from pytake.engine.values import as_number, plain_text

# Every operator as another one, and whether its outcome is turned round: what decides one decides the other.
_BASE = {
    "!=": ("==", True),
    "not_in": ("in", True),
    "not_contains": ("contains", True),
    "is_not_empty": ("is_empty", True),
    ">=": ("<", True),
    ">": ("<=", True),
}
_TEXTUAL = ("==", "in", "contains", "starts_with", "ends_with", "is_empty")
_MOST_PAIRS = 512


class Outcome(Struct, frozen=True):
    """What a test may do: the state when it holds, the state when it fails (None when it cannot), and why not."""

    holds: Environment | None
    fails: Environment | None
    why: str = ""


class _Side(Struct, frozen=True):
    """The variable side of a comparison."""

    name: str  # as written
    path: tuple[str, ...]
    known: AbstractValue
    plain: bool  # a variable itself: what the comparison tells can be kept


def evaluate_branch(deciding: BranchCondition, state: Environment, write: Callable[[Any], str]) -> Outcome:
    """What all (or any) of the comparisons may do, taken one after the other as the engine does."""
    if deciding.any:
        return _turned(_all(deciding.comparisons, state, write, negated=True))
    return _all(deciding.comparisons, state, write, negated=False)


def _turned(outcome: Outcome) -> Outcome:
    return Outcome(outcome.fails, outcome.holds, outcome.why)


def _all(comparisons: list[Comparison], state: Environment, write: Callable[[Any], str], *, negated: bool) -> Outcome:
    """Whether every comparison (or every opposite) may hold. `any of A, B` is `not all of not A, not B`."""
    failed: Environment | None = None
    why: list[str] = []
    current: Environment | None = state
    for comparison in comparisons:
        if current is None:
            break
        found = evaluate_comparison(comparison, current, write)
        if negated:
            found = _turned(found)
        if found.holds is None or found.fails is None:
            why.append(found.why)
        if found.fails is not None:
            failed = found.fails if failed is None else join_states(failed, found.fails)
        current = found.holds
    return Outcome(current, failed, " and ".join(dict.fromkeys(filter(None, why))))


def evaluate_comparison(comparison: Comparison, state: Environment, write: Callable[[Any], str]) -> Outcome:
    """What one comparison may do in this state."""
    side = _side(comparison.variable, state)
    operator, turned = _BASE.get(comparison.operator.strip(), (comparison.operator.strip(), False))
    rights = _right(comparison, operator, state, write)
    key = _key(operator, rights)
    asked = (side.path, operator, key)
    decided = {(path, name, right): outcome for path, name, right, outcome in side.known.decided}
    truths, why = _truths(side, operator, rights)
    if len(truths) == 2 and key is not None and asked in decided:
        truths = {decided[asked]}
        why = f"an earlier condition has decided `{_words(side.name, operator, rights)}`"
    holds = _after(side, operator, rights, key, state, outcome=True) if True in truths else None
    fails = _after(side, operator, rights, key, state, outcome=False) if False in truths else None
    return Outcome(fails, holds, why) if turned else Outcome(holds, fails, why)


def _side(variable: str, state: Environment) -> _Side:
    text = variable.strip()
    if text.startswith("{{") and text.endswith("}}"):
        parts = parse_template(text)
        expression = parts[0] if len(parts) == 1 else None
        if not isinstance(expression, Expression):
            return _Side(text, (), AbstractValue(), plain=False)
    else:
        expression = Expression(parse_path(text))
    path, root = expression.path, expression.path[0]
    known = evaluate_expression(expression, state)
    if expression.filters:
        return _Side(text, (), structs.replace(known, decided=frozenset()), plain=False)
    if root in state and len(path) > 1:
        known = structs.replace(known, decided=state[root].decided)
    return _Side(".".join(path), path, known, plain=root in state)


def _right(comparison: Comparison, operator: str, state: Environment, write: Callable[[Any], str]) -> list[Any] | None:
    """Every value the right side may have, None when they are not known."""
    value = comparison.value
    if operator == "is_empty":
        return [None]
    if isinstance(value, list):
        return [value] if not any("{{" in item for item in map(str, value)) else None
    if isinstance(value, dict):
        return None
    known = evaluate_constant(value, state, write)
    return known.listed() if known.values is not None and known.exact else None


def _key(operator: str, rights: list[Any] | None) -> str | None:
    if rights is None or len(rights) != 1:
        return None
    right = rights[0]
    number = as_number(right)
    if operator in ("==", "<", "<="):
        return f"number {number}" if number is not None else f"text {plain_text(right).strip().casefold()}"
    return f"{type(right).__name__} {right!r}"


def _truths(side: _Side, operator: str, rights: list[Any] | None) -> tuple[set[bool], str]:
    """The outcomes that are possible, and the reason when it is only one."""
    both = {True, False}
    known = side.known
    if operator == "is_empty" and known.nonempty and known.values is None:
        return {False}, f"`{side.name}` is never empty here"
    if rights is None or operator not in OPERATORS:
        return both, ""
    why = f"`{side.name}` is {known.describe()} here"
    if known.values is not None:
        if known.exact or _may_stand_for_equals(known, operator, rights):
            test = OPERATORS[operator]
            lefts = known.listed()
            if len(lefts) * len(rights) <= _MOST_PAIRS:
                return {bool(test(left, right)) for left in lefts for right in rights}, why
        return both, ""
    if len(rights) != 1:
        return both, ""
    return _truths_of_kind(known, operator, rights[0]), why


def _may_stand_for_equals(known: AbstractValue, operator: str, rights: list[Any]) -> bool:
    """Whether all that is equal to a value gives the same outcome as the value itself."""
    values = known.listed()
    items = [item for right in rights for item in (right if operator == "in" and isinstance(right, list) else [right])]
    if any(isinstance(item, list | dict) for item in items):
        return False
    if OTHER in known.kinds:
        return operator == "==" and all(as_number(value) is None for value in [*values, *rights])
    if operator in ("==", "in"):
        return True
    return operator in _TEXTUAL and all(as_number(value) is None for value in values)


def _truths_of_kind(known: AbstractValue, operator: str, right: Any) -> set[bool]:
    both = {True, False}
    if operator == "in":
        items = right if isinstance(right, list) else plain_text(right).split(",")
        if OTHER in known.kinds:
            return both
        outcomes = [_truths_of_kind(known, "==", item) for item in items]
        if all(found == {False} for found in outcomes):
            return {False}
        return {True} if any(found == {True} for found in outcomes) else both
    number = as_number(right)
    if known.kinds == {NUMBER}:
        if number is None and as_number(plain_text(right).strip()) is not None:
            return both  # a list of one number: it compares as text
        return _truths_of_number(known.numbers, operator, number)
    if OTHER in known.kinds:
        return both
    wanted = plain_text(right).strip().casefold()
    if operator == "==" and not wanted and known.nonempty:
        return {False}
    if known.kinds == {TEXT}:
        # Folding case may make up to three characters of one.
        longest = None if known.longest is None else known.longest * 3
        if operator in ("==", "contains", "starts_with", "ends_with") and longest is not None and number is None:
            return {False} if len(wanted) > longest else both
    return both


def _truths_of_number(numbers: Interval, operator: str, right: int | float | None) -> set[bool]:
    both = {True, False}
    if right is None:
        return {False} if operator == "==" else both
    low, high = numbers.low, numbers.high
    if operator == "==":
        outside = numbers.above(right, open_=False).below(right, open_=False).is_nothing
        only = low == high == right
        return {False} if outside else {True} if only else both
    if operator in ("<", "<="):
        may = not numbers.below(right, open_=operator == "<").is_nothing
        may_not = not numbers.above(right, open_=operator == "<=").is_nothing
        return {truth for truth, possible in ((True, may), (False, may_not)) if possible}
    return both


def _after(
    side: _Side, operator: str, rights: list[Any] | None, key: str | None, state: Environment, *, outcome: bool
) -> Environment:
    """The state once the comparison has had this outcome."""
    if not side.plain:
        return state
    root = side.path[0]
    known = state[root]
    if len(side.path) == 1:
        known = _narrowed(known, operator, rights, outcome=outcome)
    elif operator == "==" and outcome and rights is not None and all(map(plain_text, rights)):
        known = structs.replace(known, assigned=ALWAYS)  # what has such a part is there
    elif operator == "is_empty" and not outcome:
        known = structs.replace(known, assigned=ALWAYS)
    if key is not None:
        known = structs.replace(known, decided=known.decided | {(side.path, operator, key, outcome)})
    return state if known is state[root] else {**state, root: known}


def _narrowed(known: AbstractValue, operator: str, rights: list[Any] | None, *, outcome: bool) -> AbstractValue:
    if operator == "is_empty" and not outcome:
        known = structs.replace(known, nonempty=True, assigned=ALWAYS, shortest=max(known.shortest, 1))
        if known.values is None:
            return structs.replace(known, kinds=known.kinds - {MISSING} or known.kinds)
    if rights is None or operator not in OPERATORS:
        return known
    test = OPERATORS[operator]
    if known.values is not None:
        if not known.exact and not _may_stand_for_equals(known, operator, rights):
            return known
        kept = frozenset(
            value for value in known.values if any(bool(test(value[1], right)) is outcome for right in rights)
        )
        return _certain(structs.replace(known, values=kept or known.values), operator, rights, outcome=outcome)
    if len(rights) != 1:
        return known
    known = _certain(known, operator, rights, outcome=outcome)
    right = rights[0]
    number = as_number(right)
    if known.kinds == {NUMBER} and number is not None and operator in ("==", "<", "<="):
        return structs.replace(known, numbers=_interval(known.numbers, operator, number, outcome=outcome))
    if isinstance(right, dict) or (isinstance(right, list) and operator != "in"):
        return known
    if operator == "==" and outcome and (number is None or OTHER not in known.kinds) and plain_text(right).strip():
        return structs.replace(known, values=one_of([right]).values, exact=False, nonempty=True)
    if operator == "in" and outcome and OTHER not in known.kinds:
        items = right if isinstance(right, list) else plain_text(right).split(",")
        found = one_of(items, exact=False)
        if found.values is not None and all(plain_text(item).strip() for item in items):
            return structs.replace(known, values=found.values, exact=False, nonempty=True)
    return known


def _certain(known: AbstractValue, operator: str, rights: list[Any], *, outcome: bool) -> AbstractValue:
    """A variable that has been found to be something has been assigned."""
    something = operator in ("==", "in", "contains", "starts_with", "ends_with") and outcome
    if something and not any(
        equal(None, item) for right in rights for item in (right if isinstance(right, list) else [right])
    ):
        return structs.replace(known, assigned=ALWAYS)
    return known


def _interval(numbers: Interval, operator: str, bound: int | float, *, outcome: bool) -> Interval:
    if operator == "==":
        return numbers.above(bound, open_=False).below(bound, open_=False) if outcome else numbers
    if outcome:
        return numbers.below(bound, open_=operator == "<")
    return numbers.above(bound, open_=operator == "<=")


def _words(name: str, operator: str, rights: list[Any] | None) -> str:
    if operator in EMPTINESS:
        return f"{name} {operator}"
    return f"{name} {operator} {plain_text(rights[0]) if rights else '...'}"
