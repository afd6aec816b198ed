"""Evaluates what a flow contains to abstract values: constants, templates, filters and validated answers."""

from collections.abc import Callable
from itertools import product
from typing import Any

from msgspec import structs

from pytake.engine.facts import Constant, ValidatedAnswer
from pytake.engine.field_types import ChoiceSpec, Validation
from pytake.engine.filters import FILTERS
from pytake.engine.limits import EMAIL_CHARACTERS
from pytake.engine.prover.abstract_values import (
    ABSENT,
    ANYTHING,
    MISSING,
    NUMBER,
    OTHER,
    TEXT,
    AbstractValue,
    Environment,
    Interval,
    join,
    one_of,
    summarized,
)
from pytake.engine.template import NAMESPACES, Expression, parse_template
from pytake.engine.values import is_empty, value_at

Write = Callable[[Any], str]

_PROFILE_NAME = 25  # the longest name of a WhatsApp profile
_PHONE = 16  # E.164 with the plus sign
_MAX_COMBINATIONS = 64


def text_value(shortest: int = 0, longest: int | None = None) -> AbstractValue:
    """A text between two lengths."""
    return AbstractValue(kinds=frozenset((TEXT,)), shortest=shortest, longest=longest, nonempty=shortest > 0)


def evaluate_source(
    source: Constant | ValidatedAnswer | None, environment: Environment, write: Write
) -> AbstractValue | None:
    """The value that a node assigns; None if there can be no such value."""
    if isinstance(source, ValidatedAnswer):
        return evaluate_answer(source.validation)
    if isinstance(source, Constant):
        return evaluate_constant(source.value, environment, write)
    return ANYTHING


def evaluate_constant(value: Any, environment: Environment, write: Write) -> AbstractValue:
    """A value written in the document."""
    if isinstance(value, str):
        return evaluate_template(value, environment, write, as_text=False) if "{{" in value else one_of([value])
    if isinstance(value, list | dict):
        return AbstractValue(kinds=frozenset((OTHER,)), nonempty=bool(value))
    return one_of([value])


def evaluate_template(text: str, environment: Environment, write: Write, *, as_text: bool = True) -> AbstractValue:
    """A rendered template. A single expression keeps the type of its value, unless `as_text` is true."""
    parts = parse_template(text)
    if len(parts) == 1 and isinstance(parts[0], Expression) and not as_text:
        return structs.replace(evaluate_expression(parts[0], environment), decided=frozenset())
    pieces = [one_of([part]) if isinstance(part, str) else evaluate_expression(part, environment) for part in parts]
    listed = [piece.listed() for piece in pieces if piece.values is not None and piece.exact]
    combinations = 1
    for values in listed:
        combinations *= len(values)
    if len(listed) == len(pieces) and combinations <= _MAX_COMBINATIONS:
        return one_of(["".join(map(write, found)) for found in product(*listed)])
    lengths = [piece.text_lengths(write) for piece in pieces]
    longest = [most for _, most in lengths]
    return text_value(
        sum(least for least, _ in lengths),
        None if None in longest else sum(most for most in longest if most is not None),
    )


def evaluate_expression(
    expression: Expression, environment: Environment, *, profile_name: int | None = None
) -> AbstractValue:
    """The value of a `{{...}}`. `profile_name` is the assumed maximum length of the contact's name."""
    known = _of_path(expression.path, environment)
    if expression.path == ("contact", "name"):
        known = text_value(0, profile_name)
    for apply, arguments in expression.filters:
        known = _filtered(known, _NAMES.get(apply, ""), apply, arguments)
    return known


def _of_path(path: tuple[str, ...], environment: Environment) -> AbstractValue:
    root, rest = path[0], path[1:]
    if root in NAMESPACES:
        return _BUILT_IN.get(path, ANYTHING)
    known = environment.get(root, ANYTHING)
    if not rest:
        return known
    if known.values is not None and known.exact:
        return one_of([value_at(value, rest) for value in known.listed()])
    return ABSENT if OTHER not in known.kinds else ANYTHING


