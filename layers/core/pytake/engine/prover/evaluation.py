"""Evaluates what a flow contains to abstract values: constants, templates, filters and validated answers."""

from collections.abc import Callable
from itertools import product
from typing import Any

from msgspec import structs

from pytake.engine.calculation import CalculationError
from pytake.engine.dates import default_pattern, longest_formatted
from pytake.engine.effect_actions import addresses
from pytake.engine.facts import Appended, Cleared, Computed, Constant, Source, ValidatedAnswer
from pytake.engine.field_types import ChoiceSpec, Validation
from pytake.engine.filters import FILTERS, IN_SETTING
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
from pytake.engine.prover.arithmetic import calculated
from pytake.engine.template import (
    BUILT_IN_VALUES,
    NAMESPACES,
    Calculation,
    Expression,
    Filters,
    Literal,
    Term,
    parse_template,
    paths_in,
)
from pytake.engine.values import is_empty, value_at

Write = Callable[[Any], str]

_PROFILE_NAME = 25  # the longest name of a WhatsApp profile
_PHONE = 16  # E.164 with the plus sign
_MOMENT = 25  # 2026-12-31T18:30:00-03:00
_MAX_COMBINATIONS = 64


def text_value(shortest: int = 0, longest: int | None = None) -> AbstractValue:
    """A text between two lengths."""
    return AbstractValue(kinds=frozenset((TEXT,)), shortest=shortest, longest=longest, nonempty=shortest > 0)


def evaluate_source(source: Source, environment: Environment, write: Write) -> AbstractValue | None:
    """The value that a node assigns; None if there can be no such value."""
    match source:
        case ValidatedAnswer():
            return evaluate_answer(source.validation)
        case Constant():
            return evaluate_constant(source.value, environment, write)
        case Computed():
            return structs.replace(evaluate_expression(source.term, environment), decided=frozenset())
        case Cleared():
            return ABSENT
        case Appended():
            return ANYTHING  # a list that is full, or too large, stays as it is, and so does any other value
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
    if len(parts) == 1 and not isinstance(parts[0], str) and not as_text:
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


def evaluate_expression(term: Term, environment: Environment, *, profile_name: int | None = None) -> AbstractValue:
    """The value of a `{{...}}`. `profile_name` is the assumed maximum length of the contact's name."""
    match term:
        case Literal():
            known = one_of([term.value])
        case Calculation():
            left, right = (evaluate_expression(side, environment) for side in (term.left, term.right))
            known = calculated(term.operator, left, right)
        case Expression():
            known = _of_path(term.path, environment)
            if term.path == ("contact", "name"):
                known = text_value(0, profile_name)
    return _with_filters(known, term.filters)


def _with_filters(known: AbstractValue, filters: Filters) -> AbstractValue:
    for apply, arguments in filters:
        known = _filtered(known, _NAMES.get(apply, ""), apply, arguments)
    return known


def _of_path(path: tuple[str, ...], environment: Environment) -> AbstractValue:
    root, rest = path[0], path[1:]
    if root in NAMESPACES:
        return _BUILT_IN.get(path, ANYTHING)
    if root in BUILT_IN_VALUES:
        return ANYTHING  # a variable of the same name may hide it
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
    if any(isinstance(argument, Expression) for argument in arguments):
        return ANYTHING
    if known.values is not None and known.exact and apply not in IN_SETTING:
        found = one_of([_applied(apply, value, arguments) for value in known.listed()])
        return structs.replace(found, assigned=known.assigned)
    if name == "default":
        return _with_default(known, arguments[0])
    longest = known.text_lengths()[1]
    match name:
        case "round" if known.kinds == {NUMBER}:
            low, high = (
                None if end is None else apply(end, *arguments) for end in (known.numbers.low, known.numbers.high)
            )
            return AbstractValue(kinds=known.kinds, numbers=Interval(low, high), nonempty=True)
        case "sum" | "abs" | "number" | "days_until" | "min" | "max":
            return AbstractValue(kinds=frozenset((NUMBER, MISSING)))
        case "date":
            pattern = str(arguments[0]) if arguments and arguments[0] else default_pattern("en", None)
            return _maybe_missing(text_value(0, longest_formatted(pattern)))
        case "add_time":
            return _maybe_missing(text_value(0, _MOMENT))
        case "lines" | "url_encode" | "decimals" | "amount":
            return _maybe_missing(text_value())
        case "json" | "phone":
            return text_value()
        case "word" | "slice" | "remove_first_word":
            return text_value(0, longest)
        case "words" | "split" | "map":
            return AbstractValue(kinds=frozenset((OTHER,)))
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


def _applied(apply: Callable[..., Any], value: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        return apply(value, *arguments)
    except CalculationError:
        return None


def _maybe_missing(known: AbstractValue) -> AbstractValue:
    return structs.replace(known, kinds=known.kinds | {MISSING}, shortest=0, nonempty=False)


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
        case "media" | "location" | "order" | "contacts":
            return AbstractValue(kinds=frozenset((OTHER,)), nonempty=True)
    return AbstractValue(kinds=frozenset((TEXT, OTHER)))


def may_be_address(text: str, environment: Environment, write: Write) -> bool:
    """Whether a template can become the recipients of an e-mail."""
    known = evaluate_template(text, environment, write, as_text=False)
    if known.values is not None:
        return not known.exact or any(addresses(write(value)) for value in known.listed())
    return bool(known.kinds & {TEXT, OTHER})


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
                culprits += (".".join(read.path) for read in paths_in(part))
        total = None if total is None or longest is None else total + longest
    return total, culprits
