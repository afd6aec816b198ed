"""One of several choices."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import ChoiceSpec, Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text
from pytake.engine.options import Choice, matcher
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED


@validator("choice")
def choice(validation: Validation, build: NodeBuild) -> Check:
    """One of `choices` (besides the node's buttons), by value, label or position, ignoring case and accents. Stores the value."""
    specs = [spec if isinstance(spec, ChoiceSpec) else ChoiceSpec(spec) for spec in validation.choices or []]
    choices = [Choice(spec.value, spec.label or spec.value) for spec in specs]
    table = matcher(choices, build, "validation.choices")
    by_id = {found.value: found for found in choices}

    def check(run: Execution) -> object:
        answer = run.input
        if answer.reply_id is not None:
            found = by_id.get(answer.reply_id)
        elif answer.type == "text":
            found = by_id.get(answer.text) or table.get(normalize_text(answer.text))
        else:
            found = None
        return REFUSED if found is None else found.value

    return check
