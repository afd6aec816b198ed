"""What integrators are told: conversations that begin and end, messages that failed, and what flows emit (docs/events.md).

Each event follows from what is stored, a turn's record or the ledger's entry, and has the same id however often it is told.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.engine import Input

DETAIL_BYTES = 200_000
"""EventBridge takes 256 KB with everything around it."""


class BusinessEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all events say. `id` is the same each time an event is told; `correlation_id` is that of the person's message."""

    id: str
    happened_at: str
    organization_id: str
    phone_number_id: str
    contact_id: str
    turn: int
    session_id: str | None = None
    correlation_id: str | None = None


class ConversationStarted(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.started"):
    """A person began a conversation with this flow."""

    flow_id: str | None = None
    flow_version: int | None = None


class ConversationCompleted(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.completed"):
    """The flow came to its end, at this node."""

    flow_id: str | None = None
    flow_version: int | None = None
    node_id: str | None = None


class ConversationHandedOff(
    BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.handed_off"
):
    """A person is to take over. `reason`: `flow` (a node did it), `command` (the person asked for it), `agent` (one wrote)."""

    reason: str
    flow_id: str | None = None
    flow_version: int | None = None
    node_id: str | None = None
    department: str | None = None
    priority: str | None = None


class ConversationExpired(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.expired"):
    """Nobody wrote for too long; `session_id` is the conversation that ended."""


class ConversationClosed(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="conversation.closed"):
    """An agent ended the conversation."""


class FlowEvent(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="flow.event"):
    """A flow's `emit_event` action. `data_omitted`: it was larger than EventBridge takes."""

    name: str
    data: dict[str, Any] = {}
    data_omitted: bool = False
    flow_id: str | None = None
    flow_version: int | None = None


class DeliveryFailed(BusinessEvent, frozen=True, kw_only=True, omit_defaults=True, tag="delivery.failed"):
    """The message at `index` of the turn was not delivered and will not be tried again; `code` is Meta's, if it gave one."""

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
    """What a turn has to tell, in order."""
    found: list[BusinessEvent] = []

    def tell(kind: type[BusinessEvent], **more: Any) -> None:
        common = _common(key, record, f"{len(found)}", record.at)
        found.append(kind(**(common | more)))

    flow = {"flow_id": record.flow_id, "flow_version": record.flow_version or None}
    for event in record.events:
        data = event.data
        match event.type:
            case "session_started":
                tell(ConversationStarted, **flow)
            case "completed":
                tell(ConversationCompleted, node_id=record.node_id, **flow)
            case "handed_off":
                told = {name: _text(data.get(name)) for name in ("department", "priority")}
                node_id = data.get("node_id") or record.node_id
                tell(ConversationHandedOff, reason=data.get("reason") or "flow", node_id=node_id, **told, **flow)
            case "taken_over":
                tell(ConversationHandedOff, reason="agent")
            case "session_expired":
                tell(ConversationExpired, session_id=data.get("session_id") or record.session_id)
            case "session_closed":
                tell(ConversationClosed, session_id=data.get("session_id") or record.session_id)
            case "event_emitted":
                values = data.get("data") or {}
                large = len(msgspec.json.encode(values)) > DETAIL_BYTES
                tell(FlowEvent, name=data["name"], data={} if large else values, data_omitted=large, **flow)
    return found


def failed_delivery(key: ConversationKey, record: TurnRecord | None, delivery: Delivery) -> DeliveryFailed | None:
    """What a message's entry has to tell, if it failed; `record` is its turn's, as long as it is kept."""
    if delivery.state != "failed" and delivery.status != "failed":
        return None
    at = delivery.status_at or delivery.claimed_at or (record.at if record is not None else 0)
    begun = record or TurnRecord(delivery.turn, at, "", "", Input())
    common = _common(key, begun, f"failed{delivery.index}.{delivery.sends}", at)
    reason = delivery.reason if delivery.state == "failed" else f"status:{delivery.error_code}"
    return DeliveryFailed(index=delivery.index, reason=reason or "unknown", code=delivery.error_code, **common)


def _common(key: ConversationKey, record: TurnRecord, place: str, at: float) -> dict[str, Any]:
    return {
        # Turns count anew after an erasure: their time tells them apart.
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
