"""Take a turn: one message of one person becomes one committed step of their conversation, and at most one item to send.

Load, decide, commit, enqueue. The commit is one write that is visible whole or not at all; a message that comes again finds
its marker and only repeats the enqueue. Two writers of one conversation meet in the commit's condition: the loser decides
anew on what the winner left.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake import engine
from pytake.conversation.contact_changes import contact_after
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.ports.common import Clock, ConflictError, RecordMetric, no_metrics
from pytake.conversation.ports.conversations import AlreadyCommittedError, Conversations, EffectPerformer
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import InboundItem, outbound_item
from pytake.conversation.rate_limits import pair_rate
from pytake.conversation.records import (
    STATE_BYTES,
    Conversation,
    ConversationKey,
    EffectRecord,
    Number,
    Organization,
    Session,
    TurnContext,
    TurnRecord,
    new_session_id,
)
from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Event,
    Flow,
    FlowError,
    Input,
    State,
    StateError,
    built_in_text,
    language_of,
    normalize_text,
)
from pytake.engine.commands import match_command
from pytake.whatsapp.inbound import Answer, read_answer, takes_turn
from pytake.whatsapp.outbound import Text

DEFAULT_COMMANDS = {
    "restart": "restart",
    "reiniciar": "restart",
    "recomeçar": "restart",
    "stop": "stop",
    "parar": "stop",
    "human": "human",
    "humano": "human",
    "atendente": "human",
    "agente": "human",
}
"""The words that work at any moment for a number that sets none of its own."""

EFFECTS_SECONDS = 30
"""A turn begins API and model calls for this long; each takes at most 20 seconds (`engine.limits.API_TIMEOUT_SECONDS`)."""

EFFECTS_BYTES = 200_000
"""What the results of a turn's calls may hold together: the turn's record is one DynamoDB item of at most 400 KB."""

CONTACT_BYTES = 60_000
"""What flows may save of one contact: it is part of the conversation's item, and of records."""

ITEM_BYTES = 390_000
"""A conversation and a turn's record are one DynamoDB item each, of at most 400 KB with their keys."""

DUE = "due"
"""The message type of the news that a timer or a session is over."""

LATE_SECONDS = 60
"""A message that came this much later than it was written (Meta redelivers for days) opens its service window then."""

COMMIT_ATTEMPTS = 4
"""Conflicts of one conversation are rare (the queue keeps its order): four in a row mean that something else is wrong."""


class _Outcome(Struct):
    """What a turn decided, before it is committed."""

    conversation: Conversation
    record: TurnRecord
    operator_events: list[OperatorEvent]


