"""Answers that match a pattern."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, lengths, typed_text


@validator("regex")
def regex(validation: Validation, build: NodeBuild) -> Check:
    """A typed text in which RE2 finds `pattern`, trimmed and case-sensitive. Use `^` and `$` to match the whole answer."""
    least, most = lengths(validation, build)
    longest = most if most is not None else float("inf")
    if not validation.pattern:
        build.problem(
            "missing_field", "validation.pattern", "A validation of type `regex` needs a `pattern`. Enter one."
        )
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
