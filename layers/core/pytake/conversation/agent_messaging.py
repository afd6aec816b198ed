"""What agents do in a conversation: write to the person, end the session, hand back to the bot.

Each action is a turn of the conversation, like a person's message: one conditional commit with an audit record, and its
messages leave through the outbound queue. So the transcript, the ledger, the message order and the service window cover
agents too.
"""

from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord
from pytake.conversation.current_conversation import load_current, recipient_of
from pytake.conversation.media.kinds import FileKinds, FileProblem, file_problems
from pytake.conversation.people import contact_ids
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import AlreadyCommittedError, Conversations
from pytake.conversation.ports.messaging import QueueingFailedError, Queues
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import digest, due_item, outbound_item
from pytake.conversation.rate_limits import pair_rate
from pytake.conversation.records import (
    SERVICE_WINDOW_SECONDS,
    Conversation,
    ConversationKey,
    DueConversation,
    Number,
    Session,
    TurnRecord,
)
from pytake.conversation.sessions import closing, session_id, session_of_turn
from pytake.conversation.templates.check import check_template
from pytake.conversation.turn_contact import contact_write
from pytake.engine import Event, Input, State, StateError
from pytake.whatsapp.outbound import Media, Template, Text

UNQUEUED_SECONDS = 3600
"""An inbound message is retried for 50 minutes. An older turn is queued, or its message is dead-lettered."""

COMMIT_ATTEMPTS = 4

AgentContent = Text | Template | Media
"""What an agent can send."""

AGENT = "agent"
"""The type of an agent's input, and the status of the turn: a human wrote its messages."""


class UnknownConversationError(Exception):
    """The organization has no such conversation."""


class WindowClosedError(Exception):
    """The person last wrote more than 24 hours ago (or never): Meta takes templates only."""


class ChangedMeanwhileError(Exception):
    """The person, the bot or another agent has written since the agent read the conversation. `turn` is the latest turn."""

    def __init__(self, turn: int) -> None:
        super().__init__(f"the latest turn is {turn}")
        self.turn = turn


class OptedOutError(Exception):
    """The person has opted out. Writing again opts in."""


class UnsendableFileError(Exception):
    """A library file in a template cannot be sent."""

    def __init__(self, problem: FileProblem) -> None:
        super().__init__(f"{problem.code}: {problem.field}")
        self.problem = problem


class RequestIdReusedError(Exception):
    """The request id was used for another message."""


class AgentTurn(Struct, frozen=True):
    """The result of an agent's action. `record` is None when there was nothing to do."""

    conversation: Conversation
    record: TurnRecord | None


class _SentBeforeMergeError(Exception):
    """The request has sent its message in a conversation that was merged into this one since."""

    def __init__(self, key: ConversationKey, record: TurnRecord) -> None:
        self.key = key
        self.record = record


