"""Commit a turn once, and then do what follows from it: enqueue its messages and publish its events.

Concurrent writers of a conversation are detected by the conditional commit. The loser reloads and decides again.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord, ContactWrite
from pytake.conversation.current_conversation import recipient_of
from pytake.conversation.find_conversation import FoundConversation
from pytake.conversation.ports.common import Clock, ConflictError, until_written
from pytake.conversation.ports.conversations import AlreadyCommittedError, Conversations
from pytake.conversation.ports.follow_ups import PlansFollowUps
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, QueueingFailedError, Queues
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import OutboundItem, outbound_item, read_id
from pytake.conversation.rate_limits import pair_rate
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, ConversationKey, TurnRecord
from pytake.conversation.sessions import OPENED, session_id
from pytake.conversation.turn_contact import changes_contact, contact_write, update_copy
from pytake.engine import Input

COMMIT_ATTEMPTS = 4
"""Conflicts are rare, because the queue keeps a conversation's order: four in a row mean that something else is wrong."""

MOST_QUEUED_AGAIN = 10
"""Turns that are looked at: as many as a batch has items."""

SKEW_SECONDS = 5
"""The most that the clocks of two workers differ."""

Put = Callable[[OutboundItem], None]
"""Takes the item of a turn. It is queued later, with others."""


class TurnDraft(Struct):
    """A turn that is decided but not committed: the conversation after it, its record and its operator events.

    `contact` is the stored contact, if the turn had to read it. `new_values` is the contact that is committed with the turn, if
    flows at other numbers have to see a change of it.
    """

    conversation: Conversation
    record: TurnRecord
    operator_events: list[OperatorEvent]
    contact: ContactRecord | None = None
    new_values: ContactRecord | None = None

    def report(self, type_: str, **detail: Any) -> None:
        """Add an operator event. It is published after the commit."""
        self.operator_events.append(OperatorEvent(type_, self.conversation.key.organization_id, detail))


class CommitTurn:
    """Commits the turn of a message."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        queues: Queues,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
        follow_ups: PlansFollowUps | None = None,
    ) -> None:
        """With `follow_ups`, the turns that sequences follow are told to them before the commit."""
        self._follow_ups = follow_ups
        self._conversations = conversations
        self._contacts = contacts
        self._queues = queues
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._clock = clock

    def __call__(
        self,
        find: Callable[[bool], FoundConversation],
        message_id: str,
        decide: Callable[[FoundConversation], TurnDraft | None],
        committed: Callable[[TurnRecord], None],
        *,
        mark_read: bool,
        put: Put | None = None,
        refused_since: float | None = None,
    ) -> TurnRecord | None:
        """Find the conversation, `decide`, commit, and call `committed` with the record; the record.

        `find` is told whether an earlier try failed. `mark_read`: the message is marked as read also if the turn has no messages.
        `put` gets the item with the turn's messages, instead of the queue. `refused_since`: the item may have been refused
        before, and was queued at this time.

        A message that already has a turn, and one for which `decide` returns None, only repeats what follows from the
        committed turn, if there is one. Raises `ConflictError` when others keep writing the conversation, and
        `QueueingFailedError` when the turn is committed but its messages are not queued.
        """
        for attempt in range(COMMIT_ATTEMPTS):
            found = find(attempt > 0)
            key = found.key
            taken = self._repeat_merged(found, message_id, mark_read, put)
            if taken is not None:
                return taken
            draft = decide(found)
            if draft is None:
                return self._repeat(key, message_id, mark_read, put)
            if refused_since is not None and found.conversation is not None:
                self._queue_again(found.conversation, refused_since)
            contact = self._changed_contact(found.conversation, draft)
            _address(draft)
            if self._follow_ups is not None:
                _tell(self._follow_ups, found.conversation, draft, contact)
            try:
                self._conversations.commit(draft.conversation, draft.record, contact, found.learned)
            except AlreadyCommittedError:
                return self._repeat(key, message_id, mark_read, put)
            except ConflictError:
                continue
            self._enqueue(key, draft.record, mark_read, self._clock(), put)
            self._publish_events.of_turn(key, draft.record)
            committed(draft.record)
            for event in draft.operator_events:
                self._operator_events.publish(event)
            if draft.new_values is not None:
                self._refresh_copies(key, draft.new_values, draft.new_values.revision + 1)
            return draft.record
        raise ConflictError(f"turn not committed in {COMMIT_ATTEMPTS} attempts")

    def _queue_again(self, conversation: Conversation, since: float) -> None:
        """Enqueue the messages of the turns once more that were committed after this time. None is sent twice by it.

        An item that was refused, and is delivered again, may be taken now. Behind it in the queue, a worker may have died between
        the commit of a turn and its enqueueing: that turn's messages must not come after those of this one. Each answer moves
        `pair_rate_until`, so almost no item reads anything here.
        """
        if conversation.pair_rate_until <= since:
            return
        found: list[TurnRecord] = []
        for seq in range(conversation.seq, max(0, conversation.seq - MOST_QUEUED_AGAIN), -1):
            record = self._conversations.turn(conversation.key, seq)
            if record is None or record.at < since - SKEW_SECONDS:
                break
            found.append(record)
        for record in reversed(found):
            self._enqueue(conversation.key, record, False, record.at, None)

    def _changed_contact(self, before: Conversation | None, draft: TurnDraft) -> ContactWrite | None:
        """What the turn changes of the stored contact, which the conversation then has a copy of. One read, if it changes any."""
        after, record = draft.conversation, draft.record
        if not changes_contact(before, after, record):
            return None
        stored = draft.contact or self._contacts.load(after.key.organization_id, after.key.contact_id)
        write, fits = contact_write(stored, before, after, record)
        if fits:
            after.contact = write.contact.for_flows()
        else:
            draft.report("contact.too_large", flow_id=record.flow_id)
        after.opted_out = write.contact.opted_out
        was = stored.for_flows(), stored.opted_out
        draft.new_values = write.contact if (write.contact.for_flows(), after.opted_out) != was else None
        return write

    def _refresh_copies(self, key: ConversationKey, contact: ContactRecord, revision: int) -> None:
        """Give the person's conversations at other numbers what the turn changed: an opt-out holds at all of them."""
        for number in contact.numbers:
            if number != key.phone_number_id:
                other = replace(key, phone_number_id=number)
                with suppress(ConflictError):  # others keep writing it
                    until_written(
                        partial(update_copy, self._conversations, other, contact, revision), "the conversation"
                    )

    def _repeat(self, key: ConversationKey, message_id: str, mark_read: bool, put: Put | None) -> TurnRecord | None:
        """Repeat what follows from the turn of a message: its worker may have died right after the commit."""
        record = self._conversations.turn_of_message(key, message_id)
        if record is not None:
            # Since the turn, not since now: the sender checks whether the person has opted out or was erased meanwhile.
            self._enqueue(key, record, mark_read, record.at, put)
            self._publish_events.of_turn(key, record)
            stored = self._contacts.load(key.organization_id, key.contact_id)
            self._refresh_copies(key, stored, stored.revision)
        return record

    def _repeat_merged(
        self, found: FoundConversation, message_id: str, mark_read: bool, put: Put | None
    ) -> TurnRecord | None:
        """Like `_repeat`, for a message that took its turn in a conversation before it was merged into this one."""
        merged = found.conversation.merged if found.conversation is not None else {}
        for contact_id in merged:
            record = self._repeat(replace(found.key, contact_id=contact_id), message_id, mark_read, put)
            if record is not None:
                return record
        return None

    def _enqueue(
        self, key: ConversationKey, record: TurnRecord, mark_read: bool, queued_at: float, put: Put | None
    ) -> None:
        if record.messages:
            (put or self._queues.put_outbound)(outbound_item(key, record, queued_at))
        elif mark_read and read_id(record) is not None:
            with suppress(QueueingFailedError):  # no turn is repeated for a read receipt
                self._queues.put_outbound(outbound_item(key, record, queued_at))


