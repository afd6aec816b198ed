"""Take the turn of an inbound message: one message becomes one committed step of its conversation.

Load, decide, commit, enqueue. The commit is one write that becomes visible as a whole or not at all. A redelivered message
finds its marker and only repeats the enqueue.
"""

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord
from pytake.conversation.app_messages import record_echo
from pytake.conversation.commit_turn import CommitTurn, TurnDraft, without_message
from pytake.conversation.contact_usage import MESSAGES_PER_MINUTE, NO_USAGE
from pytake.conversation.find_conversation import FindConversation, FoundConversation, identified
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.flow_run import FlowRun
from pytake.conversation.merge_contacts import MergeContacts
from pytake.conversation.opening import (
    MakeOpening,
    ReserveOpening,
    StartRefusedError,
    are_templates,
    check_person,
    decide_opening,
    start_input,
    window_is_open,
    without_budget,
)
from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.common import Clock, RecordMetric, no_metrics
from pytake.conversation.ports.conversations import Conversations, EffectPerformer, EffectSlots
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.follow_ups import PlansFollowUps
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues, ShowTyping
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import FlowStart, InboundItem, MediaItem
from pytake.conversation.reactions import ReactionAnswers
from pytake.conversation.records import (
    DEFAULT_COMMANDS,
    DUE,
    EVENT,
    SERVICE_WINDOW_SECONDS,
    START,
    Conversation,
    ConversationKey,
    Number,
    TurnRecord,
)
from pytake.conversation.revocations import forget, is_revocation, original_id
from pytake.conversation.sessions import closing, expiry, session_id
from pytake.conversation.start_flow import StartFlow
from pytake.engine import Input, built_in_text
from pytake.engine.commands import match_command
from pytake.whatsapp.input import APP_ECHO, APP_HISTORY
from pytake.whatsapp.message_input import read_input, takes_turn
from pytake.whatsapp.outbound import Text

LATE_SECONDS = 60
"""A message that arrives this much later than it was written (Meta redelivers for days) opened its service window then."""


