"""The `validation` of a question, compiled to one check.

A validator also normalises: an accepted answer is stored in the form that conditions and integrations expect.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from pytake.engine.dates import month_first
from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.reading import found_in, word_finder
from pytake.engine.registry import Check, validators
from pytake.whatsapp.input import Input


class _Refused:
    def __repr__(self) -> str:
        return "REFUSED"


REFUSED: Final = _Refused()
"""The result of a check for an answer it does not accept."""


def compile_validation(validation: Validation, build: NodeBuild) -> Check:
    """The check of a validation. Reports an unknown type to `build`."""
    compile_check = validators().get(validation.type)
    if compile_check is None:
        names = ", ".join(sorted(validators()))
        message = f"There is no validation type `{validation.type}`. The types are {names}."
        build.problem("unknown_type", "validation.type", message)
        return lambda _: REFUSED
    check = compile_check(validation, build)
    if not validation.find:
        return check
    if validation.type not in FINDABLE:
        message = f"A `{validation.type}` cannot be found in a sentence. `find` works for {', '.join(FINDABLE)}."
        build.problem("invalid_value", "validation.find", message)
    return finding(validation, check)


FINDABLE = ("number", "date", "email", "phone", "choice")


def finding(validation: Validation, check: Check) -> Check:
    """The check of a value that may be a part of a sentence. The first part that the check accepts counts."""
    words = word_finder(sorted(choice_texts(validation))) if validation.type == "choice" else None
    kind, wanted = validation.type, validation.country

    def find(run: Execution) -> Any:
        answer = run.input
        value = check(run)
        text = typed_text(answer)
        if value is not REFUSED or text is None:
            return value
        country = wanted or run.context.country
        parts = found_in(kind, text, country) if words is None else filter(None, (words(text),))
        for part in parts:
            run.input = structs.replace(answer, text=part)
            value = check(run)
            if value is not REFUSED:
                break
        run.input = answer
        return value

    return find


def choice_texts(validation: Validation | None) -> frozenset[str]:
    """The normalized texts that a validation takes for one of its choices."""
    specs = validation.choices if validation is not None else None
    texts = [(spec,) if isinstance(spec, str) else (spec.value, spec.label or spec.value) for spec in specs or []]
    return frozenset(normalize_text(text) for pair in texts for text in pair)


def typed_text(answer: Input) -> str | None:
    """The text a person typed, trimmed; None for blank text and for anything else, such as an image or a location."""
    if answer.type != "text":
        return None
    return answer.text.strip() or None


def bounds(validation: Validation, build: NodeBuild) -> tuple[float | None, float | None]:
    """`min` and `max` as numbers. Reports a text, and a minimum above the maximum."""
    found: list[float | None] = []
    for name in ("min", "max"):
        value = getattr(validation, name)
        if isinstance(value, str):
            build.problem("invalid_value", f"validation.{name}", "Enter a number.")
            value = None
        found.append(int(value) if isinstance(value, float) and value.is_integer() else value)
    least, most = found
    if least is not None and most is not None and least > most:
        message = "`min` is greater than `max`, so no answer is accepted. Swap them."
        build.problem("contradictory_validation", "validation.min", message)
    return least, most


def lengths(validation: Validation, build: NodeBuild) -> tuple[int, int | None]:
    """`min_length` and `max_length`. Reports lengths that no answer can have."""
    least, most = validation.min_length or 0, validation.max_length
    if least < 0 or (most is not None and most < max(least, 1)):
        message = "No answer can have such a length. Make both positive, and `min_length` at most `max_length`."
        build.problem("contradictory_validation", "validation.min_length", message)
    return least, most


_NUMBER_ERRORS = {
    (): "invalid_{}",
    ("min",): "{}_too_small",
    ("max",): "{}_too_large",
    ("min", "max"): "{}_between",
}


def error_text(validation: Validation, build: NodeBuild) -> Callable[[Execution], str]:
    """A function that gives the most specific built-in error text for this validation."""
    if validation.type == "date":
        day_first, other = (build.built_in_text("invalid_date", example=one) for one in ("31/12/2026", "12/31/2026"))
        return lambda run: other if month_first(build.language, run.context.country) else day_first
    values: dict[str, Any] = {}
    match validation.type:
        case "text" if validation.min_length and validation.min_length > 1 and validation.max_length:
            name, values = "text_between", {"min": validation.min_length, "max": validation.max_length}
        case "text" if validation.min_length and validation.min_length > 1:
            name, values = "text_too_short", {"min": validation.min_length}
        case "text" if validation.max_length:
            name, values = "text_too_long", {"max": validation.max_length}
        case "number":
            values = {key: value for key in ("min", "max") if (value := getattr(validation, key)) is not None}
            name = _NUMBER_ERRORS[tuple(values)].format("integer" if validation.integer else "number")
        case "choice":
            name = "choose_option"
        case "regex":
            name = "invalid_pattern"
        case "any":
            name = "invalid_text"
        case kind:
            name = f"invalid_{kind}" if kind in validators() else "invalid_text"
    text = build.built_in_text(name, **{key: build.format_value(value) for key, value in values.items()})
    return lambda _: text
