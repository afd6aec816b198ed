"""The lake's events of a turn: without message texts and without the person's identity.

`COLUMNS` defines the columns for `docs/lake.md`, the Glue table and the writer.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.records import NON_MESSAGE_TYPES, ConversationKey, Delivery, TurnRecord
from pytake.conversation.sessions import new_session_id
from pytake.conversation.shown_state import shown_state
from pytake.whatsapp.country import country_of
from pytake.whatsapp.errors import STOPPED_TEMPLATES
from pytake.whatsapp.input import APP_ECHO
from pytake.whatsapp.outbound import Template

EventType = Literal[
    "session_started",
    "message_in",
    "node_entered",
    "message_out",
    "delivery",
    "reported",
    "completed",
    "expired",
    "closed",
    "opted_out",
    "labeled",
    "emitted",
    "handed_off",
    "failed",
    "error",
    "merged",
]

COLUMNS: dict[str, str] = {
    "event_id": "string",
    "type": "string",
    "happened_at": "timestamp",
    "contact": "string",
    "session": "string",
    "phone_number_id": "string",
    "turn": "int",
    "flow_id": "string",
    "flow_version": "int",
    "node_flow_id": "string",
    "node_id": "string",
    "node_exit": "string",
    "arrived": "boolean",
    "kind": "string",
    "message_index": "int",
    "billable": "boolean",
    "state": "string",
    "state_at": "timestamp",
    "code": "string",
    "variables": "map<string,string>",
    "country": "string",
    "template": "string",
    "pricing_category": "string",
    "pricing_type": "string",
    "pricing_model": "string",
    "charged": "boolean",
    "campaign_id": "string",
    "variant": "string",
}
"""The columns of the lake's files, in order, with their Athena types. Partition columns are not included."""

PSEUDONYM_CHARACTERS = 24
"""96 bits: a collision among a billion people is practically impossible."""

_ERRORS = frozenset(
    (
        "attempts_exceeded",
        "effect_failed",
        "step_budget_exceeded",
        "effect_budget_exceeded",
        "stack_limit_exceeded",
        "value_too_large",
        "state_invalid",
        "engine_error",
    )
)
DELIVERED = ("delivered", "read", "played")
"""Meta's statuses of a message that reached the person."""

_NOT_DELIVERED = frozenset(("failed", "dead", *STOPPED_TEMPLATES.values()))
_encode = msgspec.json.Encoder().encode


class LakeEvent(Struct, omit_defaults=True):
    """One row of the lake; times are milliseconds since the epoch. The fields are `COLUMNS`."""

    event_id: str
    type: EventType
    happened_at: int
    contact: str
    session: str | None
    phone_number_id: str
    turn: int
    flow_id: str | None = None
    flow_version: int | None = None
    node_flow_id: str | None = None
    node_id: str | None = None
    node_exit: str | None = None
    arrived: bool | None = None
    kind: str | None = None
    message_index: int | None = None
    billable: bool | None = None
    state: str | None = None
    state_at: int | None = None
    code: str | None = None
    variables: dict[str, str] | None = None
    country: str | None = None
    template: str | None = None
    pricing_category: str | None = None
    pricing_type: str | None = None
    pricing_model: str | None = None
    charged: bool | None = None
    campaign_id: str | None = None
    variant: str | None = None


class ErasedTurn(Struct, frozen=True):
    """The rest of an erased person's turn: its events, without the person's identity and answers."""

    organization_id: str
    events: list[LakeEvent]


def without_values(events: Iterable[LakeEvent]) -> list[LakeEvent]:
    """The events without the person's answers. Each event still counts."""
    return [replace(event, variables=None) if event.variables is not None else event for event in events]


class Pseudonyms(Struct, frozen=True):
    """Pseudonyms for one contact's ids. They cannot be linked to the contact without the contact's `key`.

    Ids that are derived from a phone number need pseudonyms too: a session's id is a digest of it, and there are few enough
    phone numbers to try them all. `contact` is the pseudonym of the person: for a contact that was merged into another one, it
    is the pseudonym of that one. `sessions` began in the conversation of such a contact and went on in the one that stays: they
    keep the pseudonym that the other contact's key gives.
    """

    key: bytes
    contact: str
    sessions: tuple[tuple[str, bytes], ...] = ()

    def of(self, *parts: str) -> str:
        """The pseudonym of an id. The first of the `parts` is the kind of id."""
        return _pseudonym(self.key, parts)

    def of_session(self, session_id: str) -> str:
        """The pseudonym of a session."""
        return _pseudonym(dict(self.sessions).get(session_id, self.key), ("session", session_id))


def pseudonyms(key: bytes, contact_id: str) -> Pseudonyms:
    """The pseudonyms of a contact that was not merged into another one."""
    return Pseudonyms(key, _pseudonym(key, ("contact", contact_id)))


def _pseudonym(key: bytes, parts: tuple[str, ...]) -> str:
    return hmac.digest(key, _encode(parts), "sha256").hex()[:PSEUDONYM_CHARACTERS]


