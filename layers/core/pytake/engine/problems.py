"""What can be wrong with a flow, said so that a builder can mend it.

A problem's `code` is stable: tests, dashboards and documentation may rely on it. What a code means and how grave it is
stands in `CODES`, once.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]


class Code(Struct, frozen=True):
    """One kind of problem. `fatal`: the flow cannot even be compiled; every other error only forbids publishing."""

    severity: Severity
    summary: str
    fatal: bool = False


CODES: dict[str, Code] = {
    "unreadable_document": Code("error", "The document is not JSON or not a flow at all.", fatal=True),
    "unsupported_format": Code("error", "The document's `format` is one this version does not know.", fatal=True),
    "unknown_field": Code("error", "A field that this node type does not have, usually a slip of the pen.", fatal=True),
    "missing_field": Code("error", "A field that must be there is not.", fatal=True),
    "invalid_value": Code("error", "A field holds something it cannot hold.", fatal=True),
    "unknown_type": Code("error", "A node or validation type that does not exist.", fatal=True),
    "missing_start": Code(
        "error", "The flow does not say where it starts, or starts at a node it does not have.", fatal=True
    ),
    "duplicate_id": Code("error", "Two nodes of one flow have the same id.", fatal=True),
    "unknown_target": Code("error", "A node leads to a node that does not exist.", fatal=True),
    "unknown_flow": Code("error", "A jump leads to a flow that does not exist.", fatal=True),
    "missing_target": Code("error", "A way out of a node that leads nowhere."),
    "invalid_variable": Code("error", "A variable's name cannot be used in `{{...}}`.", fatal=True),
    "invalid_template": Code("error", "A `{{...}}` that cannot be understood.", fatal=True),
    "unclosed_template": Code("warning", "A `{{` without its `}}`, which people would see as it stands."),
    "invalid_pattern": Code("error", "A pattern that RE2 does not accept.", fatal=True),
    "secret_outside_api_call": Code("error", "`{{secrets...}}` outside an api_call, where it is always empty."),
    "unknown_secret": Code("warning", "An api_call uses a secret that is not stored, so that it always fails."),
    "too_long": Code("error", "A text longer than WhatsApp allows.", fatal=True),
    "too_many": Code("error", "More buttons, rows or paths than allowed.", fatal=True),
    "duplicate_value": Code("error", "Two options of one node have the same value.", fatal=True),
    "duplicate_label": Code("error", "Two options of one node have the same label, which Meta refuses.", fatal=True),
    "ambiguous_option": Code("warning", "A typed answer would match two options; the first wins."),
    "conflicting_fields": Code("error", "Two fields of a node that cannot be used together.", fatal=True),
    "unknown_language": Code("warning", "A language without built-in texts; the English ones are used."),
    "unreachable_node": Code("warning", "A node that no path reaches."),
    "loop_without_wait": Code("error", "Nodes that lead to one another for ever without waiting for the person."),
    "no_way_out": Code(
        "error", "Nodes that lead to one another for ever: there is no way to an end, nor to a wait for the person."
    ),
    "no_end_reachable": Code("warning", "A node waits for the person, and no path from there comes to an end."),
    "never_returns": Code("warning", "A jump goes on at `next_node_id` when its sub-flow ends, which it never does."),
    "too_many_steps": Code("error", "A turn may visit more nodes without waiting than a turn is allowed to."),
    "jumps_too_deep": Code("error", "More sub-flows wait for one another than may."),
    "growing_value": Code(
        "error", "A variable that doubles with every lap of a loop, until it is too large to be kept."
    ),
    "variable_never_assigned": Code("error", "A variable is used where no path has assigned it: it is always empty."),
    "variable_maybe_unassigned": Code("warning", "A variable is used where only some of the paths have assigned it."),
    "variable_from_outside": Code(
        "warning", "A variable that only a flow which jumps here could have assigned; often a slip of the pen."
    ),
    "branch_never_taken": Code(
        "warning", "A way that can never be taken, because of what a validation or an earlier condition guarantees."
    ),
    "contradictory_validation": Code("error", "A validation that accepts no answer at all."),
    "too_long_after_substitution": Code(
        "error", "A text longer than WhatsApp allows once the longest known values stand in it."
    ),
    "may_be_too_long": Code("warning", "A text of limited length that holds a value of unknown length."),
    "jump_cycle": Code(
        "error", "Jumps that enter one another and never return, until too many flows wait for their return."
    ),
}


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a flow.

    `field` is the path inside the node's `data` or the document (`buttons[0].label`), `message` a sentence that says
    how to mend it, `flow_id` the document it was found in.
    """

    code: str
    severity: Severity
    node_id: str | None
    field: str | None
    message: str
    flow_id: str | None = None

    @property
    def fatal(self) -> bool:
        """Whether the flow cannot even be compiled."""
        return CODES[self.code].fatal


def problem(
    code: str, message: str, *, flow_id: str | None = None, node_id: str | None = None, field: str | None = None
) -> Problem:
    """A `Problem` whose severity is the one `CODES` gives its code."""
    return Problem(code, CODES[code].severity, node_id, field, message, flow_id)


class FlowError(Exception):
    """A flow that cannot be read or compiled; `problems` says why, every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        first = self.problems[0]
        place = "/".join(part for part in (first.flow_id, first.node_id, first.field) if part)
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{first.code} at {place or 'the document'}: {first.message}{more}")
