"""Send what a turn said: claim, post, settle. The claim ledger makes sure that a redelivered turn is not sent twice.

A message goes `claim (conditional) -> POST -> settle`. Whoever finds a claim that was never settled cannot know whether Meta
has the message; it waits for a status that echoes our callback data, and only when the deadline passes sends again.
Waiting for a rate slot, a status or a held recipient is not a failed try: the ledger counts tries, the queue's receive
count does not. A stopped number's turns leave the queue for a place that lasts.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from msgspec.structs import replace

from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.ports.common import Clock, ConflictError, RecordMetric, no_metrics
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries, HeldTurns, MessageSender, RateSlots
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents, Queues
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS, Secrets, TenantRepository
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import OutboundItem, released_item
from pytake.conversation.rate_limits import PAIR_RATE_SECONDS
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, Delivery, Number, NumberSecrets
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.statuses import callback_data
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.graph import message_payload
from pytake.whatsapp.outbound import OutboundMessage, Template
from pytake.whatsapp.sending import SendFailedError

BACKOFF_SECONDS = (2, 4, 8)
"""Three retries after the first try, then the dead-letter queue."""

MAX_HOLD_EXPONENT = 6
"""A held recipient is tried again after 4^n seconds; n grows to this (68 minutes)."""

AMBIGUOUS_SECONDS = 240
"""How long a send that may have happened waits for a status before it is sent again, unless the deployment says otherwise.
Longer than the queue's visibility timeout (200 seconds): a turn whose worker died finds its claim still held."""

AMBIGUOUS_CHECKS = 16
"""About so many times a send that may have happened is looked at until its deadline."""

STOP_PROPAGATION_SECONDS = 2 * TENANT_CACHE_SECONDS
"""A number's turns stay in the queue for this long after it was stopped. Until then a worker may not know of the stop yet: it
would send a conversation's next turn past the held one. The queue hands out none while this one is not done."""

RECHECK_AFTER_SECONDS = 15
"""A turn that waited longer asks the conversation first whether the person opted out or was erased meanwhile."""

MAX_QUEUE_SECONDS = 13 * 86_400
"""A queue forgets after 14 days; a turn that waited this long goes to the dead letters, where people are told of it."""

FALLBACK_LOOKBACK_TURNS = 50
"""How many turns back the fallback template is looked for before it is sent."""

NUMBER_MESSAGES_PER_MINUTE = 80 * 60
"""Meta's limit of a number: 80 messages a second."""


class _DeadError(Exception):
    """The message failed for good after its retries; the turn goes to the dead-letter queue."""


class _ErasedError(Exception):
    """The person was erased: nothing of the turn is sent or kept."""


class _OptedOutError(Exception):
    """Meta said that the person wants no messages: the rest of the turn stays unsent."""


