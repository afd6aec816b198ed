"""The state of a message, and of a conversation's flow, for people and reports."""

from typing import Any

from pytake.conversation.records import Conversation, Delivery
from pytake.engine import State, StateError
from pytake.whatsapp.errors import STOPPED_TEMPLATES

HELD_BY_META = "held_for_quality_assessment"

_TEMPLATE_REASONS = frozenset({*STOPPED_TEMPLATES.values(), "template_rejected"})


def shown_state(delivery: Delivery) -> str:
    """Meta's status, else our state.

    `held_for_quality_assessment`, `template_paused`, `template_disabled` and `template_rejected` are told apart: in the ledger
    they are accepted, failed and deferred messages.
    """
    if delivery.status == "failed":
        return STOPPED_TEMPLATES.get(delivery.error_code or 0, "failed")
    if delivery.status is None and delivery.state == "deferred" and delivery.reason in _TEMPLATE_REASONS:
        return delivery.reason
    if delivery.status is None and delivery.state == "accepted" and delivery.held_by_meta:
        return HELD_BY_META
    return delivery.status or delivery.state


def open_state(conversation: Conversation, now: float) -> State | None:
    """Where the flow of the open session stands. None without one, and for a state that this release cannot read: the next turn
    apologizes and starts over."""
    session = conversation.open_session(now)
    if session is None or session.state is None:
        return None
    try:
        return State.decode(session.state)
    except StateError:
        return None


def collected_variables(state: State) -> dict[str, Any]:
    """The variables of the current flow, and of the flows that jumped to it."""
    merged: dict[str, Any] = {}
    for frame in state.stack:
        merged |= frame.variables or {}
    return merged | state.variables
