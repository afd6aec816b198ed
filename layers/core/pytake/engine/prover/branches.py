"""Comparisons of abstract values: whether they can hold, whether they can fail, and what is known afterwards."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct, structs

from pytake.engine.conditions import EMPTINESS, OPERATORS, equal, kept_validation
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
    join_environments,
    one_of,
)
from pytake.engine.prover.evaluation import evaluate_answer, evaluate_constant, evaluate_expression
from pytake.engine.template import Expression, parse_path, parse_template
from pytake.engine.values import as_number, plain_text

# Each of these operators is the negation of another one, so only the other one is evaluated.
_NEGATIONS = {
    "!=": "==",
    "not_in": "in",
    "not_contains": "contains",
    "is_not_empty": "is_empty",
    ">=": "<",
    ">": "<=",
}
_TEXT_OPERATORS = ("==", "in", "contains", "starts_with", "ends_with", "is_empty")
_MAX_PAIRS = 512
_BOTH = frozenset((True, False))
_ONLY_TRUE, _ONLY_FALSE = frozenset((True,)), frozenset((False,))


class Outcome(Struct, frozen=True):
    """The environment if a test holds and if it fails (None: impossible), and the reason why one of them is impossible."""

    holds: Environment | None
    fails: Environment | None
    why: str = ""

    def negated(self) -> "Outcome":
        """The outcome of the opposite test."""
        return Outcome(self.fails, self.holds, self.why)


class _Side(Struct, frozen=True):
    """The variable side of a comparison."""

    name: str  # as written
    path: tuple[str, ...]
    known: AbstractValue
    plain: bool  # a variable or a part of one: what the comparison reveals can be remembered


def evaluate_branch(condition: BranchCondition, environment: Environment, write: Callable[[Any], str]) -> Outcome:
    """The outcome of a branch's condition. The comparisons are evaluated one after the other, as the engine does it."""
    if condition.any:  # `any of A, B` is `not all of not A, not B`
        return _evaluate_all(condition.comparisons, environment, write, negated=True).negated()
    return _evaluate_all(condition.comparisons, environment, write, negated=False)


def _evaluate_all(
    comparisons: list[Comparison], environment: Environment, write: Callable[[Any], str], *, negated: bool
) -> Outcome:
    """Whether every comparison (or the negation of every comparison) can hold."""
    failed: Environment | None = None
    why: list[str] = []
    kept: list[str] = []  # the engine takes back what it kept when a later comparison does not hold
    current: Environment | None = environment
    for comparison in comparisons:
        if current is None:
            break
        found = evaluate_comparison(comparison, current, write)
        if negated:
            found = found.negated()
        if found.holds is None or found.fails is None:
            why.append(found.why)
        if found.fails is not None:
            fails = found.fails if negated else {**found.fails, **{name: environment[name] for name in kept}}
            failed = fails if failed is None else join_environments(failed, fails)
        if comparison.keep_as and comparison.keep_as in environment:
            kept.append(comparison.keep_as)
        current = found.holds
    return Outcome(current, failed, " and ".join(dict.fromkeys(filter(None, why))))


def evaluate_comparison(comparison: Comparison, environment: Environment, write: Callable[[Any], str]) -> Outcome:
    """The outcome of one comparison in this environment."""
    side = _side(comparison.variable, environment)
    written = comparison.operator.strip()
    operator = _NEGATIONS.get(written, written)
    rights = _right(comparison, operator, environment, write)
    key = _key(operator, rights)
    decided = {(path, name, right): outcome for path, name, right, outcome in side.known.decided}
    truths, why = _truths(side, operator, rights)
    if len(truths) == 2 and key is not None and (side.path, operator, key) in decided:
        truths = frozenset((decided[side.path, operator, key],))
        why = f"an earlier condition has decided `{_description(side.name, operator, rights)}`"
    holds = _after(side, operator, rights, key, environment, outcome=True) if True in truths else None
    fails = _after(side, operator, rights, key, environment, outcome=False) if False in truths else None
    if holds is not None and comparison.keep_as and comparison.keep_as in environment:
        found = evaluate_answer(kept_validation(written))
        holds = {**holds, comparison.keep_as: found} if found is not None else holds
    outcome = Outcome(holds, fails, why)
    return outcome if operator == written else outcome.negated()


