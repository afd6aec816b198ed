"""The operators of conditions.

Two numbers are compared as numbers, anything else as trimmed text, ignoring case. A missing variable is empty. `!=` is exactly
not `==`.
"""

from collections.abc import Callable
from typing import Any

from pytake.engine.execution import Execution
from pytake.engine.facts import ValidatedAnswer
from pytake.engine.field_types import Comparison, Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.reading import word_finder
from pytake.engine.validation import REFUSED, compile_validation
from pytake.engine.values import as_number, is_empty, plain_text
from pytake.whatsapp.input import Input

Test = Callable[[Execution], bool]


def _text(value: Any) -> str:
    return plain_text(value).strip().casefold()


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal. `"5"` equals 5, and `" Sim"` equals `sim`."""
    left_number = as_number(left)
    if left_number is not None:
        right_number = as_number(right)
        if right_number is not None:
            return left_number == right_number
    return _text(left) == _text(right)


def _order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        left_number, right_number = as_number(left), as_number(right)
        if left_number is not None and right_number is not None:
            return compare(left_number, right_number)
        return compare(_text(left), _text(right))

    return ordered


def _one_of(left: Any, right: Any) -> bool:
    items = right if isinstance(right, list) else plain_text(right).split(",")
    if isinstance(left, list):
        return any(equal(one, item) for one in left for item in items)
    return any(equal(left, item) for item in items)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    return _text(right) in _text(left)


def _negated(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: not test(left, right)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": _negated(equal),
    ">": _order(lambda left, right: left > right),
    "<": _order(lambda left, right: left < right),
    ">=": _order(lambda left, right: left >= right),
    "<=": _order(lambda left, right: left <= right),
    "in": _one_of,
    "not_in": _negated(_one_of),
    "contains": _contains,
    "not_contains": _negated(_contains),
    "starts_with": lambda left, right: _text(left).startswith(_text(right)),
    "ends_with": lambda left, right: _text(left).endswith(_text(right)),
    "is_empty": lambda left, _: is_empty(left),
    "is_not_empty": lambda left, _: not is_empty(left),
}
MATCHES = "matches"
EMPTINESS = ("is_empty", "is_not_empty")
WORDS = "has_words"
FINDERS = {"has_number": "number", "has_phone": "phone", "has_email": "email", "has_date": "date"}
"""The operators that look for a value in a text, and the validation that decides what counts."""


def compile_comparison(comparison: Comparison, build: NodeBuild, field: str = "") -> Test:
    """A function that evaluates a comparison. The right side is often a constant, so the common cases are prepared here."""
    prefix = f"{field}." if field else ""
    operator = comparison.operator.strip()
    left = build.reading(comparison.variable, f"{prefix}variable", asks_emptiness=operator in EMPTINESS)
    if operator == WORDS or operator in FINDERS:
        return _compile_finder(comparison, operator, left, build, prefix)
    if comparison.keep_as:
        names = ", ".join((WORDS, *FINDERS))
        build.problem("conflicting_fields", f"{prefix}keep_as", f"`keep_as` works with {names}. Remove it.")
    if operator == MATCHES:
        return _compile_matches(comparison.value, left, build, f"{prefix}value")
    test = OPERATORS.get(operator)
    if test is None:
        names = ", ".join([*OPERATORS, MATCHES, WORDS, *FINDERS])
        build.problem(
            "invalid_value", f"{prefix}operator", f"There is no operator `{operator}`. Choose one of {names}."
        )
        return lambda _: False
    fixed, get = build.fixed_or_getter(comparison.value, f"{prefix}value")
    if get is not None:
        return lambda run: test(left(run), get(run))
    number = as_number(fixed)
    if number is not None and operator in _QUICK:
        quick = _QUICK[operator]

        def compare(run: Execution) -> bool:
            value = left(run)
            return quick(value, number) if type(value) is int else test(value, fixed)

        return compare
    if operator in ("==", "!=") and number is None:
        folded, same = _text(fixed), operator == "=="
        return lambda run: (_text(left(run)) == folded) is same
    return lambda run: test(left(run), fixed)


def kept_validation(operator: str) -> Validation:
    """The validation that accepts what `keep_as` stores."""
    return Validation(type=FINDERS[operator], find=True) if operator in FINDERS else Validation(type="text")


def _compile_finder(
    comparison: Comparison, operator: str, left: Callable[[Execution], Any], build: NodeBuild, prefix: str
) -> Test:
    """A test for a value in a text. What it finds is stored in `keep_as`."""
    if operator == WORDS:
        value = comparison.value
        phrases = [plain_text(item) for item in (value if isinstance(value, list) else plain_text(value).split(","))]
        if not any(map(str.strip, phrases)) or any("{{" in phrase for phrase in phrases):
            message = f"`{WORDS}` needs words: a list, or a text with commas, without `{{{{...}}}}`. Enter some."
            build.problem("invalid_value", f"{prefix}value", message)
        words = word_finder(phrases)
        find: Callable[[Execution], Any] = lambda run: words(plain_text(left(run)))  # noqa: E731
    else:
        check = compile_validation(kept_validation(operator), build)

        def find(run: Execution) -> Any:
            answer = run.input
            run.input = Input(text=plain_text(left(run)))
            found = check(run)
            run.input = answer
            return None if found is REFUSED else found

    if not comparison.keep_as:
        return lambda run: find(run) is not None
    source = ValidatedAnswer(kept_validation(operator))
    store = build.variable(comparison.keep_as, f"{prefix}keep_as", KEPT, source)

    def test(run: Execution) -> bool:
        found = find(run)
        if found is None:
            return False
        store(run, found)
        return True

    return test


KEPT = "kept"
"""The exit of a write that belongs to a comparison, not to an exit of its node."""


def all_hold(tests: list[Test], *, keeps: bool) -> Test:
    """A test that holds when each of these does. If one does not, nothing that the others found is kept."""
    if not keeps:
        return lambda run: all(test(run) for test in tests)

    def test(run: Execution) -> bool:
        variables, events = run.variables, len(run.events)
        run.variables = variables.copy()
        if all(test(run) for test in tests):
            return True
        run.variables = variables
        del run.events[events:]
        return False

    return test


_QUICK: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


def _compile_matches(value: Any, left: Callable[[Execution], Any], build: NodeBuild, field: str) -> Test:
    if not isinstance(value, str) or "{{" in value:
        build.problem("invalid_value", field, "`matches` needs a pattern: a text without `{{...}}`. Enter one.")
        return lambda _: False
    matches = build.pattern(value, field)
    if matches is None:
        return lambda _: False
    return lambda run: matches(plain_text(left(run)).strip())