class Deliver:
    """The sender's use case: deliver one turn's messages, in order."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        slots: RateSlots,
        held_turns: HeldTurns,
        tenants: TenantRepository,
        secrets: Secrets,
        sender: MessageSender,
        queues: Queues,
        operator_events: OperatorEvents,
        publish_events: PublishBusinessEvents,
        clock: Clock,
        messages_per_minute: int,
        ambiguous_seconds: float = AMBIGUOUS_SECONDS,
        record_metric: RecordMetric = no_metrics,
    ) -> None:
        self._ambiguous_seconds = ambiguous_seconds
        self._conversations = conversations
        self._deliveries = deliveries
        self._slots = slots
        self._held_turns = held_turns
        self._tenants = tenants
        self._secrets = secrets
        self._sender = sender
        self._queues = queues
        self._operator_events = operator_events
        self._publish_events = publish_events
        self._clock = clock
        self._messages_per_minute = messages_per_minute
        self._record_metric = record_metric
        self._record_opt_out = RecordOptOut(conversations, clock)

    def __call__(
        self, item: OutboundItem, *, first_delivery: bool, out_of_time: Callable[[], bool] = lambda: False
    ) -> None:
        """Deliver what is not delivered yet. `first_delivery`: the queue hands this item out for the first time.

        Raises `RetryLaterError` when the next message has to wait, also when `out_of_time()` says that no further one can be
        sent in this invocation, or because the number was stopped just now. A turn whose message failed for good is in the
        dead-letter queue when this returns; one of a number that was stopped before is held.

        Measures `GraphMilliseconds` of every request, `BillableMessages` that Meta took and how long each had waited since
        its turn (`OutboundWaitMilliseconds`), `RateLimitWaits`, and `ThrottledByMeta`.
        """
        # What is queued again may be so because its number was stopped a moment ago.
        number = self._tenants.number(item.phone_number_id, fresh=bool(item.requeue_id))
        if number is None or number.organization_id != item.organization_id:
            if not self._is_of_erased(item):
                self._dead_letter_turn(item, "number_unknown")
            return
        if number.stopped_reason:
            if not self._is_of_erased(item):
                self._await_stop_propagation(number)
                self._hold(item)
            return
        if number.resuming_at and self._has_earlier_held_turn(item):
            if not self._is_of_erased(item):
                self._hold(item)
            return
        self._deliver_turn(item, number, first_delivery=first_delivery, out_of_time=out_of_time)
        if number.resuming_at or item.released:
            self._release_next(item, number)

    def _deliver_turn(
        self, item: OutboundItem, number: Number, *, first_delivery: bool, out_of_time: Callable[[], bool]
    ) -> None:
        """Deliver the messages in order."""
        now = self._clock()
        if item.queued_at and now - item.queued_at > MAX_QUEUE_SECONDS:
            if not self._is_of_erased(item):
                self._dead_letter_turn(item, "too_old")
            return
        for index in range(len(item.messages)):
            if index and out_of_time():
                raise RetryLaterError(0, "no time left in this invocation")
            try:
                self._deliver_one(item, index, number, first_delivery=first_delivery)
            except _DeadError as dead:
                self._dead_letter(item, index, str(dead))
                return
            except _ErasedError:
                return
            except _OptedOutError:
                self._fail_rest(item, index + 1)
                return

    def _deliver_one(self, item: OutboundItem, index: int, number: Number, *, first_delivery: bool) -> None:
        known = None if first_delivery else self._deliveries.load(item.key, item.turn, index)
        # Everything that can fail comes before the claim: behind it, a failure leaves a send whose fate nobody knows.
        secrets = self._secrets.of_number(number.organization_id, number.phone_number_id)
        if secrets is None:
            self._stop(item, index, number, "no access token stored")
        now = self._clock()
        try:
            claim = self._claim(item, index, number, known, now, first_delivery=first_delivery)
        except ConflictError:
            if not first_delivery:
                raise RetryLaterError(1, "the ledger changed meanwhile") from None
            # An old turn, queued once more: the ledger knows what became of it.
            self._deliver_one(item, index, number, first_delivery=False)
            return
        if claim is not None:
            self._post(item, index, number, secrets, claim)

    def _claim(
        self,
        item: OutboundItem,
        index: int,
        number: Number,
        known: Delivery | None,
        now: float,
        *,
        first_delivery: bool,
    ) -> Delivery | None:
        """The claim to post under, or None when this message needs nothing more.

        Raises `RetryLaterError`, `_DeadError`, `_ErasedError`.
        """
        entry = known or Delivery(item.turn, index, "waiting")
        if entry.state in ("accepted", "failed"):
            return None
        if entry.reached_meta:
            self._deliveries.claim(item.key, replace(entry, state="accepted"), known)
            return None
        if entry.state in ("deferred", "dead"):
            if (
                item.redrive_count <= entry.redrive_count
            ):  # handed out again before its way to the dead letters was confirmed
                if entry.state == "dead":
                    raise _DeadError(entry.reason or "unknown")
                self._queues.dead_letter(item, entry.reason or "unknown")
                return None
            entry = replace(
                entry, state="waiting", attempts=0, recipient_holds=0, not_before=None, redrive_count=item.redrive_count
            )
        if entry.state in ("claimed", "ambiguous"):
            entry = self._after_deadline(item, entry, known, now)
        if entry.not_before is not None and entry.not_before > now:
            raise RetryLaterError(
                entry.not_before - now, "retry" if entry.attempts or entry.recipient_holds else "rate limit"
            )
        refusal = self._refusal(item, index, number, entry, now, unclaimed=known is None and not first_delivery)
        if refusal is not None:
            self._deliveries.claim(item.key, replace(entry, state="failed", reason=refusal), known)
            self._tell("delivery.failed", item, index, reason=refusal)
            self._publish_events.of_failed_delivery(item.key, item.turn, index)
            return None
        if self._needs_fallback(item, index, entry, now):
            entry = replace(entry, fallback=True)
        self._take_slot(item, index, entry, known, now)
        if entry.possibly_duplicate:
            self._tell("delivery.resent_after_deadline", item, index)
        claim = replace(entry, state="claimed", claimed_at=now, sends=entry.sends + 1, possibly_duplicate=False)
        return self._deliveries.claim(item.key, claim, known)

    def _after_deadline(self, item: OutboundItem, entry: Delivery, known: Delivery | None, now: float) -> Delivery:
        """The entry of a send whose fate stayed unknown, ready for another try. Raises while a status may still come."""
        elapsed = now - (entry.claimed_at or 0)
        if elapsed < self._ambiguous_seconds:
            # A queue counts each look, also for the turns behind: a deployment that waits for an hour looks less often.
            rarest = max(30, self._ambiguous_seconds / AMBIGUOUS_CHECKS)
            recheck = min(max(elapsed, 2), rarest, self._ambiguous_seconds - elapsed)
            raise RetryLaterError(recheck, "a status may still settle this send")
        attempts = entry.attempts + 1
        if attempts > len(BACKOFF_SECONDS):
            # Of a worker that died nobody knows a reason; what an earlier try failed at is none.
            reason = entry.reason if entry.state == "ambiguous" and entry.reason else "ambiguous:no_status"
            self._deliveries.claim(item.key, replace(entry, state="dead", attempts=attempts, reason=reason), known)
            raise _DeadError(reason)
        return replace(entry, state="waiting", attempts=attempts, possibly_duplicate=True)

    def _refusal(
        self, item: OutboundItem, index: int, number: Number, entry: Delivery, now: float, *, unclaimed: bool
    ) -> str | None:
        """Why a message must not be sent (any more), as things are now.

        `unclaimed`: it was handed out before and nothing is in the ledger. Nobody came to claim it, or its person was erased.
        """
        if item.requeue_id or unclaimed or now - item.queued_at > RECHECK_AFTER_SECONDS:
            conversation = self._conversations.load(item.key)
            if conversation is None or _is_of_erased(conversation, item):
                raise _ErasedError
            if conversation.opted_out and not item.confirms_opt_out:
                return "opted_out"
        if not self._needs_fallback(item, index, entry, now):
            return None
        if number.fallback_template is None:
            return "window_closed"
        if not entry.fallback and self._has_fallen_back(item, index):
            return "window_closed:template_sent"
        return None

    def _is_of_erased(self, item: OutboundItem) -> bool:
        conversation = self._conversations.load(item.key)
        return conversation is None or _is_of_erased(conversation, item)

    def _needs_fallback(self, item: OutboundItem, index: int, entry: Delivery, now: float) -> bool:
        if isinstance(item.messages[index], Template):
            return False
        return entry.fallback or (now >= item.window_closes_at and self._window_is_closed(item, now))

    def _window_is_closed(self, item: OutboundItem, now: float) -> bool:
        """Whether the person has not written again since: what waited for days may leave if they have."""
        conversation = self._conversations.load(item.key)
        return conversation is None or now >= conversation.last_inbound_at + SERVICE_WINDOW_SECONDS

    def _has_fallen_back(self, item: OutboundItem, index: int) -> bool:
        """Has the template been sent since the person last wrote? Once is an invitation, twice is spam (and billed)."""
        last_wrote_at = item.window_closes_at - SERVICE_WINDOW_SECONDS
        return any(
            entry.fallback
            and (entry.claimed_at or 0) >= last_wrote_at
            and (entry.turn, entry.index) != (item.turn, index)
            for entry in self._deliveries.of_conversation(item.key, max(0, item.turn - FALLBACK_LOOKBACK_TURNS))
        )

    def _take_slot(self, item: OutboundItem, index: int, entry: Delivery, known: Delivery | None, now: float) -> None:
        """Return when the message may leave now; else note when it may, and raise `RetryLaterError`."""
        organization = self._tenants.organization(item.organization_id)
        per_minute = organization.messages_per_minute or self._messages_per_minute
        if entry.not_before is None:
            pair_rate_at = item.pair_rate_from + index * PAIR_RATE_SECONDS if item.pair_rate_from else 0
            if pair_rate_at > now:  # nothing is reserved yet: the slot would be another's by then
                raise RetryLaterError(pair_rate_at - now, "Meta's limit for one recipient")
            not_before = self._slots.reserve(item.organization_id, "organization", per_minute, now)
            if per_minute > NUMBER_MESSAGES_PER_MINUTE:
                scope = f"number:{item.phone_number_id}"
                not_before = max(
                    not_before, self._slots.reserve(item.organization_id, scope, NUMBER_MESSAGES_PER_MINUTE, now)
                )
            if not_before > now:
                self._deliveries.claim(item.key, replace(entry, state="waiting", not_before=not_before), known)
                self._record_metric("RateLimitWaits", 1)
                raise RetryLaterError(not_before - now, "rate limit")
            return
        free_at = self._slots.depart(item.organization_id, "organization", per_minute, now)
        if free_at > now:
            raise RetryLaterError(free_at - now, "rate limit")

    def _post(self, item: OutboundItem, index: int, number: Number, secrets: NumberSecrets, claim: Delivery) -> None:
        try:
            payload = self._payload(item, index, number, claim)
        except ValueError as error:
            self._fail(item, index, claim, f"not_sendable:{error}"[:200])
            return
        asked_at = self._clock()
        try:
            accepted = self._sender.send(number.phone_number_id, secrets.access_token, payload)
        except SendFailedError as failure:
            self._record_metric("GraphMilliseconds", (self._clock() - asked_at) * 1000)
            self._settle_failure(item, index, number, claim, failure, secrets.access_token)
            return
        answered_at = self._clock()
        self._record_metric("GraphMilliseconds", (answered_at - asked_at) * 1000)
        self._record_metric("BillableMessages", 1)
        self._record_metric("OutboundWaitMilliseconds", max(0, answered_at - (item.queued_at or answered_at)) * 1000)
        try:
            self._deliveries.settle(item.key, replace(claim, state="accepted", message_id=accepted.message_id))
        except ConflictError:
            # This worker stood still past the claim's deadline, and somebody else took the message over.
            self._tell("delivery.duplicated", item, index)

    def _payload(self, item: OutboundItem, index: int, number: Number, claim: Delivery) -> dict[str, Any]:
        message: OutboundMessage = item.messages[index]
        if claim.fallback and number.fallback_template is not None:
            message = Template(number.fallback_template.name, number.fallback_template.language)
        return message_payload(message, item.contact_id, callback_data(item.key, item.turn, index, claim.sends))

    def _settle_failure(
        self, item: OutboundItem, index: int, number: Number, claim: Delivery, failure: SendFailedError, token: str
    ) -> None:
        error_class = failure.error_class
        origin = failure.code if failure.code is not None else failure.http_status or "network"
        reason = f"{error_class.value}:{origin}"
        if error_class in (ErrorClass.RETRY, ErrorClass.HOLD_RECIPIENT):
            self._record_metric("ThrottledByMeta", 1)
        failed = replace(claim, error_code=failure.code, reason=reason)
        if error_class.stops_number:
            if error_class is ErrorClass.FATAL_TOKEN and self._has_new_token(number, token):
                self._retry_later(item, failed, 0, "the access token was replaced")
            self._settle(item, replace(failed, state="waiting", not_before=self._clock()))
            self._stop(item, index, number, reason)
        match error_class:
            case ErrorClass.AMBIGUOUS:
                self._settle(item, replace(failed, state="ambiguous"))
                self._tell("delivery.ambiguous", item, index, reason=reason)
                raise RetryLaterError(2, "a status may still settle this send")
            case ErrorClass.RETRY | ErrorClass.MEDIA:
                attempts = claim.attempts + 1
                if attempts > (1 if error_class is ErrorClass.MEDIA else len(BACKOFF_SECONDS)):
                    self._settle(item, replace(failed, state="dead", attempts=attempts))
                    raise _DeadError(reason)
                wait = max(BACKOFF_SECONDS[attempts - 1], failure.retry_after or 0)
                self._retry_later(item, replace(failed, attempts=attempts), wait, "retry")
            case ErrorClass.HOLD_RECIPIENT:
                recipient_holds = claim.recipient_holds + 1
                wait = max(4 ** min(recipient_holds, MAX_HOLD_EXPONENT), failure.retry_after or 0)
                self._retry_later(
                    item, replace(failed, recipient_holds=recipient_holds), wait, "Meta holds this recipient"
                )
            case ErrorClass.WINDOW_CLOSED if not claim.fallback and number.fallback_template is not None:
                if isinstance(item.messages[index], Template) or self._has_fallen_back(item, index):
                    self._fail(item, index, failed, reason)
                    return
                self._retry_later(item, replace(failed, fallback=True), 0, "the number's template instead")
            case ErrorClass.RETRY_MANUALLY:
                self._settle(item, replace(failed, state="deferred"))
                self._queues.dead_letter(item, reason)
                self._tell("delivery.deferred", item, index, reason=reason)
            case ErrorClass.OPTED_OUT:
                self._record_opt_out(item.key, claim.claimed_at or 0, failure.code)
                self._fail(item, index, failed, reason)
                raise _OptedOutError
            case _:
                self._fail(item, index, failed, reason)

    def _has_new_token(self, number: Number, used: str) -> bool:
        """The worker's memory of a secret may be minutes old: was the refused token replaced meanwhile?"""
        fresh = self._secrets.of_number(number.organization_id, number.phone_number_id, fresh=True)
        return fresh is not None and fresh.access_token != used

    def _retry_later(self, item: OutboundItem, delivery: Delivery, seconds: float, reason: str) -> NoReturn:
        self._settle(item, replace(delivery, state="waiting", not_before=self._clock() + seconds))
        raise RetryLaterError(seconds, reason)

    def _settle(self, item: OutboundItem, delivery: Delivery) -> None:
        try:
            self._deliveries.settle(item.key, delivery)
        except ConflictError:
            raise RetryLaterError(1, "the ledger changed meanwhile") from None

    def _fail(self, item: OutboundItem, index: int, claim: Delivery, reason: str) -> None:
        self._settle(item, replace(claim, state="failed", reason=reason))
        self._tell("delivery.failed", item, index, reason=reason)
        self._publish_events.of_failed_delivery(item.key, item.turn, index)

    def _fail_rest(self, item: OutboundItem, from_index: int) -> None:
        for index in range(from_index, len(item.messages)):
            known = self._deliveries.load(item.key, item.turn, index)
            entry = known or Delivery(item.turn, index, "waiting")
            if entry.state not in ("accepted", "failed"):
                self._deliveries.claim(item.key, replace(entry, state="failed", reason="opted_out"), known)
                self._publish_events.of_failed_delivery(item.key, item.turn, index)

    def _stop(self, item: OutboundItem, index: int, number: Number, reason: str) -> NoReturn:
        current = self._tenants.number(number.phone_number_id, fresh=True)
        if current is None or not current.stopped_reason:
            # Told first: whoever dies between the two tells it again, and nobody stops a number without a word.
            self._tell("number.stopped", item, index, reason=reason)
            self._tenants.stop_number(number, reason)
            self._tenants.confirm_stop(number, self._clock())
        raise RetryLaterError(STOP_PROPAGATION_SECONDS, "the number was stopped just now")

    def _await_stop_propagation(self, number: Number) -> None:
        """Return when every worker knows that the number is stopped. Raises `RetryLaterError` until then."""
        now = self._clock()
        if number.stopped_at is None:  # whoever stopped it died before noting it, or this worker's memory is older
            self._tenants.confirm_stop(number, now)
        settles_at = (now if number.stopped_at is None else number.stopped_at) + STOP_PROPAGATION_SECONDS
        if settles_at > now:
            raise RetryLaterError(settles_at - now, "the number was stopped just now")

    def _hold(self, item: OutboundItem) -> None:
        """Keep the turn until its number sends again, or until those before it are done.

        Whoever brings back what is held removes first and looks second; here it is written first and looked second: so one
        of the two sees the other, and no turn stays behind.
        """
        self._held_turns.hold(item, self._clock())
        number = self._tenants.number(item.phone_number_id, fresh=True)
        if number is None or number.stopped_reason:
            return
        earliest = self._held_turns.earliest(item.key)
        if earliest is None or earliest.turn >= item.turn:
            self._held_turns.remove(item.key, item.turn)
            raise RetryLaterError(1, "the number was resumed meanwhile")
        self._queues.put_outbound(released_item(earliest, self._clock()))

    def _has_earlier_held_turn(self, item: OutboundItem) -> bool:
        earliest = self._held_turns.earliest(item.key)
        return earliest is not None and earliest.turn < item.turn

    def _release_next(self, item: OutboundItem, number: Number) -> None:
        """This turn is done: queue the next held one of its conversation."""
        self._held_turns.remove(item.key, item.turn)
        following = self._held_turns.earliest(item.key)
        if following is not None:
            self._queues.put_outbound(released_item(following, self._clock()))
        elif self._held_turns.first_after(item.organization_id, item.phone_number_id, "") is None:
            self._tenants.end_resuming(number)

    def _dead_letter_turn(self, item: OutboundItem, reason: str) -> None:
        """Put a turn that cannot be tried on the dead-letter queue, from its first message that is not done.

        The ledger knows of it first: what has no outcome there and waits nowhere counts as lost (`pytake.conversation.export`).
        """
        for index in range(len(item.messages)):
            known = self._deliveries.load(item.key, item.turn, index)
            entry = known or Delivery(item.turn, index, "waiting")
            if entry.state in ("accepted", "failed") or entry.reached_meta:
                continue
            if entry.state not in ("dead", "deferred") or entry.redrive_count < item.redrive_count:
                # Of a send whose fate nobody knows it stays true that the next one may be a second one.
                possibly_duplicate = entry.possibly_duplicate or entry.state in ("claimed", "ambiguous")
                dead = replace(
                    entry,
                    state="dead",
                    reason=reason,
                    redrive_count=item.redrive_count,
                    possibly_duplicate=possibly_duplicate,
                )
                try:
                    self._deliveries.claim(item.key, dead, known)
                except ConflictError:
                    raise RetryLaterError(1, "the ledger changed meanwhile") from None
            self._dead_letter(item, index, reason)
            return

    def _dead_letter(self, item: OutboundItem, index: int, reason: str) -> None:
        self._queues.dead_letter(item, reason)
        self._tell("delivery.dead", item, index, reason=reason)

    def _tell(self, type_: str, item: OutboundItem, index: int, **detail: str) -> None:
        where = {"phone_number_id": item.phone_number_id, "turn": item.turn, "index": index}
        self._operator_events.publish(OperatorEvent(type_, item.organization_id, {**where, **detail}))


def _is_of_erased(conversation: Conversation, item: OutboundItem) -> bool:
    """Whether this answers somebody who was erased; the conversation is what they began since, as a stranger."""
    last_wrote_at = item.window_closes_at - SERVICE_WINDOW_SECONDS
    return 0 < item.queued_at <= conversation.erased_at or conversation.is_erased(last_wrote_at)