class TakeTurn:
    """The flow runner's use case."""

    def __init__(
        self,
        conversations: Conversations,
        tenants: TenantRepository,
        flows: FlowLibrary,
        queues: Queues,
        effects: EffectPerformer,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
        session_ttl_hours: int,
        record_metric: RecordMetric = no_metrics,
    ) -> None:
        self._conversations = conversations
        self._tenants = tenants
        self._flows = flows
        self._queues = queues
        self._effects = effects
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._clock = clock
        self._session_ttl_hours = session_ttl_hours
        self._record_metric = record_metric

    def __call__(self, item: InboundItem) -> TurnRecord | None:
        """Take the turn of an inbound message, once, and enqueue what it says; the turn's record.

        An item that says that something is due (`InboundItem.due_at`) ends an expired session or lets a timer fire; None when
        nothing is due any more. A message whose number was removed or whose person was erased meanwhile takes no turn (None).
        Raises `ConflictError`
        when the conversation was written by somebody else again and again, `QueueingFailedError` when the answer could not
        be enqueued: in both cases the item has to come again.

        Measures each turn that was taken, but not its repetitions: `Turns`, `TurnMilliseconds` (flows' calls included),
        `InboundWaitMilliseconds` since the webhook had the message, `TurnsFailed`.
        """
        begun_at = self._clock()
        number = self._number(item.key)
        if number is None:
            return None

        def decide(known: Conversation | None) -> _Outcome | None:
            if item.due_at is not None:
                return self._decide_due(known, number, item) if known is not None else None
            before = known or _new_conversation(item, self._conversations.erased_at(item.key))
            return None if _is_of_erased(before, item) else self._decide_message(before, number, item)

        def taken(record: TurnRecord) -> None:
            self._record_metric("Turns", 1)
            self._record_metric("TurnMilliseconds", (self._clock() - begun_at) * 1000)
            self._record_metric("InboundWaitMilliseconds", max(0, begun_at - item.received_at) * 1000)
            if record.status == "failed":
                self._record_metric("TurnsFailed", 1)

        return self._commit(item.key, item.message_id, decide, taken)

    def _number(self, key: ConversationKey) -> Number | None:
        number = self._tenants.number(key.phone_number_id)
        if number is None or number.organization_id != key.organization_id:
            detail = {"phone_number_id": key.phone_number_id}
            self._operator_events.publish(OperatorEvent("turn.number_unknown", key.organization_id, detail))
            return None
        return number

    def _commit(
        self,
        key: ConversationKey,
        message_id: str,
        decide: Callable[[Conversation | None], _Outcome | None],
        taken: Callable[[TurnRecord], None],
    ) -> TurnRecord | None:
        for _ in range(COMMIT_ATTEMPTS):
            outcome = decide(self._conversations.load(key))
            if outcome is None:
                return self._enqueue_committed(key, message_id)
            _apply_pair_rate(outcome)
            try:
                self._conversations.commit(outcome.conversation, outcome.record)
            except AlreadyCommittedError:
                return self._enqueue_committed(key, message_id)
            except ConflictError:
                continue
            self._enqueue(key, outcome.record)
            self._publish_events.of_turn(key, outcome.record)
            taken(outcome.record)
            for event in outcome.operator_events:
                self._operator_events.publish(event)
            return outcome.record
        raise ConflictError(f"turn not committed in {COMMIT_ATTEMPTS} attempts")

    def _enqueue_committed(self, key: ConversationKey, message_id: str) -> TurnRecord | None:
        """Repeat what follows the turn that this message has had: whoever took it may have died in between."""
        committed = self._conversations.turn_of_message(key, message_id)
        if committed is not None:
            self._enqueue(key, committed)
            self._publish_events.of_turn(key, committed)
        return committed

    def _enqueue(self, key: ConversationKey, record: TurnRecord) -> None:
        if record.messages:
            self._queues.put_outbound(outbound_item(key, record, self._clock()))

    def _decide_message(self, before: Conversation, number: Number, item: InboundItem) -> _Outcome:
        now, answer = self._clock(), read_answer(item.message)
        contact = before.contact
        if item.profile_name and item.profile_name != contact.name and "name" not in contact.fields:
            contact = replace(contact, name=item.profile_name)  # a name that a flow saved is better than the profile's
        after = replace(before, contact=contact, seq=before.seq + 1, active_at=now)
        record = TurnRecord(
            seq=after.seq,
            at=now,
            session_id="",
            status="recorded",
            input=_input(answer),
            message_id=item.message_id,
            message_type=str(item.message.get("type")),
            sent_at=_sent_at(item.message),
            correlation_id=item.correlation_id,
        )
        outcome = _Outcome(after, record, [])
        # What is said in a group is not said to the bot alone: a private answer would surprise everybody.
        if takes_turn(answer.type) and not item.message.get("group_id"):
            sent_at = min(now, record.sent_at) if record.sent_at is not None else now
            after.last_inbound_at = max(before.last_inbound_at, sent_at)  # late news opens no older window again
            if after.last_inbound_at < now - LATE_SECONDS:
                record.window_opened_at = after.last_inbound_at
            if before.opted_out and sent_at < before.last_inbound_at:
                record.status = "opted_out"  # written before the word that stops everything, and only late
                record.session_id = after.session.id if after.session is not None else ""
                return outcome
            after.opted_out = False  # who writes to us again wants an answer
            self._answer(outcome, number, now)
            self._keep_to_size(outcome, before, number, now)
        elif after.session is not None:
            record.session_id = after.session.id
        return outcome

    def _decide_due(self, before: Conversation, number: Number, item: InboundItem) -> _Outcome | None:
        now, session = self._clock(), before.session
        if session is None:
            return None
        # Old news, handed out again, must not do the work of newer news: turns committed in between may not be queued yet.
        now_due_at = min(session.expires_at, session.timer_at or session.expires_at)
        if item.due_at is not None and now_due_at > item.due_at:
            return None
        after = replace(before, seq=before.seq + 1)
        record = TurnRecord(
            seq=after.seq,
            at=now,
            session_id=session.id,
            status="expired",
            input=Input(type="timeout"),
            message_id=item.message_id,
            message_type=DUE,
            correlation_id=item.correlation_id,
            window_opened_at=before.last_inbound_at or None,
        )
        outcome = _Outcome(after, record, [])
        if session.expires_at <= now:
            record.events.append(Event("session_expired", {"session_id": session.id}))
            after.session = None
        elif session.timer_at is None or session.timer_at > now:
            return None
        elif before.opted_out:
            record.status = "opted_out"
            after.session = replace(session, timer_at=None)
        else:
            after.active_at = now
            self._answer(outcome, number, now)
            self._keep_to_size(outcome, before, number, now)
        return outcome

    def _answer(self, outcome: _Outcome, number: Number, now: float) -> None:
        conversation, record = outcome.conversation, outcome.record
        organization = self._tenants.organization(number.organization_id)
        session = conversation.session
        if session is not None and session.expires_at <= now:
            record.events.append(Event("session_expired", {"session_id": session.id}))
            session = None
        began = session is None
        if session is None:
            session_id = new_session_id(conversation.key, record.seq)
            session = Session(id=session_id, started_at=now, expires_at=now)
        conversation.session = replace(session, expires_at=now + self._session_seconds(organization, None))
        record.session_id = session.id
        if session.human:
            record.status = "human"
            commands = number.commands or DEFAULT_COMMANDS
            if match_command(record.input, commands) == "stop":  # type: ignore[arg-type]  # that one works with people too
                conversation.opted_out = True
                record.events.append(Event("opted_out"))
                record.messages = [Text(built_in_text(organization.language, "opted_out"))]
            return

        flow, state = self._flow_and_state(outcome, session, number, began)
        if flow is None:
            self._fail(outcome, number, organization, now)
            return
        if record.input.type == "timeout" and state is not None:
            record.input = Input(type=flow.timer_input(state))
        known = TurnContext(conversation.contact, number.country, number.commands)
        if known.fingerprint() != session.context_fingerprint:
            record.context = known
        context = self._context(conversation, number, now)
        turn = engine.take_turn(flow, state, record.input, context)
        while turn.effect is not None:
            result = self._perform(conversation.key, turn.effect, record, now)
            record.effects.append(EffectRecord(turn.effect.key, result))
            turn = engine.continue_turn(flow, turn, record.input, result, context)
        record.flow_id, record.flow_version, record.node_id = flow.id, flow.version, turn.node_id
        record.status, record.path, record.messages = turn.status, turn.path, turn.messages
        record.events.extend(turn.events)
        conversation.contact = contact_after(conversation.contact, turn.events)
        conversation.opted_out = conversation.opted_out or any(event.type == "opted_out" for event in turn.events)
        if turn.status == "failed":
            problem = next((event.type for event in reversed(turn.events)), "turn_failed")
            self._tell(outcome, "turn.failed", flow_id=flow.id, version=flow.version, problem=problem)
            self._fail(outcome, number, organization, now)
            return
        encoded = turn.state.encode() if turn.state is not None else None
        if encoded is not None and len(encoded) > STATE_BYTES:
            # The session is kept as it was: the person can answer again, shorter.
            self._tell(outcome, "turn.state_too_large", flow_id=flow.id, bytes=len(encoded))
            self._fail(outcome, number, organization, now)
            conversation.session = session if record.message_type != DUE else None  # a timer would only fail again
            return
        ends = turn.status == "completed"
        # A session outlives its timer: a delay may be longer than the silence after which a session ends.
        expires_at = max(now, turn.due_at or now) + self._session_seconds(organization, flow)
        conversation.session = (
            None
            if ends
            else replace(
                session,
                state=encoded,
                expires_at=expires_at,
                human=turn.status == "handoff",
                timer_at=turn.due_at,
                context_fingerprint=replace(known, contact=conversation.contact).fingerprint(),
            )
        )

    def _perform(self, key: ConversationKey, effect: Effect, record: TurnRecord, began_at: float) -> EffectResult:
        """An effect's result, within what a turn may take in time and what its record can hold."""
        if self._clock() - began_at > EFFECTS_SECONDS:
            return EffectResult(ok=False, error="out_of_time: The calls of this turn took too long.")
        result = self._effects.perform(key, effect)
        held = sum(len(msgspec.json.encode(known.result)) for known in record.effects)
        if held + len(msgspec.json.encode(result)) > EFFECTS_BYTES:
            return EffectResult(
                ok=False, status=result.status, error="too_large: The answers of this turn are too large."
            )
        return result

    def _flow_and_state(
        self, outcome: _Outcome, session: Session, number: Number, began: bool
    ) -> tuple[Flow | None, State | None]:
        organization_id = number.organization_id
        if not began and session.state is not None:
            try:
                state = State.decode(session.state)
            except StateError:
                self._tell(outcome, "turn.state_invalid", session_id=session.id)
                return None, None
            try:
                flow = self._flows.version(organization_id, state.flow_id, state.version)
            except FlowError as error:
                self._tell(
                    outcome, "turn.flow_invalid", flow_id=state.flow_id, version=state.version, problem=str(error)
                )
                return None, state
            if flow is None:
                self._tell(outcome, "turn.flow_missing", flow_id=state.flow_id, version=state.version)
            return flow, state
        flow_id = _keyword_flow(number.keywords, outcome.record.input.text) or number.default_flow_id
        try:
            flow = self._flows.published(organization_id, flow_id) if flow_id else None
        except FlowError as error:
            self._tell(outcome, "turn.flow_invalid", flow_id=flow_id, problem=str(error))
            return None, None
        if flow is None:
            self._tell(outcome, "turn.flow_missing", flow_id=flow_id, phone_number_id=number.phone_number_id)
        return flow, None

    def _fail(self, outcome: _Outcome, number: Number, organization: Organization, now: float) -> None:
        """The session is over; the person gets the apology, but not again and again."""
        conversation, record = outcome.conversation, outcome.record
        record.status = "failed"
        conversation.session = None
        quiet_until = (conversation.apologised_at or float("-inf")) + self._session_seconds(organization, None)
        if now >= quiet_until:
            record.messages = [
                Text(number.apology or built_in_text(language_of(organization.language) or "en", "apology"))
            ]
            conversation.apologised_at = now
        else:
            record.messages = []

    def _keep_to_size(self, outcome: _Outcome, before: Conversation, number: Number, now: float) -> None:
        """A turn that cannot be stored would fail for ever: it is undone, and the person gets the apology.

        The session is kept as it was, so that they can answer again, shorter; a timer would only fail again.
        """
        conversation, record = outcome.conversation, outcome.record
        part = _too_large(conversation, before, record)
        if part is None:
            return
        self._tell(outcome, f"turn.{part}_too_large", flow_id=record.flow_id)
        conversation.contact = before.contact
        record.flow_id, record.flow_version, record.node_id = None, 0, None  # nothing of what the flow did is left
        record.path, record.effects, record.context = [], [], None
        record.events = [Event("value_too_large", {"limit": ITEM_BYTES})]
        if len(msgspec.json.encode(record.input)) > CONTACT_BYTES:
            record.input = replace(
                record.input, text=record.input.text[: CONTACT_BYTES // 4], payload=None, response=None
            )
        self._fail(outcome, number, self._tenants.organization(number.organization_id), now)
        conversation.session = before.open_session(now) if record.message_type != DUE else None

    def _session_seconds(self, organization: Organization, flow: Flow | None) -> float:
        hours = (flow.session_ttl_hours if flow else None) or organization.session_ttl_hours or self._session_ttl_hours
        return hours * 3600

    def _context(self, conversation: Conversation, number: Number, now: float) -> Context:
        return Context(
            now=now,
            seed=f"{conversation.session.id if conversation.session else ''}:{conversation.seq}",
            contact=conversation.contact,
            country=number.country,
            commands=number.commands or DEFAULT_COMMANDS,  # type: ignore[arg-type]
        )

    def _tell(self, outcome: _Outcome, type_: str, **detail: Any) -> None:
        outcome.operator_events.append(OperatorEvent(type_, outcome.conversation.key.organization_id, detail))


def _too_large(conversation: Conversation, before: Conversation, record: TurnRecord) -> str | None:
    """Which part of a turn no item can hold, None when all fits."""
    contact = conversation.contact
    if contact != before.contact and len(msgspec.json.encode(contact)) > CONTACT_BYTES:
        return "contact"
    return "record" if len(msgspec.json.encode(record)) > ITEM_BYTES else None


def _apply_pair_rate(outcome: _Outcome) -> None:
    """Spread a turn's messages over what Meta lets one recipient have; kept in the commit, it costs no write."""
    conversation, record = outcome.conversation, outcome.record
    if record.messages:
        conversation.pair_rate_until, record.pair_rate_from = pair_rate(
            conversation.pair_rate_until, len(record.messages), record.at
        )


def _is_of_erased(conversation: Conversation, item: InboundItem) -> bool:
    """Whether the person said this before they were erased; Meta may bring it days later, a queue weeks later."""
    erased_at, sent_at = conversation.erased_at, _sent_at(item.message)
    return item.received_at <= erased_at or (sent_at is not None and conversation.is_erased(sent_at))


def _new_conversation(item: InboundItem, erased_at: float) -> Conversation:
    phone = f"+{item.contact_id}" if item.contact_id.isdecimal() else None
    contact = Contact(id=item.contact_id, phone=phone, name=item.profile_name or "")
    return Conversation(item.key, contact, erased_at=erased_at)


def _input(answer: Answer) -> Input:
    """The person's answer in the engine's words; the two have the same parts on purpose."""
    return msgspec.convert(answer, Input, from_attributes=True)


def _sent_at(message: Mapping[str, Any]) -> float | None:
    try:
        value = float(str(message.get("timestamp")))
    except ValueError:
        return None
    if not 0 < value < 1e15:  # also `nan`, which would read as something else once it was stored
        return None
    return value / 1000 if value > 1e11 else value


def _keyword_flow(keywords: Mapping[str, str], text: str) -> str | None:
    """The flow whose keyword the whole message is, ignoring case and accents."""
    said = normalize_text(text)
    return next((flow_id for word, flow_id in keywords.items() if normalize_text(word) == said), None) if said else None
