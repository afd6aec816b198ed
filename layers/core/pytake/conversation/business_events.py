"""The events for integrators: what happens in conversations, failed messages, and events of flows (docs/events.md).

Each event is derived from a stored item (a turn's record, a ledger entry, the record of an assignment) and has the same id each
time it is published.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from pytake.conversation.assignments import Note, Priority
from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.engine import Input
from pytake.whatsapp.errors import STOPPED_TEMPLATES

DETAIL_BYTES = 200_000
"""Limit for a flow's data. EventBridge takes 256 KB for the whole entry."""


class BusinessEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of all events. `id` is stable; `correlation_id` is that of the person's message."""

    id: str
    happened_at: str
    organization_id: str
    phone_number_id: str
    contact_id: str
    turn: int
    session_id: str | None = None
    correlation_id: str | None = None


class ConversationStarted(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.started"):
    """A person started a conversation with this flow."""

    flow_id: str | None = None
    flow_version: int | None = None


class ConversationCompleted(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.completed"):
    """The flow ended at this node."""

    flow_id: str | None = None
    flow_version: int | None = None
    node_id: str | None = None


class ConversationHandedOff(
    BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.handed_off"
):
    """An agent takes over. `reason`: `flow` (a node), `command` (the person asked for it), `agent` (the agent `by` wrote)."""

    reason: str
    by: str | None = None
    flow_id: str | None = None
    flow_version: int | None = None
    node_id: str | None = None
    department: str | None = None
    priority: str | None = None


class ConversationHandedBack(
    BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.handed_back"
):
    """The agent `by` returned the conversation to the bot; `session_id` is that session."""

    by: str | None = None


class AssignmentValues(Struct, frozen=True, kw_only=True):
    """Fields of an assignment; only those that a change concerns. `snoozed_until` is a time in UTC."""

    assignee: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    priority: Priority | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    snoozed_until: str | UnsetType | None = UNSET


class ConversationAssignmentChanged(
    BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.assignment_changed"
):
    """The agent `by` assigned or released the conversation, gave it a team, a priority or tags, or snoozed it."""

    by: str
    before: AssignmentValues
    after: AssignmentValues


class ConversationExpired(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.expired"):
    """The session ended by inactivity; `session_id` is that session."""


class ConversationClosed(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.closed"):
    """The agent `by` ended the conversation, perhaps with a `reason`, or another flow was started for the person."""

    reason: str | None = None
    by: str | None = None


class FlowEvent(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="flow.event"):
    """A flow's `emit_event` action. `data_omitted`: the data was too large for EventBridge."""

    name: str
    data: dict[str, Any] = {}
    data_omitted: bool = False
    flow_id: str | None = None
    flow_version: int | None = None


class DeliveryFailed(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="delivery.failed"):
    """The message at `index` of the turn failed and will not be retried. `code` is Meta's error code, if there is one."""

    index: int
    reason: str
    code: int | None = None


EVENTS: tuple[type[BusinessEvent], ...] = (
    ConversationStarted,
    ConversationCompleted,
    ConversationHandedOff,
    ConversationHandedBack,
    ConversationAssignmentChanged,
    ConversationExpired,
    ConversationClosed,
    FlowEvent,
    DeliveryFailed,
)


def type_of(event: BusinessEvent) -> str:
    """The event's detail type on the bus."""
    return str(event.__struct_config__.tag)


def events_of_turn(key: ConversationKey, record: TurnRecord) -> list[BusinessEvent]:
    """The events of a turn, in order."""
    found: list[BusinessEvent] = []

    def add(kind: type[BusinessEvent], **more: Any) -> None:
        common = _of_turn(key, record, f"{len(found)}", record.at)
        found.append(kind(**(common | more)))

    flow = {"flow_id": record.flow_id, "flow_version": record.flow_version or None}
    for event in record.events:
        data = event.data
        match event.type:
            case "session_started":
                add(ConversationStarted, **flow)
            case "completed":
                add(ConversationCompleted, node_id=record.node_id, **flow)
            case "handed_off":
                details = {name: _text(data.get(name)) for name in ("department", "priority")}
                node_id = data.get("node_id") or record.node_id
                add(ConversationHandedOff, reason=data.get("reason") or "flow", node_id=node_id, **details, **flow)
            case "taken_over":
                add(ConversationHandedOff, reason="agent", by=data.get("by"))
            case "handed_back":
                add(ConversationHandedBack, session_id=data.get("session_id") or record.session_id, by=data.get("by"))
            case "session_expired":
                add(ConversationExpired, session_id=data.get("session_id") or record.session_id)
            case "session_closed":
                closed = data.get("session_id") or record.session_id
                add(ConversationClosed, session_id=closed, reason=data.get("reason"), by=data.get("by"))
            case "event_emitted":
                values = data.get("data") or {}
                large = len(msgspec.json.encode(values)) > DETAIL_BYTES
                add(FlowEvent, name=data["name"], data={} if large else values, data_omitted=large, **flow)
    return found


def failed_delivery(key: ConversationKey, record: TurnRecord | None, delivery: Delivery) -> DeliveryFailed | None:
    """The event of a message's ledger entry if the message failed. `record` is its turn's; None if it is no longer kept."""
    if delivery.state != "failed" and delivery.status != "failed":
        return None
    at = delivery.status_at or delivery.claimed_at or (record.at if record is not None else 0)
    begun = record or TurnRecord(delivery.turn, at, "", "", Input())
    common = _of_turn(key, begun, f"failed{delivery.index}.{delivery.sends}", at)
    stopped = STOPPED_TEMPLATES.get(delivery.error_code or 0)
    reason = delivery.reason if delivery.state == "failed" else stopped or f"status:{delivery.error_code}"
    return DeliveryFailed(index=delivery.index, reason=reason or "unknown", code=delivery.error_code, **common)


def assignment_changed(key: ConversationKey, note: Note) -> ConversationAssignmentChanged | None:
    """The event of what agents noted if it is a change of the assignment."""
    if not note.changes:
        return None
    before, after = ({name: values[side] for name, values in note.changes.items()} for side in (0, 1))
    for values in (before, after):
        if values.get("snoozed_until") is not None:
            values["snoozed_until"] = _time(values["snoozed_until"])
    about = {"turn": note.turn, "session_id": note.session_id, "correlation_id": note.correlation_id}
    common = _common(key, [note.id], note.at) | about
    return ConversationAssignmentChanged(
        by=note.by, before=AssignmentValues(**before), after=AssignmentValues(**after), **common
    )


def _of_turn(key: ConversationKey, record: TurnRecord, place: str, at: float) -> dict[str, Any]:
    # After an erasure turns are numbered from 1 again: their time keeps the ids distinct.
    about = {
        "turn": record.seq,
        "session_id": record.session_id or None,
        "correlation_id": record.correlation_id,
    }
    return _common(key, [str(record.seq), str(record.at), place], at) | about


def _common(key: ConversationKey, ids: Sequence[str], at: float) -> dict[str, Any]:
    return {
        "id": digest(*msgspec.structs.astuple(key), *ids)[:32],
        "happened_at": _time(at),
        "organization_id": key.organization_id,
        "phone_number_id": key.phone_number_id,
        "contact_id": key.contact_id,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None
