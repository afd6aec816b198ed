"""Tell integrators what happened, at least once, without holding up anybody's conversation (ADR 0010).

An event is told after what it tells of is stored. If the bus does not take it, the stored item is marked, and the scheduled
function tells it later: it follows from the item. Failed messages are marked in the write that says so, because nothing
comes back for them when their worker dies; a turn's message does come back.
"""

from collections.abc import Callable

from pytake.conversation.business_events import BusinessEvent, events_of_turn, failed_delivery
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import EventBus, Outbox
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord

LATE_SECONDS = 60
"""A mark this old is one that nobody is about to remove."""


class PublishBusinessEvents:
    """What the other use cases tell with."""

    def __init__(self, bus: EventBus, outbox: Outbox, conversations: Conversations, deliveries: Deliveries) -> None:
        self._bus = bus
        self._outbox = outbox
        self._conversations = conversations
        self._deliveries = deliveries

    def of_turn(self, key: ConversationKey, record: TurnRecord) -> None:
        """Tell of a committed turn. One request if it has something to tell, none otherwise; fails only with the table."""
        events = events_of_turn(key, record)
        if events and not self._bus.put(events):
            self._outbox.add(key, record.seq)

    def of_failed_delivery(self, key: ConversationKey, turn: int, index: int) -> None:
        """Tell of a failed message, unless it is about to be sent once more."""
        entry = self._deliveries.load(key, turn, index)
        event = failed_delivery(key, self._conversations.turn(key, turn), entry) if entry is not None else None
        if event is not None and self._bus.put([event]):
            self._outbox.remove(key, turn, index)


class PublishLateEvents:
    """Part of the scheduled function's `due` job: tell what could not be told."""

    def __init__(
        self, bus: EventBus, outbox: Outbox, conversations: Conversations, clock: Clock, record_metric: RecordMetric
    ) -> None:
        self._bus = bus
        self._outbox = outbox
        self._conversations = conversations
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Tell it, oldest first, until `out_of_time()` or the bus refuses; how many items that was.

        Measures `EventsRefused` when the bus refuses: what waits goes on waiting.
        """
        told = 0
        for key, item in self._outbox.pending(self._clock() - LATE_SECONDS):
            if isinstance(item, Delivery):
                failed = failed_delivery(key, self._conversations.turn(key, item.turn), item)
                events: list[BusinessEvent] = [failed] if failed is not None else []
                turn, index = item.turn, item.index
            else:
                events, turn, index = events_of_turn(key, item), item.seq, None
            if out_of_time():
                break
            if events and not self._bus.put(events):
                self._record_metric("EventsRefused", 1)
                break
            self._outbox.remove(key, turn, index)
            told += 1
        return told
