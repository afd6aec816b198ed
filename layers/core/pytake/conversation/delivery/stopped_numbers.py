"""Stopped numbers: stop one, hold its outgoing turns, and release them in order once it is resumed (ADR 0006)."""

from typing import NoReturn

from pytake.conversation.delivery.attempt import delivery_event
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.deliveries import HeldTurns
from pytake.conversation.ports.messaging import OperatorEvents, Queues
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS, TenantRepository
from pytake.conversation.queues import OutboundItem, released_item
from pytake.conversation.records import Number
from pytake.conversation.retry_later import RetryLaterError

STOP_PROPAGATION_SECONDS = 2 * TENANT_CACHE_SECONDS
"""How long a number's turns stay in the queue after it was stopped. Until then a worker may not know of the stop: it would
send a conversation's next turn before the held one. The queue delivers no later turn while this one is not done."""


class StoppedNumbers:
    """The sender's part in stopping and resuming numbers."""

    def __init__(
        self,
        held_turns: HeldTurns,
        tenants: TenantRepository,
        queues: Queues,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._held_turns = held_turns
        self._tenants = tenants
        self._queues = queues
        self._operator_events = operator_events
        self._clock = clock

    def stop(self, item: OutboundItem, index: int, number: Number, reason: str) -> NoReturn:
        """Stop the number, unless it is stopped. Always raises `RetryLaterError`: the turn stays in the queue for now."""
        current = self._tenants.number(number.phone_number_id, fresh=True)
        if current is None:
            raise RetryLaterError(STOP_PROPAGATION_SECONDS, "the number was removed just now")
        if not current.stopped_reason:
            # The event comes first: if the worker dies in between, it is published twice, but never missing.
            self._operator_events.publish(delivery_event("number.stopped", item, index, reason=reason))
            self._tenants.stop_number(number, reason)
            self._tenants.confirm_stop(number, self._clock())
        raise RetryLaterError(STOP_PROPAGATION_SECONDS, "the number was stopped just now")

    def await_propagation(self, number: Number) -> None:
        """Return when every worker knows that the number is stopped. Raises `RetryLaterError` until then."""
        now = self._clock()
        if number.stopped_at is None:  # the worker died before it recorded the time, or this worker's cache is older
            self._tenants.confirm_stop(number, now)
        visible_at = (now if number.stopped_at is None else number.stopped_at) + STOP_PROPAGATION_SECONDS
        if visible_at > now:
            raise RetryLaterError(visible_at - now, "the number was stopped just now")

    def hold(self, item: OutboundItem) -> None:
        """Hold the turn until its number sends again, or until the held turns before it are done.

        Holding writes first and then reads the number; releasing removes first and then reads the held turns. So one of
        the two always sees the other, and no turn is left behind.
        """
        self._held_turns.hold(item, self._clock())
        number = self._tenants.number(item.phone_number_id, fresh=True)
        if number is not None and number.stopped_reason:
            return
        earliest = self._held_turns.earliest(item.key)
        if earliest is None or earliest.turn >= item.turn:
            self._held_turns.remove(item.key, item.turn)
            raise RetryLaterError(1, "the number was resumed or removed meanwhile")
        if earliest.due_at is None:  # otherwise the scheduled function releases it
            self._queues.put_outbound(released_item(earliest, self._clock()))

    def may_hold(self, item: OutboundItem, number: Number) -> bool:
        """Whether a worker that died may have held this redelivered turn, and not seen that the number was resumed."""
        return number.resumed_at is not None and (item.queued_at or 0) < number.resumed_at + STOP_PROPAGATION_SECONDS

    def has_earlier(self, item: OutboundItem, number: Number) -> bool:
        """Whether an earlier turn of the conversation is held. Costs a request only while the number may hold turns."""
        if not number.resuming_at and (number.held_until or 0) <= self._clock():
            return False
        earliest = self._held_turns.earliest(item.key)
        return earliest is not None and earliest.turn < item.turn

    def drop(self, item: OutboundItem) -> None:
        """A released turn of a removed number is done: queue the next held turn of any of its conversations."""
        self._held_turns.remove(item.key, item.turn)
        following = self._held_turns.first_after(item.organization_id, item.phone_number_id, "")
        if following is not None:
            self._queues.put_outbound(released_item(following, self._clock()))

    def release_next(self, item: OutboundItem, number: Number) -> None:
        """The turn is done: queue the next held turn of its conversation, and note when the number has none left."""
        self._held_turns.remove(item.key, item.turn)
        following = self._held_turns.earliest(item.key)
        if following is not None:
            if following.due_at is None:
                self._queues.put_outbound(released_item(following, self._clock()))
        elif (
            number.resuming_at and self._held_turns.first_after(item.organization_id, item.phone_number_id, "") is None
        ):
            self._tenants.end_resuming(number)
