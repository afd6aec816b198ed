"""Send what a turn said: claim, post, settle. The claim ledger makes sure that a redelivered turn is not sent twice.

A message goes `claim (conditional) -> POST -> settle`. Whoever finds a claim that was never settled cannot know whether Meta
has the message; it waits for a receipt that echoes our callback data, and only when the deadline passes sends again.
Waiting for a rate slot or for a receipt is not a failed try: the ledger counts tries, the queue's receive count does not.
"""

from msgspec.structs import replace

from pytake.conversation.ports import (
    Clock,
    ConflictError,
    Deliveries,
    Directory,
    MessageSender,
    OperatorEvent,
    OperatorEvents,
    Queues,
    RateSlots,
    Secrets,
)
from pytake.conversation.queues import OutboundItem
from pytake.conversation.receipts import callback_data
from pytake.conversation.records import Delivery, DeliveryState, Number
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.graph import message_payload
from pytake.whatsapp.sending import SendFailed

BACKOFF_SECONDS = (2, 4, 8)
"""Three retries after the first try, then the dead-letter queue."""

AMBIGUOUS_SECONDS = 90
"""How long a send that may have happened waits for a receipt before it is sent again."""

RECHECK_SECONDS = 5
STOPPED_NUMBER_SECONDS = 300
NUMBER_PER_MINUTE = 80 * 60
"""Meta's limit of a number: 80 messages a second."""

_RETRIED = {ErrorClass.THROTTLED, ErrorClass.PAIR_THROTTLED, ErrorClass.MEDIA}


