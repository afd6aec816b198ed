"""Report an event to the flow of a conversation: a payment, a shipment, the decision of another system."""

from typing import Any

import msgspec

from pytake.conversation.inbox import Inbox
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.messaging import Queues
from pytake.conversation.queues import InboundItem, ReportedEvent, digest
from pytake.conversation.records import ConversationKey

EVENT_BYTES = 60_000
"""Limit for an event's data as JSON: it becomes a variable, and part of the turn's record."""


class NoSessionError(Exception):
    """The conversation has no open session, so no flow can wait for the event."""


class EventTooLargeError(Exception):
    """The event's data has more than `EVENT_BYTES`."""


class ReportEvent:
    """The use case behind `POST /api/v1/conversations/{phone}/events`."""

    def __init__(self, inbox: Inbox, queues: Queues, clock: Clock) -> None:
        self._inbox = inbox
        self._queues = queues
        self._clock = clock

    def __call__(
        self, key: ConversationKey, event: ReportedEvent, request_id: str, correlation_id: str | None = None
    ) -> None:
        """Queue the event, in order with the person's messages. Repeating a `request_id` reports nothing twice.

        Raises `NoSessionError`, `EventTooLargeError`, and `QueueingFailedError`: then the request must be repeated.
        """
        if len(msgspec.json.encode(event)) > EVENT_BYTES:
            raise EventTooLargeError
        found = self._inbox.find(key.organization_id, key.contact_id, key.phone_number_id)
        if found is None or found.open_session(self._clock()) is None:
            raise NoSessionError
        message: dict[str, Any] = {"id": f"event:{digest(key.contact_id, event.name, request_id)}"}
        self._queues.put_inbound(
            [
                InboundItem(
                    key.organization_id,
                    key.phone_number_id,
                    key.contact_id,
                    message,
                    self._clock(),
                    correlation_id=correlation_id,
                    event=event,
                    user_id=found.user_id,
                )
            ]
        )
