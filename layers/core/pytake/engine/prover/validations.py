"""Contradictory validations: a question that accepts no answer can never be passed."""

from collections.abc import Iterator
from datetime import date
from math import ceil

from pytake.engine.facts import NodeFacts
from pytake.engine.field_types import Validation
from pytake.engine.limits import EMAIL_CHARACTERS, LARGEST_NUMBER
from pytake.engine.problems import Problem, problem

_SHORTEST_EMAIL = 6  # a@b.io
_UNSUPPORTED_SYNTAX = ("|", "(?", "[:", "{,")
"""Syntax for which the widths are not computed, because it is complex or Python reads it differently from RE2: in RE2,
`[[:digit:]]` is one digit and `x{,5}` is literal text."""


def contradictions(facts: NodeFacts) -> Iterator[Problem]:
    """The contradictions in a question's validation that compilation does not find."""
    validation = facts.validation
    if validation is None:
        return
    found = _of(validation)
    if found is not None:
        field, message = found
        yield problem(
            "contradictory_validation",
            message,
            flow_id=facts.flow_id,
            node_id=facts.node_id,
            field=f"validation.{field}",
        )


def _of(validation: Validation) -> tuple[str, str] | None:
    least, most = validation.min, validation.max
    match validation.type:
        case "date" if isinstance(least, str) and isinstance(most, str):
            if "today" not in (least, most) and date.fromisoformat(least) > date.fromisoformat(most):
                return "min", "`min` is after `max`, so no date is accepted. Swap them."
        case "number" if isinstance(least, int | float) and least > LARGEST_NUMBER:
            return (
                "min",
                f"Answers are at most {LARGEST_NUMBER}, and `min` is greater, so no answer is accepted. Lower it.",
            )
        case "number" if isinstance(most, int | float) and most < -LARGEST_NUMBER:
            return (
                "max",
                f"Answers are at least -{LARGEST_NUMBER}, and `max` is less, so no answer is accepted. Raise it.",
            )
        case "number" if validation.integer and isinstance(least, int | float) and isinstance(most, int | float):
            if least <= most and ceil(least) > most:
                return (
                    "min",
                    "No whole number lies between `min` and `max`, so no answer is accepted. Change one of them.",
                )
        case "email" if (validation.min_length or 0) > EMAIL_CHARACTERS:
            return "min_length", f"No e-mail address has more than {EMAIL_CHARACTERS} characters. Lower `min_length`."
        case "email" if validation.max_length is not None and validation.max_length < _SHORTEST_EMAIL:
            return "max_length", f"No e-mail address has fewer than {_SHORTEST_EMAIL} characters. Raise `max_length`."
        case "regex":
            return _of_pattern(validation)
    return None


def _of_pattern(validation: Validation) -> tuple[str, str] | None:
    """A pattern whose matches have a length that the other bounds exclude."""
    widths = _widths(validation.pattern or "")
    if widths is None:
        return None
    shortest, longest = widths
    if validation.max_length is not None and shortest > validation.max_length:
        message = f"The pattern requires at least {shortest} characters, so no answer is accepted. Raise `max_length`."
        return "max_length", message
    if longest is not None and max(validation.min_length or 0, 1) > longest:
        message = f"The pattern matches at most {longest} characters, so no answer is accepted. Lower `min_length`."
        return "min_length", message
    return None


def _widths(pattern: str) -> tuple[int, int | None] | None:
    """The minimum and maximum length of what a pattern between `^` and `$` matches; None if they are not certain.

    RE2's syntax is nearly Python's, whose parser computes the widths. A pattern that Python cannot parse is skipped.
    """
    import re
    import warnings

    body = pattern.removeprefix("(?i)")
    if (
        not body.startswith("^")
        or not body.endswith("$")
        or body.endswith("\\$")
        or any(mark in body for mark in _UNSUPPORTED_SYNTAX)
    ):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = re._parser.parse(body)  # type: ignore[attr-defined]  # there is no public API
            shortest, longest = parsed.getwidth()
    except (re.error, AttributeError, OverflowError, RecursionError):
        return None
    return shortest, longest if longest < 10_000 else None
