"""Answer a person with a flow: open a session, run the flow with its effects, and store its state in the session."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from pytake import engine
from pytake.conversation.commit_turn import TurnDraft
from pytake.conversation.contact_usage import API_CALLS_PER_HOUR, MODEL_CALLS_PER_HOUR, NO_USAGE
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.handoff import handoff_of
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.conversations import EffectPerformer, EffectSlot, EffectSlots
from pytake.conversation.ports.messaging import ShowTyping
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import typing_item
from pytake.conversation.records import (
    DEFAULT_COMMANDS,
    DUE,
    START,
    STATE_BYTES,
    Conversation,
    EffectRecord,
    Number,
    Organization,
    Session,
    TurnContext,
    TurnRecord,
)
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.sessions import session_of_turn, waits_since
from pytake.conversation.start_flow import StartFlow
from pytake.conversation.turn_contact import CONTACT_BYTES
from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Event,
    Flow,
    FlowError,
    Input,
    ModelRequest,
    StartFlowRequest,
    State,
    StateError,
    Turn,
    built_in_text,
    language_of,
    normalize_text,
)
from pytake.engine.commands import match_command
from pytake.engine.contact_changes import contact_after
from pytake.whatsapp.outbound import Text

EFFECTS_SECONDS = 30
"""A turn starts API and model calls for this long; each takes at most 20 seconds (`engine.limits.API_TIMEOUT_SECONDS`)."""

BUSY_SECONDS = 2
"""When a turn is tried again whose organization has as many calls in progress as it may have."""

EFFECTS_BYTES = 200_000
"""Limit for the results of a turn's calls together: the turn's record is one DynamoDB item of at most 400 KB."""

ITEM_BYTES = 390_000
"""Limit for a conversation and for a turn's record: each is one DynamoDB item of at most 400 KB with its keys."""


