"""Start a published flow for a person: for an action of another flow, and for whatever else begins a conversation.

The start is an item on the inbound queue of that person, so that it is in order with their messages and takes one turn.
"""

import re
from collections.abc import Sequence

import msgspec

from pytake.contacts.ports import Contacts
from pytake.conversation.current_conversation import load_current
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.inbox import contact_ids
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import QueueingFailedError, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import FlowStart, InboundItem, digest
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, ConversationKey
from pytake.engine import Context, EffectResult, FlowError, Input, StartFlowRequest, take_turn
from pytake.whatsapp.outbound import OutboundMessage, Template

PARAMETERS_BYTES = 60_000
"""Limit for the parameters as JSON: they become variables, and part of the turn's record."""

_PHONE = re.compile(r"\+?[0-9]{8,15}")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,128}")


class StartRefusedError(Exception):
    """The flow is not started. `code` is stable: see `StartFlowAction` of the engine."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StartFlow:
    """The use case."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        aliases: Aliases,
        tenants: TenantRepository,
        flows: FlowLibrary,
        queues: Queues,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._contacts = contacts
        self._aliases = aliases
        self._tenants = tenants
        self._flows = flows
        self._queues = queues
        self._clock = clock

    def __call__(
        self,
        organization_id: str,
        phone_number_id: str,
        to: str,
        start: FlowStart,
        request_id: str,
        correlation_id: str | None = None,
    ) -> None:
        """Queue the start. Repeating a `request_id` starts nothing twice.

        Raises `StartRefusedError`, and `QueueingFailedError`: then the request must be repeated. What changes before the turn
        is taken is checked there once more.
        """
        to = "".join(character for character in to if character not in " -()")
        if not _PHONE.fullmatch(to) and not _USER_ID.fullmatch(to):
            raise StartRefusedError("recipient_invalid")
        ids = contact_ids(self._aliases, organization_id, to)
        keys = [ConversationKey(organization_id, phone_number_id, contact_id) for contact_id in ids]
        known = next((found for key in keys if (found := load_current(self._conversations, key)) is not None), None)
        key = known.key if known is not None else keys[0]
        self._check(known or self._new(key), start)
        item = InboundItem(
            organization_id,
            phone_number_id,
            key.contact_id,
            {"id": f"start:{digest(key.contact_id, start.flow_id, request_id)}"},
            self._clock(),
            correlation_id=correlation_id,
            start=start,
            user_id=known.user_id if known is not None else None,
        )
        self._queues.put_inbound([item])

    def perform(
        self, key: ConversationKey, request: StartFlowRequest, correlation_id: str | None = None
    ) -> EffectResult:
        """The result of an action of the conversation's flow. A turn that is repeated starts nothing twice. Never raises."""
        start = FlowStart(request.flow_id, request.parameters)
        try:
            self(key.organization_id, key.phone_number_id, request.to, start, request.key, correlation_id)
        except StartRefusedError as refused:
            return EffectResult(ok=False, error=refused.code)
        except QueueingFailedError:
            return EffectResult(ok=False, error="unavailable")
        return EffectResult(ok=True)

    def _new(self, key: ConversationKey) -> Conversation:
        contact = self._contacts.load(key.organization_id, key.contact_id)
        return Conversation(key=key, contact=contact.for_flows(), opted_out=contact.opted_out)

    def _check(self, known: Conversation, start: FlowStart) -> None:
        try:
            flow = self._flows.published(known.key.organization_id, start.flow_id)
        except FlowError:
            flow = None
        if flow is None:
            raise StartRefusedError("flow_unknown")
        if any(name not in start.parameters for name in flow.required_parameters):
            raise StartRefusedError("parameter_missing")
        if len(msgspec.json.encode(start.parameters)) > PARAMETERS_BYTES:
            raise StartRefusedError("parameters_too_large")
        now = self._clock()
        code = refusal(known, now)
        if code is not None:
            raise StartRefusedError(code)
        if not window_is_open(known, now):
            first = take_turn(flow, None, start_input(start), self._context(known, now))
            if first.effect is None and not are_templates(first.messages):
                raise StartRefusedError("window_closed")

    def _context(self, known: Conversation, now: float) -> Context:
        organization = self._tenants.organization(known.key.organization_id)
        number = self._tenants.number(known.key.phone_number_id)
        return Context(
            now,
            seed="",
            contact=known.contact,
            country=number.country if number is not None else None,
            timezone=organization.timezone,
            constants=organization.constants,
            timetables=organization.timetables,
        )


def start_input(start: FlowStart) -> Input:
    """The engine's input for a start."""
    return Input(type="start", text=start.flow_id, payload=start.parameters)


def refusal(known: Conversation, now: float) -> str | None:
    """Why no flow may be started for a person; None if one may."""
    session = known.open_session(now)
    if known.opted_out:
        return "opted_out"
    return "with_agent" if session is not None and session.human else None


def window_is_open(known: Conversation, now: float) -> bool:
    """Whether free-form messages may be sent to the person."""
    return now < known.last_inbound_at + SERVICE_WINDOW_SECONDS


def are_templates(messages: Sequence[OutboundMessage]) -> bool:
    """Whether all messages may be sent outside the service window."""
    return all(isinstance(message, Template) for message in messages)
