"""Answers that match a pattern."""

from pytake.engine.compiler import NodeBuild
from pytake.engine.execution import Execution
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, Validation, lengths, typed_text


@validator("regex")
def regex(validation: Validation, build: NodeBuild) -> Check:
    """A typed text in which RE2 finds `pattern`; write `^` and `$` to hold the whole answer to it. Trimmed, case counts."""
    least, most = lengths(validation, build)
    longest = most if most is not None else float("inf")
    if not validation.pattern:
        build.problem("missing_field", "validation.pattern", "A `regex` validation needs a `pattern`. Write one.")
        return lambda _: REFUSED
    matches = build.pattern(validation.pattern, "validation.pattern")
    if matches is None:
        return lambda _: REFUSED

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None or not least <= len(answer) <= longest or not matches(answer):
            return REFUSED
        return answer

    return check