class FlowRun:
    """Runs a conversation's flow, one turn at a time."""

    def __init__(
        self,
        tenants: TenantRepository,
        flows: FlowLibrary,
        effects: EffectPerformer,
        effect_slots: EffectSlots,
        start_flow: StartFlow,
        clock: Clock,
        session_ttl_hours: int,
        show_typing: ShowTyping,
        record_metric: RecordMetric,
    ) -> None:
        self._show_typing = show_typing
        self._record_metric = record_metric
        self._tenants = tenants
        self._flows = flows
        self._effects = effects
        self._effect_slots = effect_slots
        self._start_flow = start_flow
        self._clock = clock
        self._session_ttl_hours = session_ttl_hours

    def __call__(self, draft: TurnDraft, before: Conversation, number: Number, now: float) -> None:
        """Answer the input of the draft's record: complete the record and the conversation after it.

        While an agent has the session, the input is only recorded. A turn that fails, or that cannot be stored, ends with
        the number's apology. `before` is the conversation as it was loaded.
        """
        self._answer(draft, before, number, now)
        self._keep_to_size(draft, before, number, now)

    def _answer(self, draft: TurnDraft, before: Conversation, number: Number, now: float) -> None:
        organization = self._tenants.organization(number.organization_id)
        session = self._open_session(draft, organization, now)
        if session.human:
            _record_for_agent(draft, before, number, organization)
            return
        flow, state = self._flow_and_state(draft, session, number)
        if flow is None:
            if _opts_out(draft, number, organization):
                draft.conversation.session, draft.record.status = None, "completed"
            else:
                self._fail(draft, number, organization, now)
            return
        turn = self._run(draft, session, flow, state, number, organization, now)
        if turn.status == "failed":
            reason = turn.events[-1]
            place = reason.data if reason.type == "engine_error" else {}  # where the defect is, without user data
            draft.report("turn.failed", flow_id=flow.id, version=flow.version, problem=reason.type, **place)
            self._fail(draft, number, organization, now)
            return
        self._store_state(draft, session, flow, turn, number, organization, now)

    def _open_session(self, draft: TurnDraft, organization: Organization, now: float) -> Session:
        """The open session, or a new one; the conversation keeps it for now, also when the turn fails or an agent has it."""
        conversation, record = draft.conversation, draft.record
        session, expired = session_of_turn(conversation, record.seq, now)
        record.events.extend(expired)
        conversation.session = replace(session, expires_at=now + self.session_seconds(organization))
        record.session_id = session.id
        return session

    def _flow_and_state(self, draft: TurnDraft, session: Session, number: Number) -> tuple[Flow | None, State | None]:
        """The flow to run and the state to continue from. No flow when none can run: an operator event says why."""
        if session.state is None:
            return self._flow_of_new_session(draft, number), None
        try:
            state = State.decode(session.state)
        except StateError:
            draft.report("turn.state_invalid", session_id=session.id)
            return None, None
        which = {"flow_id": state.flow_id, "version": state.version}
        try:
            flow = self._flows.version(number.organization_id, state.flow_id, state.version)
        except FlowError as error:
            draft.report("turn.flow_invalid", **which, problem=str(error))
            return None, state
        if flow is None:
            draft.report("turn.flow_missing", **which)
        return flow, state

    def _flow_of_new_session(self, draft: TurnDraft, number: Number) -> Flow | None:
        asked = draft.record.input
        if asked.type == START:
            flow_id: str | None = asked.text
        else:
            flow_id = _keyword_flow(number.keywords, asked.text) or number.default_flow_id
        try:
            flow = self._flows.published(number.organization_id, flow_id) if flow_id else None
        except FlowError as error:
            draft.report("turn.flow_invalid", flow_id=flow_id, problem=str(error))
            return None
        if flow is None:
            draft.report("turn.flow_missing", flow_id=flow_id, phone_number_id=number.phone_number_id)
        return flow

    def _run(
        self,
        draft: TurnDraft,
        session: Session,
        flow: Flow,
        state: State | None,
        number: Number,
        organization: Organization,
        now: float,
    ) -> Turn:
        """Run the flow until it waits or ends, and record what it did."""
        conversation, record = draft.conversation, draft.record
        if record.input.type == "timeout" and state is not None:
            record.input = Input(type=flow.timer_input(state))
        if state is not None and state.is_opened:
            record.parameters = state.variables
        known = _known(conversation.contact, number, organization, flow)
        if known.fingerprint() != session.context_fingerprint:
            record.context = known
        context = Context(
            now=now,
            seed=f"{session.id}:{conversation.seq}",
            contact=conversation.contact,
            country=number.country,
            commands=number.commands or DEFAULT_COMMANDS,
            timezone=organization.timezone,
            constants=organization.constants,
            timetables=known.timetables,
            message_id=record.received_message_id,
        )
        turn = engine.take_turn(flow, state, record.input, context)
        if turn.effect is not None:
            turn = self._with_effects(draft, flow, turn, number, organization, context)
        record.flow_id, record.flow_version, record.node_id = flow.id, flow.version, turn.node_id
        record.status, record.path, record.messages = turn.status, turn.path, turn.messages
        record.events.extend(turn.events)
        conversation.contact = contact_after(conversation.contact, turn.events)
        conversation.opted_out = conversation.opted_out or any(event.type == "opted_out" for event in turn.events)
        return turn

    def _with_effects(
        self, draft: TurnDraft, flow: Flow, turn: Turn, number: Number, organization: Organization, context: Context
    ) -> Turn:
        """The complete turn after its calls. Raises `RetryLaterError` when too many turns of the organization are calling."""
        organization_id, record = draft.conversation.key.organization_id, draft.record
        slot: EffectSlot | None = self._effect_slots.take(organization_id, self._clock())
        if slot is None:
            raise RetryLaterError(BUSY_SECONDS, "too many calls of this organization are in progress")
        if number.mark_read and number.typing and (message_id := record.received_message_id) is not None:
            self._show_typing(typing_item(draft.conversation.key, record.seq, message_id, self._clock()))
        try:
            while turn.effect is not None:
                result = self._perform(draft, turn.effect, organization, context.now)
                record.effects.append(EffectRecord(turn.effect.key, result))
                turn = engine.continue_turn(flow, turn, record.input, result, context)
        finally:
            self._effect_slots.free(organization_id, slot)
        return turn

    def _perform(self, draft: TurnDraft, effect: Effect, organization: Organization, started_at: float) -> EffectResult:
        """An effect's result, within the turn's time, the contact's calls an hour, and the size of the turn's record."""
        conversation, now = draft.conversation, self._clock()
        if now - started_at > EFFECTS_SECONDS:
            return EffectResult(ok=False, error="out_of_time: The calls of this turn took too long.")
        of_model = isinstance(effect, ModelRequest)
        usage = (conversation.usage or NO_USAGE).after_call(now, of_model=of_model)
        if usage.api_calls > _limit(organization.contact_api_calls_per_hour, API_CALLS_PER_HOUR) or (
            usage.model_calls > _limit(organization.contact_model_calls_per_hour, MODEL_CALLS_PER_HOUR)
        ):
            self._record_metric("CallsLimited", 1)
            return EffectResult(ok=False, error="call_limit: This contact has caused too many calls within an hour.")
        conversation.usage = usage
        if of_model:
            self._record_metric("ModelCalls", 1)
        else:
            self._record_metric("ApiCalls", 1)
        if isinstance(effect, StartFlowRequest):
            return self._start_flow.perform(conversation.key, effect, draft.record.correlation_id)
        result = self._effects.perform(conversation.key, effect)
        size = sum(len(msgspec.json.encode(earlier.result)) for earlier in draft.record.effects)
        if size + len(msgspec.json.encode(result)) > EFFECTS_BYTES:
            error = "too_large: The answers of this turn are too large."
            return EffectResult(ok=False, status=result.status, error=error)
        return result

    def _store_state(
        self,
        draft: TurnDraft,
        session: Session,
        flow: Flow,
        turn: Turn,
        number: Number,
        organization: Organization,
        now: float,
    ) -> None:
        """Put the flow's state into the session. A completed flow ends the session."""
        conversation = draft.conversation
        encoded = turn.state.encode() if turn.state is not None else None
        if encoded is not None and len(encoded) > STATE_BYTES:
            # The session stays as it was: the person can answer again, shorter.
            draft.report("turn.state_too_large", flow_id=flow.id, bytes=len(encoded))
            self._fail(draft, number, organization, now)
            # A timer would only fail again.
            conversation.session = session if draft.record.message_type != DUE else None
            return
        if turn.status == "completed":
            conversation.session = None
            return
        if turn.handoff_state is not None:
            encoded = turn.handoff_state.encode()
            encoded = encoded if len(encoded) <= STATE_BYTES else None  # agents must get the person in any case
        known = _known(conversation.contact, number, organization, flow)
        conversation.session = replace(
            session,
            state=encoded,
            # A session outlives its timer: a delay may be longer than the silence after which a session ends.
            expires_at=max(now, turn.due_at or now) + self.session_seconds(organization, flow),
            human=turn.status == "handoff",
            timer_at=turn.due_at,
            context_fingerprint=known.fingerprint(),
            handoff=handoff_of(turn, flow, now) if turn.status == "handoff" else None,
            waits_since=now if turn.status == "handoff" else None,
        )

    def _fail(self, draft: TurnDraft, number: Number, organization: Organization, now: float) -> None:
        """End the session with the apology, unless the person got it recently."""
        conversation, record = draft.conversation, draft.record
        record.status, record.messages = "failed", []
        conversation.session = None
        quiet_until = (conversation.apologised_at or float("-inf")) + self.session_seconds(organization)
        if now >= quiet_until:
            apology = number.apology or built_in_text(language_of(organization.language) or "en", "apology")
            record.messages = [Text(apology)]
            conversation.apologised_at = now

    def _keep_to_size(self, draft: TurnDraft, before: Conversation, number: Number, now: float) -> None:
        """Undo a turn that is too large to be stored, because it would fail forever. The person gets the apology.

        The session stays as it was, so that the person can answer again, shorter. A timer would only fail again.
        """
        conversation, record = draft.conversation, draft.record
        part = _too_large(conversation, before, record)
        if part is None:
            return
        draft.report(f"turn.{part}_too_large", flow_id=record.flow_id)
        conversation.contact = before.contact
        record.flow_id, record.flow_version, record.node_id = None, 0, None
        record.path, record.effects, record.context = [], [], None
        record.events = [Event("value_too_large", {"limit": ITEM_BYTES})]
        if len(msgspec.json.encode(record.input)) > CONTACT_BYTES:
            text = record.input.text[: CONTACT_BYTES // 4]
            record.input = replace(record.input, text=text, payload=None, response=None)
        self._fail(draft, number, self._tenants.organization(number.organization_id), now)
        conversation.session = before.open_session(now) if record.message_type != DUE else None

    def session_seconds(self, organization: Organization, flow: Flow | None = None) -> float:
        """The silence after which a session ends."""
        hours = (flow.session_ttl_hours if flow else None) or organization.session_ttl_hours or self._session_ttl_hours
        return hours * 3600


def _limit(own: int | None, default: int) -> int:
    return default if own is None else own


def _known(contact: Contact, number: Number, organization: Organization, flow: Flow) -> TurnContext:
    timetables = {
        name: organization.timetables[name] for name in sorted(flow.timetables) if name in organization.timetables
    }
    settings = (organization.timezone, organization.constants, timetables)
    return TurnContext(contact, number.country, number.commands, *settings)


def _record_for_agent(draft: TurnDraft, before: Conversation, number: Number, organization: Organization) -> None:
    """An agent has the session. The flow does not run; only the command `stop` works."""
    conversation, record = draft.conversation, draft.record
    record.status = "human"
    if conversation.session is not None:
        conversation.session.waits_since = waits_since(before, record.at) or record.at
        conversation.session.unread_id = record.message_id
    _opts_out(draft, number, organization)


def _opts_out(draft: TurnDraft, number: Number, organization: Organization) -> bool:
    """Take the command `stop`, which works without a flow too; return whether it is one."""
    if match_command(draft.record.input, number.commands or DEFAULT_COMMANDS) != "stop":
        return False
    draft.conversation.opted_out = True
    draft.record.events.append(Event("opted_out"))
    draft.record.messages = [Text(built_in_text(organization.language, "opted_out"))]
    return True


def _too_large(conversation: Conversation, before: Conversation, record: TurnRecord) -> str | None:
    """The part of a turn that exceeds its limit, or None."""
    contact = conversation.contact
    if contact != before.contact and len(msgspec.json.encode(contact)) > CONTACT_BYTES:
        return "contact"
    return "record" if len(msgspec.json.encode(record)) > ITEM_BYTES else None


def _keyword_flow(keywords: Mapping[str, str], text: str) -> str | None:
    """The flow whose keyword equals the whole message, ignoring case and accents."""
    normalized = normalize_text(text)
    if not normalized:
        return None
    return next((flow_id for word, flow_id in keywords.items() if normalize_text(word) == normalized), None)
