"""Any text the person types."""

from pytake.engine.compiler import NodeBuild
from pytake.engine.execution import Execution
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, Validation, lengths


@validator("text")
def text(validation: Validation, build: NodeBuild) -> Check:
    """A typed text of `min_length` to `max_length` characters, trimmed; a picture or a tapped button is none."""
    least, most = lengths(validation, build)
    shortest, longest = max(least, 1), most if most is not None else float("inf")

    def check(run: Execution) -> object:
        said = run.input
        if said.type != "text":
            return REFUSED
        answer = said.text.strip()
        return answer if shortest <= len(answer) <= longest else REFUSED

    return check
