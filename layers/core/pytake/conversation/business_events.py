"""The events for integrators: conversations that start and end, failed messages, and events of flows (docs/events.md).

Each event is derived from a stored item, a turn's record or a ledger entry, and has the same id each time it is published.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

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
    """An agent takes over. `reason`: `flow` (a node), `command` (the person asked for it), `agent` (an agent wrote)."""

    reason: str
    flow_id: str | None = None
    flow_version: int | None = None
    node_id: str | None = None
    department: str | None = None
    priority: str | None = None


class ConversationExpired(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.expired"):
    """The session ended by inactivity; `session_id` is that session."""


class ConversationClosed(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.closed"):
    """An agent ended the conversation, perhaps with a `reason`, or another flow was started for the person."""

    reason: str | None = None


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
        common = _common(key, record, f"{len(found)}", record.at)
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
                add(ConversationHandedOff, reason="agent")
            case "session_expired":
                add(ConversationExpired, session_id=data.get("session_id") or record.session_id)
            case "session_closed":
                closed = data.get("session_id") or record.session_id
                add(ConversationClosed, session_id=closed, reason=data.get("reason"))
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
    common = _common(key, begun, f"failed{delivery.index}.{delivery.sends}", at)
    stopped = STOPPED_TEMPLATES.get(delivery.error_code or 0)
    reason = delivery.reason if delivery.state == "failed" else stopped or f"status:{delivery.error_code}"
    return DeliveryFailed(index=delivery.index, reason=reason or "unknown", code=delivery.error_code, **common)


def _common(key: ConversationKey, record: TurnRecord, place: str, at: float) -> dict[str, Any]:
    return {
        # After an erasure turns are numbered from 1 again: their time keeps the ids distinct.
        "id": digest(*msgspec.structs.astuple(key), str(record.seq), str(record.at), place)[:32],
        "happened_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "organization_id": key.organization_id,
        "phone_number_id": key.phone_number_id,
        "contact_id": key.contact_id,
        "turn": record.seq,
        "session_id": record.session_id or None,
        "correlation_id": record.correlation_id,
    }


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None
