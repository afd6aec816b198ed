"""Publish business events to integrators at least once, without delaying a conversation (ADR 0010).

An event is published after the item it is derived from is stored. If the bus does not take it, the item is marked, and the
scheduled function publishes the event later. A failed delivery and a changed assignment are marked by the write that records
them, because no retry follows when the worker dies. The message of a turn is retried.
"""

from collections.abc import Callable

from pytake.conversation.assignments import Note
from pytake.conversation.business_events import BusinessEvent, assignment_changed, events_of_turn, failed_delivery
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import EventBus, Outbox, OutboxEntry
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord

LATE_SECONDS = 60
"""The worker that set an older mark is not about to remove it."""


class PublishBusinessEvents:
    """Publishes the events of turns and failed deliveries as they happen."""

    def __init__(self, bus: EventBus, outbox: Outbox, conversations: Conversations, deliveries: Deliveries) -> None:
        self._bus = bus
        self._outbox = outbox
        self._conversations = conversations
        self._deliveries = deliveries

    def of_turn(self, key: ConversationKey, record: TurnRecord) -> None:
        """Publish the events of a committed turn: one request if there are any. Fails only when the table does."""
        events = events_of_turn(key, record)
        if events and not self._bus.put(events):
            self._outbox.add(key, record.seq)

    def of_failed_delivery(self, key: ConversationKey, turn: int, index: int) -> None:
        """Publish that a message failed, unless it is about to be sent again."""
        entry = self._deliveries.load(key, turn, index)
        if entry is not None:
            self._publish(key, entry, failed_delivery(key, self._conversations.turn(key, turn), entry))

    def of_assignment(self, key: ConversationKey, note: Note) -> None:
        """Publish a change of the assignment, as it was noted."""
        self._publish(key, note, assignment_changed(key, note))

    def _publish(self, key: ConversationKey, entry: OutboxEntry, event: BusinessEvent | None) -> None:
        if event is not None and self._bus.put([event]):
            self._outbox.remove(key, entry)


class PublishLateEvents:
    """Part of the scheduled function's `due` job: publish the events that the bus refused before."""

    def __init__(
        self, bus: EventBus, outbox: Outbox, conversations: Conversations, clock: Clock, record_metric: RecordMetric
    ) -> None:
        self._bus = bus
        self._outbox = outbox
        self._conversations = conversations
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Publish them, oldest first, until `out_of_time()` or the bus refuses; returns the number of items.

        Records the metric `EventsRefused` when the bus refuses. The remaining events stay marked.
        """
        published = 0
        for key, item in self._outbox.pending(self._clock() - LATE_SECONDS):
            events = self._events(key, item)
            if out_of_time():
                break
            if events and not self._bus.put(events):
                self._record_metric("EventsRefused", 1)
                break
            self._outbox.remove(key, item)
            published += 1
        return published

    def _events(self, key: ConversationKey, item: OutboxEntry) -> list[BusinessEvent]:
        if isinstance(item, TurnRecord):
            return events_of_turn(key, item)
        if isinstance(item, Delivery):
            event: BusinessEvent | None = failed_delivery(key, self._conversations.turn(key, item.turn), item)
        else:
            event = assignment_changed(key, item)
        return [event] if event is not None else []
