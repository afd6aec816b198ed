"""Send the messages of a turn: claim, post, settle. The claim ledger ensures that a redelivered turn is not sent twice.

A message goes `claim (conditional) -> POST -> settle`. What Meta reports as failed for now is retried after 2, 4 and 8 seconds.
A send with an unknown outcome may have reached Meta: it waits for a status that echoes our callback data, and is repeated only
after a deadline. Waiting for a rate slot, a status or a held recipient is not a failed attempt: the ledger counts attempts,
the queue's receive count does not (ADR 0020).
The turns of a stopped number leave the queue for a durable store (`stopped_numbers`), and so do turns that wait long
(`waiting_turns`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.conversation.callback_data import callback_data
from pytake.conversation.current_conversation import load_current
from pytake.conversation.delivery import next_step as steps
from pytake.conversation.delivery import outcome as outcomes
from pytake.conversation.delivery.attempt import Attempt, delivery_event, is_for_erased_person
from pytake.conversation.delivery.departures import Departures
from pytake.conversation.delivery.ledger_lookups import LedgerLookups
from pytake.conversation.delivery.library_files import ExchangeFiles
from pytake.conversation.delivery.mark_read import MarkRead
from pytake.conversation.delivery.stopped_numbers import StoppedNumbers
from pytake.conversation.delivery.waiting_turns import WaitingTurns, longest_wait
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.ports.common import Clock, ConflictError, RecordMetric, no_metrics
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries, HeldTurns, MessageSender, RateSlots, ReadReceipts
from pytake.conversation.ports.delivery_reads import DeliveryReads
from pytake.conversation.ports.media import UnusableFileError
from pytake.conversation.ports.messaging import OperatorEvents, Queues
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import Secrets, TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import OutboundItem
from pytake.conversation.rate_limits import SLOWING_CODES
from pytake.conversation.records import Delivery, Number
from pytake.conversation.retry_later import RetryLaterError
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.graph import MARKETING_POLICY, message_payload
from pytake.whatsapp.outbound import OutboundMessage, Template
from pytake.whatsapp.sending import SendFailedError

AMBIGUOUS_SECONDS = 45
"""How long a send with an unknown outcome waits for a status before it is repeated, unless the deployment sets another time.
Statuses come within seconds."""

CLAIM_SECONDS = 240
"""How long a claim holds, unless the deployment sets another time. Longer than the queue's visibility timeout (200 seconds):
the claim of a worker that died still holds when its turn returns."""

MAX_QUEUE_SECONDS = 13 * 86_400
"""SQS deletes a message after 14 days. A turn that waited this long is dead-lettered, which operators see."""


class Deliver:
    """The sender's use case: deliver one turn's messages, in order."""

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        deliveries: Deliveries,
        reads: DeliveryReads,
        slots: RateSlots,
        held_turns: HeldTurns,
        tenants: TenantRepository,
        secrets: Secrets,
        templates: Templates,
        sender: MessageSender,
        receipts: ReadReceipts,
        queues: Queues,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        exchange_files: ExchangeFiles,
        clock: Clock,
        messages_per_minute: int,
        ambiguous_seconds: float = AMBIGUOUS_SECONDS,
        claim_seconds: float = CLAIM_SECONDS,
        record_metric: RecordMetric = no_metrics,
        longest_wait: Callable[[int], float] = longest_wait,
    ) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._slots = slots
        self._departures = Departures(slots, deliveries, tenants, messages_per_minute, record_metric)
        self._exchange_files = exchange_files
        self._tenants = tenants
        self._secrets = secrets
        self._lookups = partial(LedgerLookups, conversations, contacts, deliveries, reads, templates)
        self._sender = sender
        self._queues = queues
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._clock = clock
        self._ambiguous_seconds = ambiguous_seconds
        self._claim_seconds = claim_seconds
        self._record_metric = record_metric
        self._record_opt_out = RecordOptOut(conversations, contacts, clock)
        self._longest_wait = longest_wait
        self._mark_read = MarkRead(deliveries, secrets, receipts, clock)
        self._waiting = WaitingTurns(held_turns, tenants, clock)
        self._stopped = StoppedNumbers(held_turns, tenants, queues, operator_events, clock)

    def __call__(
        self, item: OutboundItem, *, first_delivery: bool, out_of_time: Callable[[], bool] = lambda: False
    ) -> None:
        """Deliver the messages that are not delivered yet. `first_delivery`: the queue delivers this item for the first time.

        The person's message is marked as read meanwhile, once. An item without messages only does that.

        Raises `RetryLaterError` when the next message has to wait, when `out_of_time()` says that no further one can be sent
        in this invocation, and when the number was stopped just now. Otherwise the turn is done when this returns: sent,
        dead-lettered because a message failed for good, or held because its number is stopped or because it waits long.

        Records the metrics `GraphMilliseconds` for each request, `BillableMessages` that Meta accepted and their
        `OutboundWaitMilliseconds` since the turn, `RateLimitWaits`, and `ThrottledByMeta`.
        """
        # An item that was queued again may have been so because its number was stopped a moment ago.
        number = self._tenants.number(item.phone_number_id, fresh=bool(item.requeue_id) and not item.typing)
        if first_delivery:
            self._mark_read(item, number)
        if not item.messages:
            return
        if number is None or number.organization_id != item.organization_id:
            self._end_turn_without_number(item)
            return
        if number.stopped_reason:
            if not self._is_for_erased_person(item):
                self._stopped.await_propagation(number)
                self._stopped.hold(item)
            return
        if self._stopped.has_earlier(item, number):
            if not self._is_for_erased_person(item):
                self._stopped.hold(item)
            return
        try:
            self._deliver_turn(item, number, first_delivery=first_delivery, out_of_time=out_of_time)
        except RetryLaterError as wait:
            if wait.seconds <= self._longest_wait(self._departures.per_minute(item)):
                raise
            if not self._is_for_erased_person(item):
                self._waiting.hold(item, number, wait.seconds)
            return
        if number.resuming_at or item.released or (not first_delivery and self._stopped.may_hold(item, number)):
            self._stopped.release_next(item, number)

    def _end_turn_without_number(self, item: OutboundItem) -> None:
        """Record the messages of a removed number as failed. A number that the organization never had is a dead letter."""
        is_removed = item.phone_number_id in self._tenants.number_ids(item.organization_id)
        if not self._is_for_erased_person(item):
            if is_removed:
                self._fail_rest(item, 0, "number_removed")
            else:
                self._dead_letter_turn(item, "number_unknown")
        if is_removed and item.released:
            self._stopped.drop(item)

    def _deliver_turn(
        self, item: OutboundItem, number: Number, *, first_delivery: bool, out_of_time: Callable[[], bool]
    ) -> None:
        now = self._clock()
        if item.queued_at and now - item.queued_at > MAX_QUEUE_SECONDS:
            if not self._is_for_erased_person(item):
                self._dead_letter_turn(item, "too_old")
            return
        if item.campaign is not None and item.campaign.slot_at > now:  # nothing is looked up until then
            raise RetryLaterError(item.campaign.slot_at - now, "rate limit")
        for index in range(len(item.messages)):
            if index and out_of_time():
                raise RetryLaterError(0, "no time left in this invocation")
            if not self.deliver_message(item, index, number, first_delivery=first_delivery, out_of_time=out_of_time):
                return

    def deliver_message(
        self, item: OutboundItem, index: int, number: Number, *, first_delivery: bool, out_of_time: Callable[[], bool]
    ) -> bool:
        """Deliver one message; whether to continue with the next. Raises `RetryLaterError`."""
        lookups = self._lookups(item, index, number)
        known = lookups.entry(first_delivery=first_delivery)
        # Everything that can fail comes before the claim: after it, a failure leaves a send with an unknown outcome.
        access_token = self._secrets.access_token(number.organization_id, number.phone_number_id)
        if access_token is None:
            self._stopped.stop(item, index, number, "no access token stored")
        attempt = Attempt(item, index, number, known, self._clock(), first_delivery)
        try:
            step = steps.next_step(attempt, lookups, self._ambiguous_seconds, self._claim_seconds)
            if not isinstance(step, steps.Send):
                return self._take_step(attempt, step)
            self._departures.take_slot(attempt, step.entry)
            try:
                message = self._message(attempt, step.entry)
            except UnusableFileError as error:
                failed = replace(step.entry, state="failed", reason=error.code)
                return self._take_step(attempt, steps.Refuse(failed, error.code))
            except SendFailedError as failure:
                return self._handle_failure(attempt, step.entry, failure, access_token, lookups)
            if message is not attempt.message and out_of_time():
                raise RetryLaterError(0, "no time left after an upload")
            claim = self._claim(attempt, step.entry)
        except ConflictError:
            if not first_delivery:
                raise RetryLaterError(1, "the ledger changed meanwhile") from None
            # The turn was queued before, and the ledger knows its outcome.
            return self.deliver_message(item, index, number, first_delivery=False, out_of_time=out_of_time)
        return self._post(attempt, claim, message, access_token, lookups)

    def _take_step(self, attempt: Attempt, step: steps.Step) -> bool:
        """Take a step other than `Send`; whether to continue with the next message. Raises `RetryLaterError`."""
        item, index = attempt.item, attempt.index
        match step:
            case steps.MarkAccepted(entry):
                self._deliveries.claim(item.key, entry, attempt.known)
            case steps.Refuse(entry, reason):
                self._deliveries.claim(item.key, entry, attempt.known)
                self._report("delivery.failed", item, index, reason=reason)
                self._publish_events.of_failed_delivery(item.key, item.turn, index)
            case steps.Defer(reason, entry):
                if entry is not None:
                    self._deliveries.claim(item.key, entry, attempt.known)
                self._queues.dead_letter(item, reason)
                if entry is not None:
                    self._report("delivery.deferred", item, index, reason=reason)
            case steps.DeadLetter(reason, entry):
                if entry is not None:
                    self._deliveries.claim(item.key, entry, attempt.known)
                self._dead_letter(item, index, reason)
                return False
            case steps.Drop():
                return False
            case steps.Wait(seconds, reason):
                raise RetryLaterError(seconds, reason)
        return True

    def _claim(self, attempt: Attempt, entry: Delivery) -> Delivery:
        """Claim the message; the claim. Raises `ConflictError`."""
        if entry.possibly_duplicate:
            self._report("delivery.resent_after_deadline", attempt.item, attempt.index)
        claim = replace(entry, state="claimed", claimed_at=attempt.now, sends=entry.sends + 1, possibly_duplicate=False)
        return self._deliveries.claim(attempt.item.key, claim, attempt.known)

    def _message(self, attempt: Attempt, entry: Delivery) -> OutboundMessage:
        """The message to post. Raises `UnusableFileError`, and `SendFailedError` when Meta does not take a file."""
        template = attempt.number.fallback_template
        if entry.fallback and template is not None:
            return Template(template.name, template.language)
        return self._exchange_files(attempt.message, attempt.number)

    def _post(
        self, attempt: Attempt, claim: Delivery, message: OutboundMessage, token: str, lookups: steps.Lookups
    ) -> bool:
        """Post a claimed message; whether to continue with the next. Raises `RetryLaterError`."""
        item, index, number = attempt.item, attempt.index, attempt.number
        try:
            payload = self._payload(attempt, claim, message, lookups)
        except ValueError as error:
            self._fail(attempt, claim, f"not_sendable:{error}"[:200])
            return True
        asked_at = self._clock()
        try:
            accepted = self._sender.send(number.phone_number_id, token, payload)
        except SendFailedError as failure:
            self._record_metric("GraphMilliseconds", (self._clock() - asked_at) * 1000)
            return self._handle_failure(attempt, claim, failure, token, lookups)
        answered_at = self._clock()
        self._record_metric("GraphMilliseconds", (answered_at - asked_at) * 1000)
        self._record_metric("BillableMessages", 1)
        self._record_metric("OutboundWaitMilliseconds", max(0, answered_at - (item.queued_at or answered_at)) * 1000)
        try:
            settled = replace(claim, state="accepted", message_id=accepted.message_id, held_by_meta=accepted.held)
            self._deliveries.settle(item.key, settled)
        except ConflictError:
            # This worker stalled beyond the claim's deadline, and another one took the message over.
            self._report("delivery.duplicated", item, index)
        if accepted.held:
            self._report("delivery.held_for_quality_assessment", item, index)
        return True

    def _payload(
        self, attempt: Attempt, claim: Delivery, message: OutboundMessage, lookups: steps.Lookups
    ) -> dict[str, Any]:
        item = attempt.item
        data = callback_data(item.key, item.turn, attempt.index, claim.sends)
        payload = message_payload(message, item.recipient or item.contact_id, data)
        return payload | MARKETING_POLICY if steps.is_marketing(attempt, message, lookups) else payload

    def _handle_failure(
        self, attempt: Attempt, claim: Delivery, failure: SendFailedError, token: str, lookups: steps.Lookups
    ) -> bool:
        """Settle a send that Meta did not accept; whether to continue with the next message. Raises `RetryLaterError`."""
        item, index, number = attempt.item, attempt.index, attempt.number
        if failure.error_class in (ErrorClass.RETRY, ErrorClass.HOLD_RECIPIENT):
            self._record_metric("ThrottledByMeta", 1)
        if item.campaign is not None and failure.code in SLOWING_CODES:
            self._slots.slow_down(item.organization_id, item.phone_number_id, failure.code, self._clock())
        outcome = outcomes.outcome_of_failure(
            attempt,
            claim,
            failure,
            token_replaced=lambda: self._has_new_token(number, token),
            fallback_sent=lookups.fallback_sent,
        )
        match outcome:
            case outcomes.Retry(entry, seconds, reason):
                self._settle(attempt, replace(entry, state="waiting", not_before=self._clock() + seconds))
                raise RetryLaterError(seconds, reason)
            case outcomes.StopNumber(entry, reason):
                self._settle(attempt, replace(entry, state="waiting", not_before=self._clock()))
                self._stopped.stop(item, index, number, reason)
            case outcomes.AwaitStatus(entry, reason):
                self._settle(attempt, entry)
                self._report("delivery.ambiguous", item, index, reason=reason)
                raise RetryLaterError(outcomes.STATUS_CHECK_SECONDS, "a status may still settle this send")
            case outcomes.DeadLetter(entry, reason):
                self._settle(attempt, entry)
                self._dead_letter(item, index, reason)
                return False
            case outcomes.Defer(entry, reason):
                self._settle(attempt, entry)
                self._queues.dead_letter(item, reason)
                self._report("delivery.deferred", item, index, reason=reason)
            case outcomes.OptOut(entry, reason):
                self._record_opt_out(item.key, claim.claimed_at or 0, f"error_{failure.code}")
                self._fail(attempt, entry, reason)
            case outcomes.Fail(entry, reason):
                self._fail(attempt, entry, reason)
        return True

    def _has_new_token(self, number: Number, used: str) -> bool:
        """Whether the refused token was replaced meanwhile: the worker's cached secret may be minutes old."""
        fresh = self._secrets.access_token(number.organization_id, number.phone_number_id, fresh=True)
        return fresh is not None and fresh != used

    def _settle(self, attempt: Attempt, delivery: Delivery) -> None:
        key = attempt.item.key
        try:
            if delivery.sends > attempt.entry.sends:
                self._deliveries.settle(key, delivery)
            else:  # not claimed: Meta did not take a file of the message
                self._deliveries.claim(key, delivery, attempt.known)
        except ConflictError:
            raise RetryLaterError(1, "the ledger changed meanwhile") from None

    def _fail(self, attempt: Attempt, claim: Delivery, reason: str) -> None:
        item, index = attempt.item, attempt.index
        self._settle(attempt, replace(claim, state="failed", reason=reason))
        self._report("delivery.failed", item, index, reason=reason)
        self._publish_events.of_failed_delivery(item.key, item.turn, index)

    def _fail_rest(self, item: OutboundItem, from_index: int, reason: str) -> None:
        """Fail the turn's remaining messages, because the number was removed."""
        for index in range(from_index, len(item.messages)):
            known = self._deliveries.load(item.key, item.turn, index)
            entry = known or Delivery(item.turn, index, "waiting")
            if entry.state not in ("accepted", "failed") and not entry.reached_meta:
                self._deliveries.claim(item.key, replace(entry, state="failed", reason=reason), known)
                self._publish_events.of_failed_delivery(item.key, item.turn, index)

    def _dead_letter_turn(self, item: OutboundItem, reason: str) -> None:
        """Dead-letter a turn that cannot be tried, from its first message that is not done.

        The ledger is written first: a message without an outcome that waits nowhere counts as lost
        (`pytake.conversation.export`).
        """
        for index in range(len(item.messages)):
            known = self._deliveries.load(item.key, item.turn, index)
            entry = known or Delivery(item.turn, index, "waiting")
            if entry.state in ("accepted", "failed") or entry.reached_meta:
                continue
            if entry.state not in ("dead", "deferred") or entry.redrive_count < item.redrive_count:
                dead = replace(
                    entry,
                    state="dead",
                    reason=reason,
                    redrive_count=item.redrive_count,
                    # The outcome of the last send is unknown, so another send may be a duplicate.
                    possibly_duplicate=entry.possibly_duplicate or entry.state in ("claimed", "ambiguous"),
                )
                try:
                    self._deliveries.claim(item.key, dead, known)
                except ConflictError:
                    raise RetryLaterError(1, "the ledger changed meanwhile") from None
            self._dead_letter(item, index, reason)
            return

    def _dead_letter(self, item: OutboundItem, index: int, reason: str) -> None:
        self._queues.dead_letter(item, reason)
        self._report("delivery.dead", item, index, reason=reason)

    def _is_for_erased_person(self, item: OutboundItem) -> bool:
        return is_for_erased_person(load_current(self._conversations, item.key), item)

    def _report(self, type_: str, item: OutboundItem, index: int, **detail: str) -> None:
        self._operator_events.publish(delivery_event(type_, item, index, **detail))