class AgentMessaging:
    """The use cases behind `POST /api/v1/conversations/{phone}/send`, `/close` and `/resume`.

    All raise `UnknownConversationError`, and `ConflictError` when others keep writing the conversation. `agent` is the subject
    of the agent's token, which the audit record keeps. Logs and business events carry the `correlation_id`.
    """

    def __init__(
        self,
        conversations: Conversations,
        tenants: TenantRepository,
        queues: Queues,
        publish_events: PublishBusinessEvents,
        clock: Clock,
        session_ttl_hours: int,
        contacts: Contacts,
        aliases: Aliases,
        templates: Templates,
        file_kinds: FileKinds,
    ) -> None:
        self._file_kinds = file_kinds
        self._contacts = contacts
        self._aliases = aliases
        self._templates = templates
        self._conversations = conversations
        self._tenants = tenants
        self._queues = queues
        self._publish_events = publish_events
        self._clock = clock
        self._session_ttl_hours = session_ttl_hours

    def first_key(self, organization_id: str, person: str, phone_number_id: str) -> ConversationKey:
        """The key of the conversation that a first message to a person begins. A known contact keeps its id."""
        ids = contact_ids(self._aliases, organization_id, person)
        known = self._contacts.load_all(organization_id, ids)
        return ConversationKey(organization_id, phone_number_id, known[0].contact_id if known else ids[0])

    def send(
        self,
        key: ConversationKey,
        message: AgentContent,
        agent: str,
        request_id: str,
        correlation_id: str | None = None,
        expected_turn: int | None = None,
    ) -> AgentTurn:
        """Write a text to the person, or send a file, and take over the conversation: the bot is silent until `resume` or the
        session's end.

        A template may also be sent outside the service window, and begins the conversation with a person who has never written.
        Repeating a `request_id` sends nothing again; it only repeats the enqueue. Raises `ChangedMeanwhileError` when the latest
        turn is not the `expected_turn`, which the agent has seen, `WindowClosedError`, `OptedOutError`,
        `RequestIdReusedError`, a `TemplateRefusedError` when the copy shows that Meta would refuse the template,
        `UnsendableFileError` for a file of it, and `QueueingFailedError`: then the turn is committed, and the request must be
        repeated.
        """
        message_id = f"{AGENT}:{digest(request_id)}"
        known = self._conversations.turn_of_message(key, message_id)
        if known is not None:
            return self._repeat(key, known, message)
        is_template = isinstance(message, Template)
        if isinstance(message, Template):
            check_template(self._templates, self._number(key), message)
            for found in file_problems(self._file_kinds, key.organization_id, message.components):
                raise UnsendableFileError(found)

        def decide(before: Conversation) -> tuple[Conversation, TurnRecord]:
            now = self._clock()
            self._refuse_sent_before_merge(before, message_id)
            if expected_turn not in (None, before.seq):
                raise ChangedMeanwhileError(before.seq)
            if before.opted_out:
                raise OptedOutError
            if not is_template and now >= before.last_inbound_at + SERVICE_WINDOW_SECONDS:
                raise WindowClosedError
            record = _record(before, now, AGENT, Input(type=AGENT, text=_text(message)), correlation_id)
            record.message_id, record.messages, record.recipient = message_id, [message], recipient_of(before)
            record.window_opened_at = before.last_inbound_at
            session, expired = session_of_turn(before, record.seq, now)
            record.events.extend(expired)
            if not session.human:
                record.events.append(Event("taken_over", {"by": agent}))
            record.events.append(Event("agent_message", {"by": agent}))
            record.session_id, record.reads = session.id, session.unread_id
            pair_rate_until, record.pair_rate_from = pair_rate(before.pair_rate_until, 1, now)
            # The flow's state keeps the timer; `resume` restores it from there.
            ends_at = self._ends_at(key, session, now)
            session = replace(session, human=True, timer_at=None, expires_at=ends_at, unread_id=None, waits_since=None)
            after = replace(before, seq=record.seq, session=session, active_at=now, pair_rate_until=pair_rate_until)
            return after, record

        try:
            done = self._commit(key, decide, begins=is_template)
        except _SentBeforeMergeError as sent:
            return self._repeat(sent.key, sent.record, message)
        except AlreadyCommittedError:  # two identical requests at the same time
            known = self._conversations.turn_of_message(key, message_id)
            if known is None:
                raise ConflictError("the conversation was erased meanwhile") from None
            return self._repeat(key, known, message)
        if done.record is not None:
            self._enqueue(done.conversation.key, done.record)
        return done

    def close(
        self, key: ConversationKey, agent: str, correlation_id: str | None = None, reason: str | None = None
    ) -> AgentTurn:
        """End the session. The person's next message starts a new one. Records, events and the lake keep the `reason`."""
        why = {"reason": reason} if reason is not None else {}

        def decide(before: Conversation) -> tuple[Conversation, TurnRecord] | None:
            now = self._clock()
            session = before.open_session(now)
            if session is None:
                return None
            record = _record(before, now, "closed", Input(type="close"), correlation_id)
            record.events.extend(closing(session, agent, **why))
            return replace(before, seq=record.seq, session=None), record

        return self._commit(key, decide)

    def resume(self, key: ConversationKey, agent: str, correlation_id: str | None = None) -> AgentTurn:
        """Hand back to the bot: the flow continues at its node, or starts over if it had ended with the handoff.

        Behind a handoff with a next node the flow continues at once, in a turn of its own. Elsewhere the bot answers the person's
        next message, or continues when its timer fires.
        """

        def decide(before: Conversation) -> tuple[Conversation, TurnRecord] | None:
            now = self._clock()
            session = before.open_session(now)
            if session is None or not session.human:
                return None
            record = _record(before, now, "resumed", Input(type="resume_bot"), correlation_id)
            record.events.append(Event("handed_back", {"session_id": session.id, "by": agent}))
            state, handoff = session.state, session.handoff
            if state is None or (handoff is not None and handoff.ended):
                return replace(before, seq=record.seq, session=None), record
            ends_at = self._ends_at(key, session, now)
            continues = handoff is not None and handoff.continues
            timer_at = now if continues else _timer(state)
            session = replace(session, human=False, timer_at=timer_at, expires_at=ends_at, handoff=None)
            session.unread_id = session.waits_since = None
            return replace(before, seq=record.seq, session=session), record

        done = self._commit(key, decide)
        session = done.conversation.session
        if done.record is not None and session is not None and session.timer_at == done.record.at:
            due = DueConversation(done.conversation.key, done.record.at)
            with suppress(QueueingFailedError):  # the job that finds due timers queues the same item within a minute
                self._queues.put_inbound([due_item(due, done.conversation.user_id, due.at, correlation_id)])
        return done

    def _refuse_sent_before_merge(self, conversation: Conversation, message_id: str) -> None:
        for contact_id in conversation.merged:
            key = replace(conversation.key, contact_id=contact_id)
            record = self._conversations.turn_of_message(key, message_id)
            if record is not None:
                raise _SentBeforeMergeError(key, record)

    def _repeat(self, key: ConversationKey, known: TurnRecord, message: AgentContent) -> AgentTurn:
        if known.messages != [message]:
            raise RequestIdReusedError
        self._enqueue(key, known)
        conversation = load_current(self._conversations, key)
        if conversation is None:
            raise UnknownConversationError
        return AgentTurn(conversation, known)

    def _enqueue(self, key: ConversationKey, record: TurnRecord) -> None:
        """Queue the agent's turn, and first the turn before it: its worker may have died or stalled between its commit and its
        enqueue. If that turn is queued already, the queue or the ledger recognises it."""
        before = self._conversations.turn(key, record.seq - 1) if record.seq > 1 else None
        if before is not None and before.messages and record.at - before.at < UNQUEUED_SECONDS:
            self._queues.put_outbound(outbound_item(key, before, before.at))
        self._queues.put_outbound(outbound_item(key, record, record.at))

    def _number(self, key: ConversationKey) -> Number:
        number = self._tenants.number(key.phone_number_id)
        if number is None or number.organization_id != key.organization_id:
            raise UnknownConversationError
        return number

    def _commit(
        self,
        key: ConversationKey,
        decide: Callable[[Conversation], tuple[Conversation, TurnRecord] | None],
        *,
        begins: bool = False,
    ) -> AgentTurn:
        """Commit what `decide` makes of the conversation. `begins`: of a new one, if there is none."""
        self._number(key)
        for _ in range(COMMIT_ATTEMPTS):
            known = load_current(self._conversations, key)
            if known is None and not begins:
                raise UnknownConversationError
            before, contact = (known, None) if known is not None else self._new_conversation(key)
            decided = decide(before)
            if decided is None:
                return AgentTurn(before, None)
            after, record = decided
            write = contact_write(contact, None, after, record)[0] if contact is not None else None
            try:
                self._conversations.commit(after, record, write)
            except ConflictError:
                continue
            self._publish_events.of_turn(before.key, record)
            return AgentTurn(after, record)
        raise ConflictError(f"not committed in {COMMIT_ATTEMPTS} attempts")

    def _new_conversation(self, key: ConversationKey) -> tuple[Conversation, ContactRecord]:
        erased_at = self._conversations.erased_at(key)  # first: an erasure stores what it keeps of consent before this
        contact = self._contacts.load(key.organization_id, key.contact_id)
        begun = Conversation(key=key, contact=contact.for_flows(), opted_out=contact.opted_out, erased_at=erased_at)
        return begun, contact

    def _ends_at(self, key: ConversationKey, session: Session, now: float) -> float:
        organization = self._tenants.organization(key.organization_id)
        return max(session.expires_at, now + (organization.session_ttl_hours or self._session_ttl_hours) * 3600)


def _text(message: AgentContent) -> str:
    if isinstance(message, Media):
        return message.caption or ""
    return message.name if isinstance(message, Template) else message.text


def _record(before: Conversation, now: float, status: str, input_: Input, correlation_id: str | None) -> TurnRecord:
    return TurnRecord(
        seq=before.seq + 1,
        at=now,
        session_id=session_id(before.session),
        status=status,
        input=input_,
        correlation_id=correlation_id,
    )


def _timer(state: bytes) -> float | None:
    try:
        return State.decode(state).due_at
    except StateError:
        return None  # the next turn reports it