def _side(variable: str, environment: Environment) -> _Side:
    text = variable.strip()
    if text.startswith("{{") and text.endswith("}}"):
        parts = parse_template(text)
        term = parts[0] if len(parts) == 1 else ""
        if isinstance(term, str):
            return _Side(text, (), AbstractValue(), plain=False)
        if not isinstance(term, Expression):
            return _Side(
                text, (), structs.replace(evaluate_expression(term, environment), decided=frozenset()), plain=False
            )
        expression = term
    else:
        expression = Expression(parse_path(text))
    path, root = expression.path, expression.path[0]
    known = evaluate_expression(expression, environment)
    if expression.filters:
        return _Side(text, (), structs.replace(known, decided=frozenset()), plain=False)
    if root in environment and len(path) > 1:
        known = structs.replace(known, decided=environment[root].decided)
    return _Side(".".join(path), path, known, plain=root in environment)


def _right(
    comparison: Comparison, operator: str, environment: Environment, write: Callable[[Any], str]
) -> list[Any] | None:
    """Every value that the right side can have; None if they are not known."""
    value = comparison.value
    if operator == "is_empty":
        return [None]
    if isinstance(value, list):
        return [value] if not any("{{" in item for item in map(str, value)) else None
    if isinstance(value, dict):
        return None
    known = evaluate_constant(value, environment, write)
    return known.listed() if known.values is not None and known.exact else None


def _key(operator: str, rights: list[Any] | None) -> str | None:
    """A text that is equal for right sides with which the operator always has the same outcome."""
    if rights is None or len(rights) != 1:
        return None
    right = rights[0]
    if operator in ("==", "<", "<="):
        # The number and the text: `5` and `+5` are the same number, but a text on the left compares with their text.
        return f"{as_number(right)} {plain_text(right).strip().casefold()}"
    return f"{type(right).__name__} {right!r}"


def _truths(side: _Side, operator: str, rights: list[Any] | None) -> tuple[frozenset[bool], str]:
    """The possible outcomes, and the reason if there is only one."""
    known = side.known
    if operator == "is_empty" and known.nonempty and known.values is None:
        return _ONLY_FALSE, f"`{side.name}` is never empty here"
    if rights is None or operator not in OPERATORS:
        return _BOTH, ""
    why = f"`{side.name}` is {known.describe()} here"
    if known.values is not None:
        lefts = known.listed()
        if _can_represent_equals(known, operator, rights) and len(lefts) * len(rights) <= _MAX_PAIRS:
            test = OPERATORS[operator]
            return frozenset(bool(test(left, right)) for left in lefts for right in rights), why
        return _BOTH, ""
    if len(rights) != 1:
        return _BOTH, ""
    return _truths_of_kind(known, operator, rights[0]), why


def _can_represent_equals(known: AbstractValue, operator: str, rights: list[Any]) -> bool:
    """Whether every value that equals a listed value has the same outcome as the listed value itself."""
    if known.exact:
        return True
    values = known.listed()
    items = [item for right in rights for item in (right if operator == "in" and isinstance(right, list) else [right])]
    if any(isinstance(item, list | dict) for item in items):
        return False
    if OTHER in known.kinds:
        return operator == "==" and all(as_number(value) is None for value in [*values, *rights])
    if operator in ("==", "in"):
        return True
    return operator in _TEXT_OPERATORS and all(as_number(value) is None for value in values)


def _truths_of_kind(known: AbstractValue, operator: str, right: Any) -> frozenset[bool]:
    if OTHER in known.kinds:
        return _BOTH
    if operator == "in":
        outcomes = [_truths_of_kind(known, "==", item) for item in _items(right)]
        if all(found == _ONLY_FALSE for found in outcomes):
            return _ONLY_FALSE
        return _ONLY_TRUE if any(found == _ONLY_TRUE for found in outcomes) else _BOTH
    number, text = as_number(right), plain_text(right).strip().casefold()
    if known.kinds == {NUMBER}:
        if number is None and as_number(text) is not None:
            return _BOTH  # a list of one number: it compares as text
        return _truths_of_number(known.numbers, operator, number)
    if operator == "==" and not text and known.nonempty:
        return _ONLY_FALSE
    contains = known.kinds == {TEXT} and number is None and operator in ("==", "contains", "starts_with", "ends_with")
    if contains and known.longest is not None and len(text) > known.longest * 3:  # case folding can triple a text
        return _ONLY_FALSE
    return _BOTH


