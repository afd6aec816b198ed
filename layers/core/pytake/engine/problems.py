"""What can be wrong with a flow, described so that a builder can correct it.

A problem's `code` is stable: tests, dashboards and documentation may rely on it. `CODES` holds the meaning and severity of each.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]


class Code(Struct, frozen=True):
    """One kind of problem. With a `fatal` problem a flow cannot be compiled; other errors only prevent publishing it."""

    severity: Severity
    summary: str
    fatal: bool = False


CODES: dict[str, Code] = {
    "unreadable_document": Code("error", "The document is not valid JSON, or not a flow.", fatal=True),
    "unsupported_format": Code("error", "This version does not support the document's `format`.", fatal=True),
    "unknown_field": Code("error", "A field that this node type does not have, usually a typing error.", fatal=True),
    "missing_field": Code("error", "A required field is missing.", fatal=True),
    "invalid_value": Code("error", "A field has a value that is not allowed.", fatal=True),
    "unknown_type": Code("error", "The type of a node or validation does not exist.", fatal=True),
    "missing_start": Code("error", "The flow has no start, or its start node does not exist.", fatal=True),
    "duplicate_id": Code("error", "Two nodes of one flow have the same id.", fatal=True),
    "unknown_target": Code("error", "An exit leads to a node that does not exist.", fatal=True),
    "unknown_flow": Code("error", "A jump leads to a flow that does not exist.", fatal=True),
    "invalid_variable": Code("error", "The name of a variable cannot be used in `{{...}}`.", fatal=True),
    "invalid_template": Code("error", "A `{{...}}` is not valid.", fatal=True),
    "unclosed_template": Code("warning", "A `{{` has no matching `}}`, so people would see it as it is."),
    "invalid_pattern": Code("error", "RE2 does not accept a pattern.", fatal=True),
    "secret_outside_api_call": Code("error", "`{{secrets...}}` is used outside an api_call, where it is always empty."),
    "unknown_timetable": Code("warning", "A schedule asks a timetable that the organization does not have."),
    "unknown_constant": Code("warning", "A constant is read that the organization does not have."),
    "unknown_started_flow": Code("warning", "A flow is started for another person that is not published."),
    "missing_parameter": Code("warning", "A flow is started without a parameter that it requires."),
    "never_an_address": Code("warning", "The recipient of an e-mail can never be an e-mail address."),
    "email_not_set_up": Code("warning", "An e-mail is sent although no sender's address is set up, so it fails."),
    "unknown_message_template": Code("warning", "A message template is sent that the organization does not have."),
    "unsendable_message_template": Code("warning", "A message template is sent that Meta has not approved."),
    "message_template_parameters": Code("error", "The parameters do not fit the message template, so Meta refuses it."),
    "marketing_message_template": Code(
        "warning", "A message template of the category MARKETING reaches only people who consented to marketing."
    ),
    "unknown_media": Code("warning", "A file is sent that the organization does not have, so the message fails."),
    "unknown_secret": Code("warning", "An api_call uses a secret that is not stored, so the call always fails."),
    "secret_host_refused": Code("warning", "An api_call sends a secret to a host that the secret is not for."),
    "secret_to_open_host": Code("error", "An api_call sends a secret to a host that an expression decides."),
    "open_host": Code("warning", "An expression decides which host an api_call sends its request to."),
    "too_long": Code("error", "A text is longer than WhatsApp allows.", fatal=True),
    "too_many": Code("error", "There are more buttons, rows or paths than allowed.", fatal=True),
    "duplicate_value": Code("error", "Two options of one node have the same value.", fatal=True),
    "duplicate_label": Code("error", "Two options of one node have the same label, which Meta rejects.", fatal=True),
    "ambiguous_option": Code("warning", "A typed answer can match two options; the first one wins."),
    "conflicting_fields": Code("error", "Two fields of a node cannot be used together.", fatal=True),
    "hidden_command": Code("warning", "A word of a command of the flow is an option of a question, which wins there."),
    "options_all_conditional": Code("warning", "Every option has a `show_if`, so that none may be left."),
    "nothing_said": Code(
        "error", "A question without a text, although a path reaches it with nothing said in the turn."
    ),
    "unknown_language": Code(
        "warning", "There are no built-in texts in the flow's language; the English ones are used."
    ),
    "unlisted_language": Code("warning", "A language is used that `languages` does not list."),
    "missing_text": Code("warning", "A text has no translation into one of the flow's languages."),
    "unknown_text": Code("warning", "A translation belongs to no text of the flow."),
    "different_placeholders": Code("warning", "A text and its translation contain different `{{...}}`."),
    "unreachable_node": Code("warning", "No path reaches a node."),
    "loop_without_wait": Code("error", "Nodes lead to one another in a loop that never waits for the person."),
    "no_way_out": Code("error", "Nodes lead to one another in a loop that never waits for the person and has no exit."),
    "no_end_reachable": Code("warning", "A node waits for the person, and no path from it reaches an end."),
    "never_returns": Code("warning", "A jump has a `next_node_id`, but its sub-flow never ends."),
    "too_many_steps": Code("error", "A turn can visit more nodes than allowed before it waits."),
    "too_many_effects": Code("error", "A turn can make more API and model calls than allowed before it waits."),
    "jumps_too_deep": Code("error", "More sub-flows can be nested than allowed."),
    "growing_value": Code(
        "error", "A variable doubles with each pass through a loop, until it is too large to be stored."
    ),
    "variable_never_assigned": Code(
        "error", "A variable is used where no path has assigned it, so it is always empty."
    ),
    "variable_maybe_unassigned": Code("warning", "A variable is used where only some of the paths have assigned it."),
    "variable_from_outside": Code(
        "warning", "A variable that only a flow that jumps here could have assigned; often a typing error."
    ),
    "arithmetic_outside_braces": Code(
        "error", "A calculation is written outside the braces, so it would be stored as a text."
    ),
    "calculation_always_empty": Code("warning", "A calculation can never have a result."),
    "branch_never_taken": Code(
        "warning", "An exit can never be taken, because of a validation or an earlier condition."
    ),
    "contradictory_validation": Code("error", "A validation accepts no answer at all."),
    "too_long_after_substitution": Code(
        "error", "A text is longer than WhatsApp allows when its variables have their longest possible values."
    ),
    "sent_as_two": Code(
        "warning", "A text with buttons is too long for one message: people get two messages, and both are billed."
    ),
    "unsupported_media": Code("warning", "WhatsApp does not accept a file of this type as this type of media."),
    "unusable_link": Code("warning", "A link does not begin with https:// or http://, so it is left out."),
    "may_be_too_long": Code("warning", "A text of limited length contains a value of unknown length."),
    "jump_cycle": Code("error", "Jumps enter one another and never return, until too many sub-flows are nested."),
}


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong with a flow.

    `field` is the path inside the node's `data` or the document (`buttons[0].label`), `message` says what is wrong and how to
    correct it, `flow_id` is the document it was found in. `limit` is the number of characters that a text may have, `nearest`
    the name that was probably meant; a fix (`prover.fixes`) uses them.
    """

    code: str
    severity: Severity
    node_id: str | None
    field: str | None
    message: str
    flow_id: str | None = None
    limit: int | None = None
    nearest: str | None = None

    @property
    def fatal(self) -> bool:
        """Whether the flow cannot be compiled."""
        return CODES[self.code].fatal


def problem(
    code: str,
    message: str,
    *,
    flow_id: str | None = None,
    node_id: str | None = None,
    field: str | None = None,
    nearest: str | None = None,
) -> Problem:
    """A `Problem` with the severity of its code."""
    return Problem(code, CODES[code].severity, node_id, field, message, flow_id, nearest=nearest)


class FlowError(Exception):
    """A flow cannot be parsed or compiled. `problems` holds every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        first = self.problems[0]
        location = "/".join(part for part in (first.flow_id, first.node_id, first.field) if part)
        more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        super().__init__(f"{first.code} at {location or 'the document'}: {first.message}{more}")
