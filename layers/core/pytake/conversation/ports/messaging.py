"""Queues and events."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from pytake.conversation.assignments import Note
from pytake.conversation.business_events import BusinessEvent
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord


class QueueingFailedError(Exception):
    """A queue did not take every item. Sending all of them again is safe: the queue deduplicates."""


class Queues(Protocol):
    """The work queues. Each method raises `QueueingFailedError` unless every item was taken."""

    def put_inbound(self, items: Sequence[InboundItem]) -> None: ...

    def put_outbound(self, item: OutboundItem) -> None: ...

    def put_all_outbound(self, items: Sequence[OutboundItem]) -> None:
        """Like `put_outbound` for each item, in few requests. Those of a conversation keep their order."""

    def put_bulk(self, items: Sequence[OutboundItem]) -> Sequence[OutboundItem]:
        """Queue turns of a campaign in few requests. Returns those that the queue did not take, and never raises because of the
        queue."""

    def put_statuses(self, items: Sequence[StatusesItem]) -> None: ...

    def put_media(self, item: MediaItem) -> None: ...

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        """Put an outgoing turn on the dead-letter queue, with the reason as an attribute."""


ShowTyping = Callable[[OutboundItem], None]
"""Queues an item with `typing`. Never waits and never raises: a turn does not depend on it."""


class DeadLetterQueues(Protocol):
    """The dead-letter queues of all organizations."""

    def remove(self, keys: Sequence[ConversationKey]) -> int:
        """Delete what belongs to these conversations from the dead-letter queues; returns the number of messages."""


class EventBus(Protocol):
    """The bus that integrators subscribe to."""

    def put(self, events: Sequence[BusinessEvent]) -> bool:
        """Publish the events in order. False when some may not have been taken. Never raises because of the bus."""


OutboxEntry = TurnRecord | Delivery | Note


class Outbox(Protocol):
    """Stored items whose events are not published yet. A failed delivery and a changed assignment are added by the write that
    records them."""

    def add(self, key: ConversationKey, turn: int) -> None:
        """Mark a turn's events as not published, if the turn still exists."""

    def remove(self, key: ConversationKey, entry: OutboxEntry) -> None:
        """Mark the events of an item as published."""

    def pending(self, before: float) -> Iterable[tuple[ConversationKey, OutboxEntry]]:
        """Items added before a time, oldest first. Eventually consistent, read lazily."""


class OperatorEvent(Struct, frozen=True):
    """Something an operator should know. `detail` holds ids and codes, never a message's text."""

    type: str
    organization_id: str | None
    detail: dict[str, Any]


class OperatorEvents(Protocol):
    """Notifies operators: a log line and an EventBridge event."""

    def publish(self, event: OperatorEvent) -> None:
        """Publish the event. Never raises."""
