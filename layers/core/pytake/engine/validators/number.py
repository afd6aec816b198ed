"""Numbers."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.reading import read_number
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, bounds, typed_text


@validator("number")
def number(validation: Validation, build: NodeBuild) -> Check:
    """A number from `min` to `max`, stored as a number. Portuguese and Spanish flows read `1,5` and `1.234,56`, English flows
    `1.5` and `1,234.56`. Exponents, `nan` and `inf` are rejected. With `integer`, so is a number that is not whole."""
    least, most = bounds(validation, build)
    comma, whole = build.language != "en", validation.integer

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        value = read_number(answer, decimal_comma=comma) if answer is not None else None
        if (
            value is None
            or (whole and isinstance(value, float))
            or (least is not None and value < least)
            or (most is not None and value > most)
        ):
            return REFUSED
        return value

    return check
