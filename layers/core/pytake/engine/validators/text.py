"""Typed text."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, lengths


@validator("text")
def text(validation: Validation, build: NodeBuild) -> Check:
    """A typed text of `min_length` to `max_length` characters, trimmed. Media and taps are rejected."""
    least, most = lengths(validation, build)
    shortest, longest = max(least, 1), most if most is not None else float("inf")

    def check(run: Execution) -> object:
        if run.input.type != "text":
            return REFUSED
        answer = run.input.text.strip()
        return answer if shortest <= len(answer) <= longest else REFUSED

    return check