_BUILT_IN: dict[tuple[str, ...], AbstractValue] = {
    ("contact", "name"): text_value(),  # profile names are short, but a flow can save a longer name
    ("contact", "phone"): join(text_value(0, _PHONE), ABSENT),
    ("input", "type"): text_value(1, 20),
    ("input", "text"): text_value(),
}
_NAMES = {found.apply: name for name, found in FILTERS.items()}


def _filtered(known: AbstractValue, name: str, apply: Callable[..., Any], arguments: tuple[Any, ...]) -> AbstractValue:
    if known.values is not None and known.exact:
        return structs.replace(one_of([apply(value, *arguments) for value in known.listed()]), assigned=known.assigned)
    if name == "default":
        return _with_default(known, arguments[0])
    longest = known.text_lengths()[1]
    match name:
        case "upper" | "lower" | "title" | "capitalize" | "trim" | "first_name" | "digits":
            return text_value(0, longest)
        case "truncate" if isinstance(arguments[0], int) and arguments[0] > 0:
            return text_value(0, arguments[0] if longest is None else min(arguments[0], longest))
        case "replace" if len(str(arguments[1])) <= len(str(arguments[0])):
            return text_value(0, longest)
        case "replace" | "join":
            return text_value()
        case "length":
            return AbstractValue(kinds=frozenset((NUMBER,)), numbers=Interval(0, longest), nonempty=True)
        case "first" | "last" if OTHER not in known.kinds:
            return text_value(0, 1)
    return ANYTHING


def _with_default(known: AbstractValue, instead: Any) -> AbstractValue:
    """The value, or the default if the value may be empty."""
    given = one_of([instead])
    if known.nonempty:
        return known
    rest = summarized(known)
    if rest.kinds == {MISSING}:
        return given
    rest = structs.replace(rest, kinds=rest.kinds - {MISSING}, nonempty=True, shortest=max(rest.shortest, 1))
    return structs.replace(join(rest, given), nonempty=not is_empty(instead), decided=frozenset())


def evaluate_answer(validation: Validation) -> AbstractValue | None:
    """An answer that a validation accepts; None if it accepts none."""
    longest = validation.max_length
    match validation.type:
        case "text" | "regex":
            return text_value(max(validation.min_length or 0, 1), longest)
        case "email":
            return text_value(max(validation.min_length or 0, 6), min(longest or EMAIL_CHARACTERS, EMAIL_CHARACTERS))
        case "phone":
            return text_value(4, _PHONE)
        case "date":
            return text_value(10, 10)
        case "number":
            low = validation.min if isinstance(validation.min, int | float) else None
            high = validation.max if isinstance(validation.max, int | float) else None
            return AbstractValue(kinds=frozenset((NUMBER,)), numbers=Interval(low, high), nonempty=True)
        case "choice":
            specs = validation.choices or []
            return one_of([spec.value if isinstance(spec, ChoiceSpec) else spec for spec in specs]) if specs else None
        case "media" | "location":
            return AbstractValue(kinds=frozenset((OTHER,)), nonempty=True)
    return AbstractValue(kinds=frozenset((TEXT, OTHER)))


def longest_text(text: str, environment: Environment, write: Write) -> tuple[int | None, list[str]]:
    """The maximum length of a template (None if there is no known bound), and the expressions that contribute to it."""
    total: int | None = 0
    culprits: list[str] = []
    for part in parse_template(text):
        if isinstance(part, str):
            longest: int | None = len(part)
        else:
            known = evaluate_expression(part, environment, profile_name=_PROFILE_NAME)
            longest = known.text_lengths(write, whole=True)[1]
            if longest is None or longest > 0:
                culprits.append(".".join(part.path))
        total = None if total is None or longest is None else total + longest
    return total, culprits