class TakeTurn:
    """The flow runner's use case."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        contacts: Contacts,
        aliases: Aliases,
        tenants: TenantRepository,
        flows: FlowLibrary,
        queues: Queues,
        effects: EffectPerformer,
        effect_slots: EffectSlots,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
        session_ttl_hours: int,
        show_typing: ShowTyping,
        plan_opening: MakeOpening,
        record_metric: RecordMetric = no_metrics,
        *,
        keep_media: bool = False,
        follow_ups: PlansFollowUps | None = None,
        reserve_opening: ReserveOpening = without_budget,
    ) -> None:
        self._is_answer = ReactionAnswers(conversations, deliveries, flows)
        self._keep_media = queues.put_media if keep_media else None
        self._conversations = conversations
        self._contacts = contacts
        self._tenants = tenants
        self._operator_events = operator_events
        self._clock = clock
        self._record_metric = record_metric
        self._plan_opening = plan_opening
        self._reserve_opening = reserve_opening
        start_flow = StartFlow(conversations, contacts, aliases, tenants, flows, queues, clock, plan_opening)
        self._run_flow = FlowRun(
            tenants, flows, effects, effect_slots, start_flow, clock, session_ttl_hours, show_typing, record_metric
        )
        merge = MergeContacts(conversations, contacts, aliases, tenants, operator_events, clock)
        self._find = FindConversation(conversations, aliases, merge)
        self._commit = CommitTurn(conversations, contacts, queues, operator_events, publish_events, clock, follow_ups)

    def __call__(self, item: InboundItem) -> TurnRecord | None:
        """Take the turn of an inbound item once, and enqueue its messages; returns the turn's record.

        An item with a `due_at` ends an expired session, or that of a removed number, or fires a timer; one with a `start` starts
        a flow. Returns None when no
        turn is taken: nothing is due any more, the number was removed, or the person was erased after writing. Raises
        `ConflictError` when others keep writing the conversation, `QueueingFailedError` when the messages could not be enqueued,
        and `RetryLaterError` when too many turns of the organization wait for APIs and models. The item must then be retried.
        With `keep_media`, a file that the person sent is queued to be kept, behind the turn.

        Records metrics for each turn, but not for repetitions: `Turns`, `TurnMilliseconds` (including effects),
        `InboundWaitMilliseconds` since the webhook, `TurnsFailed`, and `MessagesLimited` for messages over the contact's limit.
        """
        started_at = self._clock()
        number = self._number(item.key)
        if number is None and item.due_at is None:
            return None

        def decide(found: FoundConversation) -> TurnDraft | None:
            known = found.conversation
            if item.event is not None:
                return self._decide_event(known, number, item) if known is not None and number is not None else None
            if item.due_at is not None or number is None:
                return self._decide_due(known, number, item) if known is not None else None
            if known is not None:
                known = identified(known, found.sender) if found.sender is not None else known
                return self._decide_own_turn(known, number, item)
            return self._decide_first_turn(number, item, found)

        def committed(record: TurnRecord) -> None:
            self._record_metric("Turns", 1)
            self._record_metric("TurnMilliseconds", (self._clock() - started_at) * 1000)
            self._record_metric("InboundWaitMilliseconds", max(0, started_at - item.received_at) * 1000)
            if record.status == "failed":
                self._record_metric("TurnsFailed", 1)
            elif record.status == "limited":
                self._record_metric("MessagesLimited", 1)

        mark_read = number is not None and number.mark_read
        key = item.key

        def find(again: bool) -> FoundConversation:
            nonlocal key
            found = self._find(item, consistent=again)
            key = found.key
            return found

        since = item.received_at if item.start is not None or item.event is not None else None
        record = self._commit(find, item.message_id, decide, committed, mark_read=mark_read, refused_since=since)
        if self._keep_media is not None and record is not None and record.received_message_id is not None:
            media = record.input.media
            if media is not None:
                place = (key.organization_id, key.phone_number_id, key.contact_id)
                self._keep_media(MediaItem(*place, media, item.received_at, item.correlation_id))
        return record

    def _number(self, key: ConversationKey) -> Number | None:
        number = self._tenants.number(key.phone_number_id)
        if number is None or number.organization_id != key.organization_id:
            detail = {"phone_number_id": key.phone_number_id}
            self._operator_events.publish(OperatorEvent("turn.number_unknown", key.organization_id, detail))
            return None
        return number

    def _decide_first_turn(self, number: Number, item: InboundItem, found: FoundConversation) -> TurnDraft | None:
        """The conversation's first turn. It begins with what is known of the contact from elsewhere."""
        # The contact may be outdated, and the person be erased meanwhile: the commit's conditions fail then.
        erased_at, contact = 0.0, found.contact
        if contact is None:
            # First: an erasure stores what it keeps of consent before this.
            erased_at = self._conversations.erased_at(found.key)
            contact = self._contacts.load(found.key.organization_id, found.key.contact_id)
        before = _new_conversation(found.key, item, contact, erased_at)
        if found.sender is not None:
            before = identified(before, found.sender)
        draft = self._decide_own_turn(before, number, item)
        if draft is not None:
            draft.contact = contact
        return draft

    def _decide_own_turn(self, before: Conversation, number: Number, item: InboundItem) -> TurnDraft | None:
        """The turn of a message, or of a flow that is started."""
        if item.start is not None:
            return self._decide_start(before, number, item, item.start)
        if _is_from_erased_person(before, item) or (item.is_history and before.seq):
            return None  # the history of a known conversation is stored beside its turns
        return self._decide_message(before, number, item)

    def _decide_message(self, before: Conversation, number: Number, item: InboundItem) -> TurnDraft:
        now, input_ = self._clock(), read_input(item.message)
        contact = before.contact
        if item.profile_name and item.profile_name != contact.name and "name" not in contact.fields:
            contact = replace(contact, name=item.profile_name)  # a name that a flow saved takes precedence
        after = replace(before, contact=contact, seq=before.seq + 1, active_at=now)
        record = TurnRecord(
            seq=after.seq,
            at=now,
            session_id=session_id(after.session),
            status="recorded",
            input=input_,
            message_id=item.message_id,
            message_type=str(item.message.get("type")),
            sent_at=item.sent_at,
            correlation_id=item.correlation_id,
        )
        draft = TurnDraft(after, record, [])
        if input_.type == APP_ECHO:
            organization = self._tenants.organization(number.organization_id)
            record_echo(draft, before, self._run_flow.session_seconds(organization), now)
            return draft
        if input_.type == APP_HISTORY:
            record.message_type, after.active_at = None, record.sent_at or now
            return draft
        if is_revocation(input_):
            self._forget_revoked(draft)
        if input_.type == "reaction" and not item.message.get("group_id"):
            return self._decide_reaction(draft, before, number)
        # A message to a group is not only for the bot: a private answer would surprise everyone.
        if not takes_turn(input_.type) or item.message.get("group_id"):
            return draft
        sent_at = min(now, record.sent_at) if record.sent_at is not None else now
        after.last_inbound_at = max(before.last_inbound_at, sent_at)  # a late message opens no older window again
        if after.last_inbound_at < now - LATE_SECONDS:
            record.window_opened_at = after.last_inbound_at
        if before.opted_out and (sent_at < before.last_inbound_at or self._was_said_later(draft, "withdrawn", sent_at)):
            record.status = "opted_out"  # written before the opt-out
            return draft
        if sent_at < before.last_inbound_at and self._is_overruled_stop(draft, number, sent_at):
            return draft
        if self._is_over_limit(draft, before, number, sent_at):
            return draft
        after.opted_out = False  # a person who writes again wants an answer
        self._run_flow(draft, before, number, now)
        return draft

    def _decide_reaction(self, draft: TurnDraft, before: Conversation, number: Number) -> TurnDraft:
        """The turn of a reaction. It opens no service window and lifts no opt-out, even if it answers a question."""
        record = draft.record
        if not self._is_answer(before, record.input, record.at):
            return draft
        record.window_opened_at = before.last_inbound_at or record.at - SERVICE_WINDOW_SECONDS
        if not self._is_over_limit(draft, before, number, min(record.at, record.sent_at or record.at)):
            self._run_flow(draft, before, number, record.at)
        return draft

    def _forget_revoked(self, draft: TurnDraft) -> None:
        """Remove the text of a deleted message from what the session's flow knows."""
        conversation, revoked = draft.conversation, original_id(draft.record.input)
        session = conversation.session
        if revoked is None or session is None or session.state is None:
            return
        record = self._conversations.turn_of_message(conversation.key, revoked)
        if record is not None and record.input.text:
            conversation.session = replace(session, state=forget(session.state, record.input.text))

    def _was_said_later(self, draft: TurnDraft, state: str, sent_at: float) -> bool:
        """Whether consent to answers got this state after the message was sent, perhaps at another number or through the API."""
        key = draft.conversation.key
        draft.contact = self._contacts.load(key.organization_id, key.contact_id)
        consent = draft.contact.consent_to("service")
        return consent.state == state and int(consent.at) > int(sent_at)

    def _is_overruled_stop(self, draft: TurnDraft, number: Number, sent_at: float) -> bool:
        """Whether this *stop* comes late: the person opted out before and wrote again after it, so it must not be confirmed."""
        commands = number.commands or DEFAULT_COMMANDS
        return match_command(draft.record.input, commands) == "stop" and self._was_said_later(draft, "granted", sent_at)

    def _is_over_limit(self, draft: TurnDraft, before: Conversation, number: Number, sent_at: float) -> bool:
        """Whether the contact has sent too many messages within a minute. The first one over the limit gets a notice.

        The command `stop` always works, and an agent gets every message.
        """
        after, record = draft.conversation, draft.record
        usage = (before.usage or NO_USAGE).at(sent_at)
        organization, session = self._tenants.organization(number.organization_id), before.open_session(record.at)
        limit = organization.contact_messages_per_minute or MESSAGES_PER_MINUTE
        if (
            usage.messages_within_a_minute < limit
            or (session is not None and session.human)
            or match_command(record.input, number.commands or DEFAULT_COMMANDS) == "stop"
        ):
            after.usage = usage.after_message()
            return False
        record.status = "limited"
        notified = usage.after_notice(sent_at)
        if notified is not None and not before.opted_out:
            record.messages = [Text(built_in_text(organization.language, "too_many_messages"))]
        after.usage = notified or usage
        return True

    def _decide_event(self, before: Conversation, number: Number, item: InboundItem) -> TurnDraft | None:
        """The turn of an event. It has no effect unless the session's flow waits for it at this moment."""
        now, event = self._clock(), item.event
        session = before.open_session(now)
        if event is None or session is None or session.state is None or session.opened:
            return None
        if item.received_at < before.erased_at:
            return None
        input_ = Input(type="event", text=event.name, payload=event.data)
        draft = without_message(before, item.message_id, now, "recorded", input_, EVENT, item.correlation_id)
        if before.opted_out or session.human:
            return draft
        self._run_flow(draft, before, number, now)
        return draft

    def _decide_start(
        self, before: Conversation, number: Number, item: InboundItem, start: FlowStart
    ) -> TurnDraft | None:
        """The turn of a start: the first one of a flow, which replaces the flow that runs for the person, or an opening."""
        if item.received_at <= before.erased_at:
            return None
        if start.silent_since is not None and before.last_inbound_at > start.silent_since:
            return None  # the answer that ends a follow-up was still in the queue when the follow-up was looked at
        try:
            if start.template is not None:
                return self._open(before, number, item, start)
            return self._decide_flow(before, number, item, start)
        except StartRefusedError as refused:
            detail = {"flow_id": start.flow_id, "phone_number_id": item.phone_number_id, "code": refused.code}
            self._operator_events.publish(OperatorEvent("turn.start_refused", item.organization_id, detail))
            return None

    def _open(self, before: Conversation, number: Number, item: InboundItem, start: FlowStart) -> TurnDraft:
        """The turn that sends the template of a start. One read more than a turn has, for the person's consent."""
        opening = self._plan_opening(number, start)
        contact = self._contacts.load(item.organization_id, before.key.contact_id)
        draft = decide_opening(before, contact, opening, item.message_id, self._clock(), item.correlation_id)
        to = draft.record.recipient or before.key.contact_id
        refused = self._reserve_opening(item.organization_id, item.message_id, to, opening.category, draft.record.at)
        if refused is not None:
            raise StartRefusedError(refused)
        return draft

    def _decide_flow(self, before: Conversation, number: Number, item: InboundItem, start: FlowStart) -> TurnDraft:
        now = self._clock()
        check_person(before, now, only_idle=start.only_idle)
        ended = closing(before.open_session(now), START)
        input_ = start_input(start)
        draft = without_message(before, item.message_id, now, "recorded", input_, START, item.correlation_id)
        after = draft.conversation
        after.active_at = now
        if before.open_session(now) is not None:
            after.session = None
            draft.record.events.extend(ended)
        self._run_flow(draft, before, number, now)
        if not window_is_open(before, now) and not are_templates(draft.record.messages):
            raise StartRefusedError("window_closed")
        return draft

    def _decide_due(self, before: Conversation, number: Number | None, item: InboundItem) -> TurnDraft | None:
        # The clock of the worker that queued the item may be ahead of this one: what was due there is due here.
        now, session = max(self._clock(), item.received_at), before.session
        if session is None:
            return None
        # A redelivered old item must not do the work of a newer one: turns committed in between may not be queued yet.
        next_due_at = min(session.expires_at, session.timer_at or session.expires_at)
        if item.due_at is not None and next_due_at > item.due_at:
            return None
        timeout = Input(type="timeout")
        draft = without_message(before, item.message_id, now, "expired", timeout, DUE, item.correlation_id)
        after, record = draft.conversation, draft.record
        if session.expires_at <= now or number is None:
            record.events.extend(expiry(session))
            after.session = None
        elif session.timer_at is None or session.timer_at > now:
            return None
        elif before.opted_out:
            record.status = "opted_out"
            after.session = replace(session, timer_at=None)
        else:
            after.active_at = now
            self._run_flow(draft, before, number, now)
        return draft


def _is_from_erased_person(conversation: Conversation, item: InboundItem) -> bool:
    """Whether the person wrote this before they were erased. Meta may deliver it days later, a queue weeks later."""
    erased_at, sent_at = conversation.erased_at, item.sent_at
    return item.received_at <= erased_at or (sent_at is not None and conversation.is_erased(sent_at))


def _new_conversation(
    key: ConversationKey, item: InboundItem, contact: ContactRecord, erased_at: float
) -> Conversation:
    known = contact.for_flows()
    return Conversation(
        key=key,
        contact=replace(known, name=known.name or item.profile_name or ""),
        erased_at=erased_at,
        opted_out=contact.opted_out,
    )
