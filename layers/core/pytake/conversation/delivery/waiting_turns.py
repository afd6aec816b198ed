"""Turns that wait long leave their queue (ADR 0021).

A message that waits in a FIFO queue is in flight, and all organizations share the queue's limit of messages in flight. So a
turn with a long wait is held in the table, and the scheduled function returns it to the queue shortly before it is due.
"""

from collections.abc import Callable
from itertools import islice

from pytake.conversation.delivery.stopped_numbers import STOP_PROPAGATION_SECONDS
from pytake.conversation.ports.common import Clock, RecordMetric
from pytake.conversation.ports.deliveries import HeldTurns
from pytake.conversation.ports.messaging import QueueingFailedError, Queues
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import OutboundItem, released_item
from pytake.conversation.records import Number
from pytake.conversation.retry_later import RetryLaterError

LONGEST_WAIT_SECONDS = 600
"""A longer wait leaves the queue."""

SHORTEST_WAIT_SECONDS = 120
"""A shorter wait never does: a released turn may be in the queue this long."""

QUEUED_MESSAGES = 20_000
"""About how many messages of an organization wait in the queue. SQS allows 120,000 in flight for all."""

RELEASE_EARLY_SECONDS = 60
"""A held turn returns to the queue this long before it is due: the scheduled function runs every minute."""

RELEASE_AGAIN_SECONDS = 900
"""A turn that is still held this long after its release is released again. Its copies in the queue do no harm."""

RELEASED_AT_ONCE = 100
"""Turns in memory at a time while they are released."""

ANNOUNCED_SECONDS = 2 * 86_400
"""How long after a turn is due it may still be held: a scheduled function that stands still for two days has rung an alarm."""

EXTENDED_SECONDS = 86_400
"""Announcements are extended when they end within this time after a turn is due, so that few turns write one."""


def longest_wait(per_minute: int) -> float:
    """The longest wait in the queue of an organization that may send `per_minute` messages a minute, in seconds."""
    return min(LONGEST_WAIT_SECONDS, max(SHORTEST_WAIT_SECONDS, QUEUED_MESSAGES * 60 / per_minute))


class WaitingTurns:
    """The sender's part: take a turn that waits long from the queue."""

    def __init__(self, held_turns: HeldTurns, tenants: TenantRepository, clock: Clock) -> None:
        self._held_turns = held_turns
        self._tenants = tenants
        self._clock = clock

    def hold(self, item: OutboundItem, number: Number, seconds: float) -> None:
        """Hold the turn for `seconds`. Raises `RetryLaterError` until every worker knows that its number holds turns.

        Without that knowledge, a worker would send the conversation's next turn before the held one.
        """
        now = self._clock()
        due_at = now + seconds
        if not _is_announced(number, now, due_at):
            self._announce(item, now, due_at)
        self._held_turns.hold(item, now, due_at - RELEASE_EARLY_SECONDS)

    def _announce(self, item: OutboundItem, now: float, due_at: float) -> None:
        """Return when the announcement holds long enough, and every worker can see it. Raises `RetryLaterError` before that."""
        number = self._tenants.number(item.phone_number_id, fresh=True)
        if number is None:
            raise RetryLaterError(1, "the number was removed meanwhile")
        has_ended = number.held_until is None or number.held_until <= now
        if has_ended or not _holds_long_enough(number, due_at):
            self._tenants.hold_turns_until(number, due_at + ANNOUNCED_SECONDS, now)
        since = None if has_ended else number.held_since
        if since is None:
            since = self._clock()  # read only now: the announcement is visible
            self._tenants.confirm_holding(number, since)
        if since + STOP_PROPAGATION_SECONDS > now:
            raise RetryLaterError(since + STOP_PROPAGATION_SECONDS - now, "the number begins to hold turns")


def _is_announced(number: Number, now: float, due_at: float) -> bool:
    """Whether a number that may be seconds old shows enough: an announcement is never withdrawn, it only ends."""
    is_visible = number.held_since is not None and number.held_since + STOP_PROPAGATION_SECONDS <= now
    return is_visible and (number.held_until or 0) > now and _holds_long_enough(number, due_at)


def _holds_long_enough(number: Number, due_at: float) -> bool:
    return (number.held_until or 0) >= due_at + EXTENDED_SECONDS


class ReleaseWaitingTurns:
    """Part of the scheduled function's `due` job: return the held turns that are due to their queue."""

    def __init__(
        self,
        held_turns: HeldTurns,
        tenants: TenantRepository,
        queues: Queues,
        clock: Clock,
        record_metric: RecordMetric,
    ) -> None:
        self._held_turns = held_turns
        self._tenants = tenants
        self._queues = queues
        self._clock = clock
        self._record_metric = record_metric

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Queue the due turns, the earliest first, until `out_of_time()`; returns their number. Repeating it does no harm.

        A turn stays held until the sender is done with it, so that later turns of its conversation wait for it. A hundred turns
        cost about a dozen requests. Raises `QueueingFailedError` in the end when the queue refused some: they and the
        turns beside them are released again in the next run. Records the metric `DueLagSeconds`: the longest time overdue.
        """
        now, released, lag = self._clock(), 0, 0.0
        due, refused = self._held_turns.due(now), None
        while batch := list(islice(due, RELEASED_AT_ONCE)):
            items = [released_item(held, now) for held in batch]
            for phone_number_id in dict.fromkeys(item.phone_number_id for item in items):
                number = self._tenants.number(phone_number_id)
                if number is not None and (number.held_until or 0) < now + EXTENDED_SECONDS:
                    self._tenants.hold_turns_until(number, now + ANNOUNCED_SECONDS, now)
            try:
                self._queues.put_all_outbound(items)
            except QueueingFailedError as error:
                refused = error
            else:
                due_at = [held.due_at or now for held in batch]
                places = [(item.key, item.turn, at) for item, at in zip(items, due_at, strict=True)]
                self._held_turns.postpone(places, now + RELEASE_AGAIN_SECONDS)
                released += len(batch)
                lag = max(lag, now - min(due_at))
            if out_of_time():
                break
        if released:
            self._record_metric("DueLagSeconds", lag)
        if refused is not None:
            raise refused
        return released