def _truths_of_number(numbers: Interval, operator: str, right: int | float | None) -> frozenset[bool]:
    if right is None:
        return _ONLY_FALSE if operator == "==" else _BOTH
    if operator == "==":
        outside = numbers.above(right, open_=False).below(right, open_=False).is_nothing
        only = numbers.low == numbers.high == right
        return _ONLY_FALSE if outside else _ONLY_TRUE if only else _BOTH
    if operator in ("<", "<="):
        can_hold = not numbers.below(right, open_=operator == "<").is_nothing
        can_fail = not numbers.above(right, open_=operator == "<=").is_nothing
        return frozenset(truth for truth, possible in ((True, can_hold), (False, can_fail)) if possible)
    return _BOTH


def _after(
    side: _Side, operator: str, rights: list[Any] | None, key: str | None, environment: Environment, *, outcome: bool
) -> Environment:
    """The environment once the comparison has had this outcome."""
    if not side.plain:
        return environment
    root = side.path[0]
    known = environment[root]
    if len(side.path) == 1:
        known = _narrowed(known, operator, rights, outcome=outcome)
    elif operator == "==" and outcome and rights is not None and all(map(plain_text, rights)):
        known = structs.replace(known, assigned=ALWAYS)  # a value with such a part exists
    elif operator == "is_empty" and not outcome:
        known = structs.replace(known, assigned=ALWAYS)
    if key is not None:
        known = structs.replace(known, decided=known.decided | {(side.path, operator, key, outcome)})
    return environment if known is environment[root] else {**environment, root: known}


def _narrowed(known: AbstractValue, operator: str, rights: list[Any] | None, *, outcome: bool) -> AbstractValue:
    """What is known of a variable once a comparison with it has had this outcome."""
    if operator == "is_empty" and not outcome:
        known = structs.replace(known, nonempty=True, assigned=ALWAYS, shortest=max(known.shortest, 1))
        if known.values is None:
            return structs.replace(known, kinds=known.kinds - {MISSING} or known.kinds)
    if rights is None or operator not in OPERATORS:
        return known
    if known.values is not None:
        if not _can_represent_equals(known, operator, rights):
            return known
        test = OPERATORS[operator]
        kept = frozenset(
            value for value in known.values if any(bool(test(value[1], right)) is outcome for right in rights)
        )
        return _assigned(structs.replace(known, values=kept or known.values), operator, rights, outcome=outcome)
    if len(rights) != 1:
        return known
    known = _assigned(known, operator, rights, outcome=outcome)
    number = as_number(rights[0])
    if known.kinds == {NUMBER} and number is not None and operator in ("==", "<", "<="):
        return structs.replace(known, numbers=_interval(known.numbers, operator, number, outcome=outcome))
    return _listed(known, operator, rights[0]) if outcome else known


def _listed(known: AbstractValue, operator: str, right: Any) -> AbstractValue:
    """What is known of a variable that equals the right side, or one of its items."""
    if isinstance(right, dict) or (isinstance(right, list) and operator != "in"):
        return known
    if operator == "==" and plain_text(right).strip() and (as_number(right) is None or OTHER not in known.kinds):
        return structs.replace(known, values=one_of([right]).values, exact=False, nonempty=True)
    if operator == "in" and OTHER not in known.kinds:
        items = _items(right)
        found = one_of(items, exact=False)
        if found.values is not None and all(plain_text(item).strip() for item in items):
            return structs.replace(known, values=found.values, exact=False, nonempty=True)
    return known


def _assigned(known: AbstractValue, operator: str, rights: list[Any], *, outcome: bool) -> AbstractValue:
    """A variable that equals or contains something other than nothing must have been assigned."""
    if outcome and operator in ("==", "in", "contains", "starts_with", "ends_with"):
        items = [item for right in rights for item in (right if isinstance(right, list) else [right])]
        if not any(equal(None, item) for item in items):
            return structs.replace(known, assigned=ALWAYS)
    return known


def _interval(numbers: Interval, operator: str, bound: int | float, *, outcome: bool) -> Interval:
    if operator == "==":
        return numbers.above(bound, open_=False).below(bound, open_=False) if outcome else numbers
    if outcome:
        return numbers.below(bound, open_=operator == "<")
    return numbers.above(bound, open_=operator == "<=")


def _items(right: Any) -> list[Any]:
    """The items that the operator `in` compares with."""
    return right if isinstance(right, list) else plain_text(right).split(",")


def _description(name: str, operator: str, rights: list[Any] | None) -> str:
    if operator in EMPTINESS:
        return f"{name} {operator}"
    return f"{name} {operator} {plain_text(rights[0]) if rights else '...'}"
