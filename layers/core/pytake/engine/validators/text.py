"""Any text the person types."""

from pytake.engine.compiling import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.running import Run
from pytake.engine.validation import REFUSED, Validation, lengths, typed_text


@validator("text")
def text(validation: Validation, build: NodeBuild) -> Check:
    """A typed text of `min_length` to `max_length` characters, trimmed; a picture or a tapped button is none."""
    least, most = lengths(validation, build)
    longest = most if most is not None else float("inf")

    def check(run: Run) -> object:
        answer = typed_text(run.input)
        return answer if answer is not None and least <= len(answer) <= longest else REFUSED

    return check