def events_of(
    key: ConversationKey, record: TurnRecord, deliveries: Iterable[Delivery], names: Pseudonyms
) -> list[LakeEvent]:
    """The events of one turn, in order, with stable ids.

    All have the turn's time, so that they belong to its hour. The time of a delivery status is in `state_at`.
    """
    conversation = names.of("conversation", key.phone_number_id, key.contact_id)
    at = _milliseconds(record.at)

    sessions = {"": None, record.session_id: names.of_session(record.session_id) if record.session_id else None}

    def session(session_id: str) -> str | None:
        if session_id not in sessions:
            sessions[session_id] = names.of_session(session_id)
        return sessions[session_id]

    found: list[LakeEvent] = []
    mark = record.campaign

    def add(type_: EventType, *, session_id: str = record.session_id, place: str = "", **columns: Any) -> None:
        found.append(
            LakeEvent(
                event_id=f"{conversation}-{record.seq:06d}-{place or f'{len(found):03d}'}",
                type=type_,
                happened_at=at,
                contact=names.contact,
                session=session(session_id),
                phone_number_id=key.phone_number_id,
                turn=record.seq,
                flow_id=record.flow_id if session_id == record.session_id else None,
                flow_version=(record.flow_version or None) if session_id == record.session_id else None,
                campaign_id=mark.campaign_id if mark is not None else None,
                variant=(mark.variant or None) if mark is not None else None,
                **columns,
            )
        )

    before = [event for event in record.events if event.type == "session_expired"]
    for event in before:
        add("expired", session_id=str(event.data.get("session_id") or record.session_id))
    happened = {event.type for event in record.events}
    # The engine emits `session_started` when a flow starts. A command or an agent's message also starts a session.
    if "session_started" in happened or record.session_id == new_session_id(key, record.seq):
        add("session_started")
    if record.input.type == APP_ECHO:  # staff answered in the phone app: as an agent's message, which costs nothing
        kind = str(record.input.payload.get("type"))
        add("message_out", place="m000", message_index=0, kind=kind, billable=False, code="agent")
    if record.message_type not in (None, *NON_MESSAGE_TYPES):
        add("message_in", kind=record.input.type)
    _add_path(record, happened, add)
    variables = {
        str(event.data["name"]): _text(event.data.get("value"))
        for event in record.events
        if event.type == "variable_reported"
    }
    if variables:
        add("reported", variables=variables)
    _add_events(key, record, names, add)
    if record.status == "failed":
        if not happened & _ERRORS:
            add("error", node_id=record.node_id, code="turn_failed")
        add("failed", node_id=record.node_id)
    _add_messages(key, record, deliveries, add)
    return found


def _add_events(key: ConversationKey, record: TurnRecord, names: Pseudonyms, add: Callable[..., None]) -> None:
    for event in record.events:
        if event.type == "completed":
            add("completed", node_id=record.node_id)
        elif event.type == "handed_off":
            add("handed_off", node_id=record.node_id, code=event.data.get("reason"))
        elif event.type == "taken_over":
            add("handed_off", code="agent")
        elif event.type == "opted_out":
            add("opted_out", node_id=record.node_id)
        elif event.type == "message_labeled":
            add("labeled", code=event.data.get("label"))
        elif event.type == "event_emitted":
            add("emitted", code=event.data.get("name"))
        elif event.type == "session_closed":
            closed = str(event.data.get("session_id") or record.session_id)
            add("closed", session_id=closed, code=event.data.get("reason"))
        elif event.type == "contact_merged" and "into" in event.data:
            # Files of settled hours keep the former pseudonym: this row leads from it to the person's.
            add("merged", session_id="", code=pseudonyms(names.key, key.contact_id).contact)
        elif event.type in _ERRORS:
            add("error", node_id=event.data.get("node_id"), code=event.type)


def _add_path(record: TurnRecord, happened: set[str], add: Callable[..., None]) -> None:
    """One `node_entered` event per step. `arrived` is false when the step is not a new visit: a turn's first step (the node
    was waiting since an earlier turn), and the step of a jump to which a sub-flow returns.
    """
    continues = not happened & {"session_started", "session_restarted"}
    for index, step in enumerate(record.path):
        before = record.path[index - 1] if index else None
        returns = before is not None and before.flow_id != step.flow_id and before.exit != "jump"
        add(
            "node_entered",
            node_flow_id=step.flow_id,
            node_id=step.node_id,
            node_exit=step.exit,
            arrived=not (returns or (index == 0 and continues)),
        )


def _add_messages(
    key: ConversationKey, record: TurnRecord, deliveries: Iterable[Delivery], add: Callable[..., None]
) -> None:
    known = {delivery.index: delivery for delivery in deliveries if delivery.turn == record.seq}
    country = country_of(record.recipient or key.contact_id) if known else None
    author = "agent" if any(event.type == "agent_message" for event in record.events) else None
    for index, message in enumerate(record.messages):
        delivery = known.get(index)
        taken = delivery is not None and (delivery.state == "accepted" or delivery.reached_meta)
        billable = taken and delivery is not None and delivery.status != "failed"
        kind = message.__struct_config__.tag
        add("message_out", place=f"m{index:03d}", message_index=index, kind=kind, billable=billable, code=author)
    for index, delivery in sorted(known.items()):
        state = shown_state(delivery)
        failed = state in _NOT_DELIVERED
        add(
            "delivery",
            place=f"d{index:03d}",
            message_index=index,
            state=state,
            state_at=_milliseconds(delivery.status_at) if delivery.status_at is not None else None,
            code=str(delivery.error_code) if failed and delivery.error_code is not None else None,
            country=country,
            template=_template(record, index),
            **_pricing(delivery),
        )


def _template(record: TurnRecord, index: int) -> str | None:
    message = record.messages[index] if index < len(record.messages) else None
    return message.name if isinstance(message, Template) else None


def _pricing(delivery: Delivery) -> dict[str, Any]:
    """The columns of Meta's pricing. A message is charged once it is delivered, whatever its `sent` said."""
    pricing = delivery.pricing
    if pricing is None:
        return {}
    return {
        "pricing_category": pricing.category,
        "pricing_type": pricing.type,
        "pricing_model": pricing.model,
        "charged": pricing.is_charged and delivery.status in DELIVERED,
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()


def _milliseconds(at: float) -> int:
    return round(at * 1000)
