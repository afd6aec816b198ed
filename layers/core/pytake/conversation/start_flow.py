"""Start a published flow for a person: for an action of another flow, and for whatever else begins a conversation.

The start is an item on the inbound queue of that person, so that it is in order with their messages and takes one turn.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.conversation.current_conversation import load_current
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.opening import (
    CheckOpening,
    MakeOpening,
    StartRefusedError,
    are_templates,
    check_parameters,
    check_person,
    decide_opening,
    new_conversation,
    start_input,
    startable,
    window_is_open,
    without_budget,
)
from pytake.conversation.people import contact_ids
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.messaging import QueueingFailedError, Queues
from pytake.conversation.ports.tenants import TenantRepository, UnknownNumberError
from pytake.conversation.queues import FlowStart, InboundItem, digest
from pytake.conversation.records import Conversation, ConversationKey, Number
from pytake.engine import Context, EffectResult, StartFlowRequest, take_turn

_PHONE = re.compile(r"\+?[0-9]{8,15}")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,128}")


class QueuedStart(Struct, frozen=True):
    """A start that takes its turn in this conversation, as the message with this id."""

    key: ConversationKey
    message_id: str


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
        plan_opening: MakeOpening,
        check_opening: CheckOpening = without_budget,
    ) -> None:
        self._check_opening = check_opening
        self._plan_opening = plan_opening
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
    ) -> QueuedStart:
        """Queue the start. Repeating a `request_id` starts nothing twice.

        Raises `StartRefusedError`, `UnknownNumberError`, `FlowError` when an expression in the template is not valid, and
        `QueueingFailedError`: then the request must be repeated. What changes before the turn is taken is checked there once
        more.
        """
        to = "".join(character for character in to if character not in " -()")
        if not _PHONE.fullmatch(to) and not _USER_ID.fullmatch(to):
            raise StartRefusedError("recipient_invalid")
        number = self._tenants.number(phone_number_id)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        key, known = self._find(organization_id, phone_number_id, to)
        message_id = f"start:{digest(key.contact_id, start.flow_id or '', request_id)}"
        try:
            self._check(key, known, number, start)
        except StartRefusedError:
            if self._conversations.turn_of_message(key, message_id) is None:
                raise
            return QueuedStart(key, message_id)
        item = InboundItem(
            organization_id,
            phone_number_id,
            key.contact_id,
            {"id": message_id},
            self._clock(),
            correlation_id=correlation_id,
            start=start,
            user_id=known.user_id if known is not None else None,
        )
        self._queues.put_inbound([item])
        return QueuedStart(key, message_id)

    def perform(
        self, key: ConversationKey, request: StartFlowRequest, correlation_id: str | None = None
    ) -> EffectResult:
        """The result of an action of the conversation's flow. A turn that is repeated starts nothing twice. Never raises."""
        start = FlowStart(request.flow_id, request.parameters)
        try:
            self(key.organization_id, key.phone_number_id, request.to, start, request.key, correlation_id)
        except StartRefusedError as refused:
            return EffectResult(ok=False, error=refused.code)
        except (QueueingFailedError, UnknownNumberError):  # the number was removed during the turn
            return EffectResult(ok=False, error="unavailable")
        return EffectResult(ok=True)

    def _find(self, organization_id: str, phone_number_id: str, to: str) -> tuple[ConversationKey, Conversation | None]:
        """The person's conversation at the number, or the key that it will have. A known contact keeps its id."""
        ids = contact_ids(self._aliases, organization_id, to)
        keys = [ConversationKey(organization_id, phone_number_id, contact_id) for contact_id in ids]
        known = next((found for key in keys if (found := load_current(self._conversations, key)) is not None), None)
        if known is not None:
            return known.key, known
        contacts = self._contacts.load_all(organization_id, ids) if len(ids) > 1 else []
        return replace(keys[0], contact_id=contacts[0].contact_id) if contacts else keys[0], None

    def _check(self, key: ConversationKey, known: Conversation | None, number: Number, start: FlowStart) -> None:
        """Raises `StartRefusedError` for what the turn would refuse at this moment."""
        now, contact = self._clock(), None
        opening = self._plan_opening(number, start) if start.template is not None else None
        if known is None or opening is not None:
            contact = self._contacts.load(key.organization_id, key.contact_id)
            known = known or new_conversation(key, contact)
        if contact is not None and opening is not None:
            draft = decide_opening(known, contact, opening, "", now)
            to = draft.record.recipient or key.contact_id
            over_budget = self._check_opening(key.organization_id, to, opening.category, now)
            if over_budget is not None:
                raise StartRefusedError(over_budget)
            return
        flow = startable(self._flows, key.organization_id, start)
        check_parameters(start)
        check_person(known, now, only_idle=start.only_idle)
        if not window_is_open(known, now):
            first = take_turn(flow, None, start_input(start), self._context(known, number, now))
            if first.effect is None and not are_templates(first.messages):
                raise StartRefusedError("window_closed")

    def _context(self, known: Conversation, number: Number, now: float) -> Context:
        organization = self._tenants.organization(known.key.organization_id)
        return Context(
            now,
            seed="",
            contact=known.contact,
            country=number.country,
            timezone=organization.timezone,
            constants=organization.constants,
            timetables=organization.timetables,
        )