class ComeBackError(Exception):
    """Nothing failed: this turn's next message is due in `seconds`. The turns behind it wait with it."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(f"come back in {seconds:.1f} s: {reason}")
        self.seconds = seconds
        self.reason = reason


class _DeadError(Exception):
    """The message failed for good after its retries; the turn goes to the dead-letter queue."""


class Deliver:
    """The sender's use case: deliver one turn's messages, in order."""

    def __init__(
        self,
        deliveries: Deliveries,
        slots: RateSlots,
        directory: Directory,
        secrets: Secrets,
        sender: MessageSender,
        queues: Queues,
        operator_events: OperatorEvents,
        clock: Clock,
        messages_per_minute: int,
    ) -> None:
        self._deliveries = deliveries
        self._slots = slots
        self._directory = directory
        self._secrets = secrets
        self._sender = sender
        self._queues = queues
        self._operator_events = operator_events
        self._clock = clock
        self._messages_per_minute = messages_per_minute

    def __call__(self, item: OutboundItem, *, first_time: bool) -> None:
        """Deliver what is not delivered yet. `first_time`: the queue hands this item out for the first time.

        Raises `ComeBackError` when the next message has to wait. A turn whose message failed for good is in the dead-letter
        queue when this returns.
        """
        number = self._directory.number(item.phone_number_id)
        if number is None or number.organization_id != item.organization_id:
            self._queues.bury(item, "number_unknown")
            self._tell("delivery.dead", item, 0, reason="number_unknown")
            return
        if number.stopped_reason:
            raise ComeBackError(STOPPED_NUMBER_SECONDS, f"number stopped: {number.stopped_reason}")
        for index in range(len(item.messages)):
            try:
                self._deliver_one(item, index, number, first_time=first_time)
            except _DeadError as dead:
                self._queues.bury(item, str(dead))
                self._tell("delivery.dead", item, index, reason=str(dead))
                return

    def _deliver_one(self, item: OutboundItem, index: int, number: Number, *, first_time: bool) -> None:
        known = None if first_time else self._deliveries.load(item.key, item.turn, index)
        if known is not None and known.state in ("accepted", "failed"):
            return
        now = self._clock()
        if known is None:
            slot_at = self._reserve(item, now)
            state: DeliveryState = "waiting" if slot_at > now else "claimed"
            claim = Delivery(item.turn, index, state, slot_at=slot_at, claimed_at=now if state == "claimed" else None)
        else:
            self._wait_if_not_due(known, now)
            if known.state in ("claimed", "ambiguous") and known.status is not None:
                self._deliveries.settle(item.key, replace(known, state="accepted"))
                return
            if known.state in ("claimed", "ambiguous"):
                self._tell("delivery.resent_after_deadline", item, index)
            claim = replace(known, state="claimed", claimed_at=now)
        try:
            self._deliveries.claim(item.key, claim, known)
        except ConflictError:
            if first_time:  # an old turn, enqueued once more: the ledger knows what became of it
                self._deliver_one(item, index, number, first_time=False)
                return
            raise ComeBackError(1, "the ledger changed meanwhile") from None
        if claim.state == "waiting":
            raise ComeBackError((claim.slot_at or now) - now, "rate limit")
        self._post(item, index, number, claim)

    def _reserve(self, item: OutboundItem, now: float) -> float:
        organization = self._directory.organization(item.organization_id)
        per_minute = organization.messages_per_minute or self._messages_per_minute
        slot_at = self._slots.reserve(item.organization_id, "organization", per_minute, per_minute, now)
        if per_minute > NUMBER_PER_MINUTE:
            scope = f"number:{item.phone_number_id}"
            slot_at = max(slot_at, self._slots.reserve(item.organization_id, scope, NUMBER_PER_MINUTE, 80, now))
        return slot_at

    def _wait_if_not_due(self, known: Delivery, now: float) -> None:
        if known.state == "waiting" and known.slot_at is not None and known.slot_at > now:
            raise ComeBackError(known.slot_at - now, "rate limit" if known.attempts == 0 else "retry")
        if known.state in ("claimed", "ambiguous") and known.status is None:
            settles_at = (known.claimed_at or 0) + AMBIGUOUS_SECONDS
            if now < settles_at:
                raise ComeBackError(min(settles_at - now, RECHECK_SECONDS), "a receipt may still settle this send")

    def _post(self, item: OutboundItem, index: int, number: Number, claim: Delivery) -> None:
        secrets = self._secrets.of_number(number.organization_id, number.phone_number_id)
        if secrets is None:
            self._stop(item, index, number, claim, "no access token stored")
        else:
            to = item.contact_id
            payload = message_payload(item.messages[index], to, callback_data(item.key, item.turn, index))
            try:
                accepted = self._sender.send(number.phone_number_id, secrets.access_token, payload)
            except SendFailed as failure:
                self._settle_failure(item, index, number, claim, failure)
            else:
                self._deliveries.settle(item.key, replace(claim, state="accepted", message_id=accepted.message_id))

    def _settle_failure(
        self, item: OutboundItem, index: int, number: Number, claim: Delivery, failure: SendFailed
    ) -> None:
        reason = f"{failure.error_class.value}:{failure.code or failure.http_status or 'network'}"
        failed = replace(claim, attempts=claim.attempts + 1, error_code=failure.code, reason=reason)
        if failure.error_class is ErrorClass.AMBIGUOUS:
            self._deliveries.settle(item.key, replace(failed, state="ambiguous", attempts=claim.attempts))
            self._tell("delivery.ambiguous", item, index, reason=reason)
            raise ComeBackError(RECHECK_SECONDS, "a receipt may still settle this send")
        if failure.error_class.stops_number:
            self._stop(item, index, number, claim, reason)
        if failure.error_class in _RETRIED:
            wait = _backoff(failure, failed.attempts)
            if wait is None:
                self._deliveries.settle(item.key, replace(failed, state="dead"))
                raise _DeadError(reason)
            self._deliveries.settle(item.key, replace(failed, state="waiting", slot_at=self._clock() + wait))
            raise ComeBackError(wait, "retry")
        self._deliveries.settle(item.key, replace(failed, state="failed"))
        self._tell("delivery.failed", item, index, reason=reason)

    def _stop(self, item: OutboundItem, index: int, number: Number, claim: Delivery, reason: str) -> None:
        self._deliveries.settle(item.key, replace(claim, state="waiting", slot_at=self._clock()))
        self._directory.stop_number(number, reason)
        self._tell("number.stopped", item, index, reason=reason)
        raise ComeBackError(STOPPED_NUMBER_SECONDS, f"number stopped: {reason}")

    def _tell(self, type_: str, item: OutboundItem, index: int, **detail: str) -> None:
        where = {"phone_number_id": item.phone_number_id, "turn": item.turn, "index": index}
        self._operator_events.publish(OperatorEvent(type_, item.organization_id, {**where, **detail}))


def _backoff(failure: SendFailed, attempts: int) -> float | None:
    """Seconds before the next try after `attempts` failed ones, or None when there is none."""
    tries = 1 if failure.error_class is ErrorClass.MEDIA else len(BACKOFF_SECONDS)
    if attempts > tries:
        return None
    # Meta asks for 4^n seconds when the pair of number and recipient is over its limit.
    pair = failure.error_class is ErrorClass.PAIR_THROTTLED
    return max(4**attempts if pair else BACKOFF_SECONDS[attempts - 1], failure.retry_after or 0)
