"""When a message may leave: the rate limits of the organization, the number and the recipient."""

from msgspec.structs import replace

from pytake.conversation.delivery.attempt import Attempt
from pytake.conversation.ports.common import RecordMetric
from pytake.conversation.ports.deliveries import Deliveries, RateSlots
from pytake.conversation.ports.tenants import TenantRepository
from pytake.conversation.queues import OutboundItem
from pytake.conversation.rate_limits import PAIR_RATE_SECONDS, messages_per_second
from pytake.conversation.records import Delivery
from pytake.conversation.retry_later import RetryLaterError

SLOT_SECONDS = 120
"""How late the message of a campaign may be for the slot that its campaign reserved. Then it takes one like an answer."""


class Departures:
    """Takes rate slots for messages. `messages_per_minute` is the limit of organizations without one of their own."""

    def __init__(
        self,
        slots: RateSlots,
        deliveries: Deliveries,
        tenants: TenantRepository,
        messages_per_minute: int,
        record_metric: RecordMetric,
    ) -> None:
        self._slots = slots
        self._deliveries = deliveries
        self._tenants = tenants
        self._messages_per_minute = messages_per_minute
        self._record_metric = record_metric

    def per_minute(self, item: OutboundItem) -> int:
        """How many messages a minute the organization may send."""
        return self._tenants.organization(item.organization_id).messages_per_minute or self._messages_per_minute

    def take_slot(self, attempt: Attempt, entry: Delivery) -> None:
        """Return when the message may leave now. Otherwise record when it may, and raise `RetryLaterError`.

        Raises `ConflictError` when the ledger's entry is not the known one.
        """
        item, now = attempt.item, attempt.now
        per_minute = self.per_minute(item)
        slot_at = item.campaign.slot_at if item.campaign is not None else 0
        if entry.not_before is not None or slot_at > now - SLOT_SECONDS:
            free_at = self._slots.depart(item.organization_id, "organization", per_minute, now)
            if free_at > now:
                raise RetryLaterError(free_at - now, "rate limit")
            return
        pair_rate_at = item.pair_rate_from + attempt.index * PAIR_RATE_SECONDS if item.pair_rate_from else 0
        if pair_rate_at > now:  # reserve nothing yet: the slot would have passed by then
            raise RetryLaterError(pair_rate_at - now, "Meta's limit for one recipient")
        not_before = self._slots.reserve(item.organization_id, "organization", per_minute, now)
        of_number = 60 * messages_per_second(attempt.number)
        if per_minute > of_number:
            scope = f"number:{item.phone_number_id}"
            slot = self._slots.reserve(item.organization_id, scope, of_number, now)
            not_before = max(not_before, slot)
        if not_before > now:
            waiting = replace(entry, state="waiting", not_before=not_before)
            self._deliveries.claim(item.key, waiting, attempt.known)
            self._record_metric("RateLimitWaits", 1)
            raise RetryLaterError(not_before - now, "rate limit")
