"""Process delivery statuses: a status finds its message through the callback data that was sent with it."""

from typing import Any

from pytake.contacts.ports import Contacts
from pytake.conversation.callback_data import SendKey
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import StatusesItem
from pytake.conversation.status_filter import STATUS_RANK, is_of_number, message_id_of, priced, send_and_rank
from pytake.conversation.undelivered import HandleUndelivered
from pytake.whatsapp.errors import STOPPED_TEMPLATES, error_code
from pytake.whatsapp.pricing import pricing_of


class ProcessStatuses:
    """The statuses function's use case."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        deliveries: Deliveries,
        tenants: TenantRepository,
        queues: Queues,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
    ) -> None:
        self._deliveries = deliveries
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._handle_undelivered = HandleUndelivered(
            conversations, contacts, deliveries, tenants, queues, operator_events, clock
        )

    def __call__(self, item: StatusesItem) -> int:
        """Record the furthest status of each message in `item`; returns the number of ledger entries that changed.

        A failed message may be queued again, stop its number or opt the person out (`HandleUndelivered`). Raises
        `ConflictError` when the sender writes one of the entries at the same moment, or Meta is answering a repetition of a
        message whose status is in `item`: the item must be retried.
        """
        # The message id is part of the key: a status of an erased message must not hide one of the message that now has the
        # same position (ADR 9).
        furthest: dict[tuple[SendKey, str | None], dict[str, Any]] = {}
        for status in item.statuses:
            found = send_and_rank(status)
            if found is None:
                continue
            send, rank = found
            if not is_of_number(send, item):
                self._report(item, "statuses.foreign", {"phone_number_id": item.phone_number_id})
                continue
            place = send, message_id_of(status)
            known = furthest.get(place, {})
            is_further = not known or STATUS_RANK[known["status"]] < rank
            furthest[place] = priced(status, known) if is_further else priced(known, status)
        return sum(self._record(item, send, status) for (send, _), status in furthest.items())

    def _record(self, item: StatusesItem, send: SendKey, status: dict[str, Any]) -> bool:
        key, turn, index, number_of_send = send
        error = _error(status)
        code, at = error_code(error), _seconds(status.get("timestamp"))
        after = self._deliveries.record_status(
            key,
            turn,
            index,
            send=number_of_send,
            status=status["status"],
            at=at,
            message_id=message_id_of(status),
            code=code,
            pricing=pricing_of(status),
        )
        where = {"phone_number_id": key.phone_number_id, "turn": turn, "index": index}
        if status["status"] == "failed":
            if after is not None:
                self._report(
                    item, "delivery.failed", {**where, "reason": STOPPED_TEMPLATES.get(code or 0, f"status:{code}")}
                )
            # Also for a known status: the worker that recorded it may have died before it handled the failure.
            self._handle_undelivered(send, error, at)
            if after is not None:
                self._publish_events.of_failed_delivery(key, turn, index)
        elif after is not None and number_of_send < after.sends:
            if after.state == "claimed":
                raise ConflictError("Meta is answering a later send: whether the message is doubled is known then")
            if after.state == "accepted":
                self._report(item, "delivery.duplicated", where)
        return after is not None

    def _report(self, item: StatusesItem, type_: str, detail: dict[str, Any]) -> None:
        self._operator_events.publish(OperatorEvent(type_, item.organization_id, detail))


def _error(status: dict[str, Any]) -> dict[str, Any]:
    errors = status.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _seconds(timestamp: object) -> float:
    """Meta's timestamps are strings of seconds. It has sent milliseconds and plain numbers too."""
    try:
        value = float(str(timestamp))
    except ValueError:
        return 0.0
    if not 0 <= value < 1e15:  # also `nan`, which no database stores
        return 0.0
    return value / 1000 if value > 1e11 else value
