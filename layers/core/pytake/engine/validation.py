"""What a question accepts: the `validation` of a question node, compiled to one check.

A validator normalises: what it accepts is stored in the form conditions and integrations want. Each is one file of
`validators/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pytake.engine.registry import Check, validators
from pytake.engine.turn import Input

if TYPE_CHECKING:
    from pytake.engine.compiler import NodeBuild


class _Refused:
    def __repr__(self) -> str:
        return "REFUSED"


REFUSED: Final = _Refused()
"""What a check gives for an answer it does not accept."""


class ChoiceSpec(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A choice written out: the stored `value` and the `label` people type."""

    value: str
    label: str | None = None


class Validation(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`type` picks the validator; the other fields narrow it. `error_message` is said instead of the built-in text."""

    type: str = "text"
    min_length: int | None = None
    max_length: int | None = None
    min: float | str | None = None
    max: float | str | None = None
    choices: list[str | ChoiceSpec] | None = None
    pattern: str | None = None
    country: str | None = None
    error_message: str | None = None


def compile_validation(validation: Validation, build: NodeBuild) -> Check:
    """The check of a validation. An unknown type is a problem of `build`."""
    compile_check = validators().get(validation.type)
    if compile_check is None:
        names = ", ".join(sorted(validators()))
        message = f"There is no validation type `{validation.type}`; the types are {names}."
        build.problem("unknown_type", "validation.type", message)
        return lambda _: REFUSED
    return compile_check(validation, build)


def typed_text(answer: Input) -> str | None:
    """The text a person typed, trimmed; None for anything else (a picture, a place) and for blanks."""
    if answer.type != "text":
        return None
    return answer.text.strip() or None


def bounds(validation: Validation, build: NodeBuild) -> tuple[float | None, float | None]:
    """`min` and `max` as numbers; a text among them is a problem."""
    found: list[float | None] = []
    for name in ("min", "max"):
        value = getattr(validation, name)
        if isinstance(value, str):
            build.problem("invalid_value", f"validation.{name}", "Write a number here.")
            value = None
        found.append(int(value) if isinstance(value, float) and value.is_integer() else value)
    least, most = found
    if least is not None and most is not None and least > most:
        build.problem(
            "contradictory_validation", "validation.min", "`min` is larger than `max`: nothing is accepted. Swap them."
        )
    return least, most


def lengths(validation: Validation, build: NodeBuild) -> tuple[int, int | None]:
    """`min_length` and `max_length`, checked."""
    least, most = validation.min_length or 0, validation.max_length
    if least < 0 or (most is not None and most < max(least, 1)):
        message = "No answer has such a length. Let `min_length` be at most `max_length`, and both positive."
        build.problem("contradictory_validation", "validation.min_length", message)
    return least, most


def error_text(validation: Validation, build: NodeBuild) -> str:
    """The built-in error text that says most about what this validation wants."""
    values: dict[str, Any] = {}
    match validation.type:
        case "text" if validation.min_length and validation.min_length > 1 and validation.max_length:
            name, values = "text_between", {"min": validation.min_length, "max": validation.max_length}
        case "text" if validation.min_length and validation.min_length > 1:
            name, values = "text_too_short", {"min": validation.min_length}
        case "text" if validation.max_length:
            name, values = "text_too_long", {"max": validation.max_length}
        case "number" if validation.min is not None and validation.max is not None:
            name, values = "number_between", {"min": validation.min, "max": validation.max}
        case "number" if validation.min is not None:
            name, values = "number_too_small", {"min": validation.min}
        case "number" if validation.max is not None:
            name, values = "number_too_large", {"max": validation.max}
        case "choice":
            name = "choose_option"
        case "regex":
            name = "invalid_pattern"
        case "any":
            name = "invalid_text"
        case kind:
            name = f"invalid_{kind}" if kind in validators() else "invalid_text"
    return build.built_in_text(name, **{key: build.format_value(value) for key, value in values.items()})
