"""Open a conversation with a person: with a message template, whose answer starts a flow.

`PlanOpening` checks what is the same for everybody, `decide_opening` makes one person's turn and is pure. The result is
committed as any turn, by `CommitTurn`. ADR 30 says why an opened conversation is not a session yet.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from pytake.contacts.consent import allows_template
from pytake.contacts.records import ContactRecord
from pytake.conversation.commit_turn import TurnDraft, without_message
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.queues import FlowStart
from pytake.conversation.records import (
    SERVICE_WINDOW_SECONDS,
    START,
    Conversation,
    ConversationKey,
    Number,
    Organization,
    Session,
)
from pytake.conversation.sessions import OPENED, closing, expiry, new_session_id
from pytake.engine import Context, Flow, FlowError, Input, opened_state, take_turn
from pytake.whatsapp.outbound import OutboundMessage, Template

PARAMETERS_BYTES = 60_000
"""Limit for the parameters as JSON: they become variables, and part of the turn's record."""

OPENED_SECONDS = 72 * 3600
"""How long the answer to a template starts its flow, at least."""

RefusalCode = Literal[
    "in_session",
    "with_agent",
    "opted_out",
    "no_consent",
    "template_missing",
    "template_paused",
    "window_closed",
    "flow_unknown",
    "parameter_missing",
    "parameters_too_large",
    "media_unknown",
    "media_unsupported",
    "recipient_invalid",
    "budget_exhausted",
    "price_unknown",
]
"""Why no conversation is started with a person. The codes are stable."""


class StartRefusedError(Exception):
    """No conversation is started."""

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code


OpeningRefusal = Literal["budget_exhausted", "price_unknown"]

ReserveOpening = Callable[[str, str, str, str | None, float], OpeningRefusal | None]
"""Reserves the price of a template in the organization's budget before it is sent: of an organization and a reservation id, to a
recipient, in a category, at a time. Gives why it may not be sent. The same id reserves once."""

CheckOpening = Callable[[str, str, str | None, float], OpeningRefusal | None]
"""Like `ReserveOpening`, but reserves nothing and needs no id: what would be refused at this moment."""


def without_budget(*_: object) -> OpeningRefusal | None:
    """No budget: every template may be sent."""
    return None


class Opening(Struct, frozen=True):
    """A start with a template, after the checks that are the same for everybody.

    `message` is the compiled template, `flow` the published version that the answers start. `category` decides which consent
    the template needs.
    """

    number: Number
    organization: Organization
    start: FlowStart
    message: Flow
    category: str | None
    flow: Flow | None
    open_seconds: float


MakeOpening = Callable[[Number, FlowStart], Opening]
"""`PlanOpening`, which few flow runners need."""


def decide_opening(
    before: Conversation,
    contact: ContactRecord,
    opening: Opening,
    message_id: str,
    now: float,
    correlation_id: str | None = None,
) -> TurnDraft:
    """The turn that opens a conversation with a person. Pure.

    `before` is the conversation, or `new_conversation` for a person who has none at the number; `contact` is the stored contact.
    Repeating a `message_id` commits nothing twice. The person's answer starts the flow, also days later, and what ran for them
    ends. Raises `StartRefusedError`.
    """
    start = opening.start
    check_person(before, now, only_idle=start.only_idle)
    if contact.opted_out:
        raise StartRefusedError("opted_out")
    if not allows_template(contact.consent, opening.category):
        raise StartRefusedError("no_consent")
    draft = without_message(before, message_id, now, OPENED, start_input(start), START, correlation_id)
    after, record = draft.conversation, draft.record
    after.active_at = now
    record.session_id, record.messages = "", [_rendered(before, opening, now)]
    draft.contact = contact
    if opening.flow is not None:
        record.flow_id, record.flow_version = opening.flow.id, opening.flow.version
        is_open = before.open_session(now) is not None
        record.events.extend(closing(before.session, START) if is_open else expiry(before.session))
        after.session = Session(
            id=new_session_id(before.key, record.seq),
            started_at=now,
            expires_at=now + opening.open_seconds,
            state=opened_state(opening.flow, start.parameters).encode(),
            opened=True,
        )
    return draft


def new_conversation(key: ConversationKey, contact: ContactRecord, erased_at: float = 0) -> Conversation:
    """The conversation with a person who has none at the number yet."""
    return Conversation(key=key, contact=contact.for_flows(), opted_out=contact.opted_out, erased_at=erased_at)


def start_input(start: FlowStart) -> Input:
    """The engine's input for a start."""
    return Input(type=START, text=start.flow_id or "", payload=start.parameters)


def check_person(known: Conversation, now: float, *, only_idle: bool) -> None:
    """Raises `StartRefusedError` if no conversation may be started with a person at this moment."""
    session = known.open_session(now)
    if known.opted_out:
        raise StartRefusedError("opted_out")
    if session is not None and session.human:
        raise StartRefusedError("with_agent")
    if only_idle and session is not None and not session.opened:
        raise StartRefusedError("in_session")


def check_parameters(start: FlowStart) -> None:
    """Raises `StartRefusedError` if the parameters are too large to be stored."""
    if len(msgspec.json.encode(start.parameters)) > PARAMETERS_BYTES:
        raise StartRefusedError("parameters_too_large")


def startable(flows: FlowLibrary, organization_id: str, start: FlowStart) -> Flow:
    """The published version of a start's flow. Raises `StartRefusedError` also when a parameter of it is missing."""
    try:
        flow = flows.published(organization_id, start.flow_id) if start.flow_id is not None else None
    except FlowError:
        flow = None
    if flow is None:
        raise StartRefusedError("flow_unknown")
    if any(name not in start.parameters for name in flow.required_parameters):
        raise StartRefusedError("parameter_missing")
    return flow


def window_is_open(known: Conversation, now: float) -> bool:
    """Whether free-form messages may be sent to the person."""
    return now < known.last_inbound_at + SERVICE_WINDOW_SECONDS


def are_templates(messages: Sequence[OutboundMessage]) -> bool:
    """Whether all messages may be sent outside the service window."""
    return all(isinstance(message, Template) for message in messages)


def _rendered(before: Conversation, opening: Opening, now: float) -> Template:
    """The template for one person. Raises `StartRefusedError` if a parameter is empty, which Meta refuses."""
    organization = opening.organization
    context = Context(
        now,
        seed="",
        contact=before.contact,
        country=opening.number.country,
        timezone=organization.timezone,
        constants=organization.constants,
    )
    turn = take_turn(opening.message, None, start_input(opening.start), context)
    message = turn.messages[0] if turn.messages else None
    if not isinstance(message, Template):
        raise StartRefusedError("parameter_missing")
    return message
