"""Why agents get a session: what a handoff node, or the person, said about it."""

from typing import Any

from pytake.conversation.records import Handoff
from pytake.engine import Flow, Turn
from pytake.engine.values import plain_text

DETAIL_CHARACTERS = 4096
"""Longer notes, departments and priorities are cut."""


def handoff_of(turn: Turn, flow: Flow, now: float) -> Handoff:
    """The handoff of a turn with this status."""
    data = next((event.data for event in turn.events if event.type == "handed_off"), {})
    department, priority, note = (_detail(data.get(name)) for name in ("department", "priority", "note"))
    state = turn.handoff_state
    is_opened = state is not None and state.is_opened
    node = flow.nodes.get((state.sub_flow_id or flow.id, state.node_id)) if state is not None else None
    return Handoff(
        at=now,
        reason=data.get("reason") or "flow",
        department=None if department is None else str(department),
        priority=priority,
        note=None if note is None else str(note),
        ended=not is_opened and (node is None or (node.answer is None and node.timer is None)),
        continues=node is not None and node.timer_input == "handed_back",
    )


def _detail(value: Any) -> str | int | float | None:
    """A number as it is, anything else as text; None for what is empty."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return plain_text(value)[:DETAIL_CHARACTERS].strip() or None