def _tell(
    follow_ups: PlansFollowUps, before: Conversation | None, draft: TurnDraft, contact: ContactWrite | None
) -> None:
    """Tell what sequences follow: fields that the contact gets, a template, and a session that ended in silence."""
    after, record = draft.conversation, draft.record
    key, fields = after.key, after.contact.fields
    if contact is not None:
        known, new = (before.contact.fields if before is not None else {}), contact.contact.fields
        changed = {name for name, value in new.items() if known.get(name) != value}
        if changed:
            follow_ups.contact_changed(key.organization_id, key.contact_id, new, changed)
    if record.status == OPENED:
        follow_ups.not_answered(key, fields, after.last_inbound_at, record.at, record)
    elif record.status == "expired" and any(event.type == "session_expired" for event in record.events):
        follow_ups.not_answered(
            key, fields, after.last_inbound_at, before.active_at if before is not None else record.at
        )


def _address(draft: TurnDraft) -> None:
    """Say where the turn's messages go, and spread them over Meta's limit for one recipient. The commit stores both."""
    conversation, record = draft.conversation, draft.record
    if record.messages:
        record.recipient = recipient_of(conversation)
        conversation.pair_rate_until, record.pair_rate_from = pair_rate(
            conversation.pair_rate_until, len(record.messages), record.at
        )


def without_message(
    before: Conversation, message_id: str, now: float, status: str, input_: Input, kind: str, correlation_id: str | None
) -> TurnDraft:
    """The draft of a turn that no message of the person starts. `kind` is one of `NON_MESSAGE_TYPES`."""
    after = replace(before, seq=before.seq + 1)
    record = TurnRecord(
        seq=after.seq,
        at=now,
        session_id=session_id(before.session),
        status=status,
        input=input_,
        message_id=message_id,
        message_type=kind,
        correlation_id=correlation_id,
        window_opened_at=before.last_inbound_at or now - SERVICE_WINDOW_SECONDS,
    )
    return TurnDraft(after, record, [])
