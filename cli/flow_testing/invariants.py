"""The rules that every turn of every conversation must keep, whatever the input is."""

import msgspec

from local.graph_errors import GraphApiError
from local.graph_rules import check_message
from pytake.engine import State, Turn
from pytake.whatsapp.graph import message_payload

_PHONE = "5511999990000"
_BUDGETS = ("step_budget_exceeded", "effect_budget_exceeded", "stack_limit_exceeded")


def broken_rule(turn: Turn, repeated: Turn) -> tuple[str, str] | None:
    """The first rule that a turn breaks, with an explanation; None if it keeps all rules.

    `repeated` is the same turn, taken a second time.
    """
    where = f"at {turn.node_id}"
    for event in turn.events:
        if event.type in _BUDGETS:
            return event.type, f"The turn did not end within its budget {where} ({event.type})."
    if turn.status == "failed":
        reason = turn.events[-1] if turn.events else None
        return (
            "failed",
            f"The turn failed {where}: {reason.type if reason else 'no reason'} {reason.data if reason else ''}",
        )
    for message in turn.messages:
        try:
            check_message(message_payload(message, _PHONE, "fuzz"))
        except (GraphApiError, ValueError) as error:
            details = error.details if isinstance(error, GraphApiError) else str(error)
            return "message_rejected", f"WhatsApp would reject a message {where}: {details}."
    if turn.state is not None and State.decode(turn.state.encode()) != turn.state:
        return "state_changed", f"The state {where} changes when it is stored and read."
    if msgspec.json.encode(turn) != msgspec.json.encode(repeated):
        return "not_deterministic", f"The same input gave a different turn {where}."
    is_silent = turn.status == "waiting" and not turn.messages and turn.due_at is None
    if is_silent and not any(event.type == "input_ignored" for event in turn.events):
        return "dead_end", f"The bot sends nothing {where}, and nothing will happen before the person writes again."
    return None
