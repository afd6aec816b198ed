"""What to do next about a message: a pure function of the attempt, the ledger's entry and the conversation."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from pytake.contacts.consent import UNKNOWN, Consent, Purpose, allows_template
from pytake.conversation.delivery.attempt import BACKOFF_SECONDS, Attempt, is_for_erased_person
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, Delivery
from pytake.conversation.templates.stored import StoredTemplate
from pytake.whatsapp.outbound import OutboundMessage, Template

NO_CONSENT = "no_consent"
"""The reason of a template that was not sent because the person does not consent to its purpose."""

OPTED_OUT = "opted_out"
"""The reason of a message that was not sent because the person wants none."""

AMBIGUOUS_CHECKS = 16
"""Approximate number of times that an ambiguous send is checked before its deadline."""

RECHECK_AFTER_SECONDS = 15
"""A turn that waited longer first checks whether the person has opted out or was erased meanwhile."""


class Skip(Struct, frozen=True):
    """The message is done. Go on with the next one."""


class MarkAccepted(Struct, frozen=True):
    """A status proves that Meta has the message: write `entry`, and continue with the next message."""

    entry: Delivery


class Refuse(Struct, frozen=True):
    """The message must not be sent (any more): write the failed `entry`, and continue with the next message."""

    entry: Delivery
    reason: str


class Defer(Struct, frozen=True):
    """The message cannot be sent now: write `entry` unless it is None, put the turn into the dead-letter queue for it, and
    continue with the next message. Without an entry the turn is there already, or its move was not confirmed."""

    reason: str
    entry: Delivery | None = None


class DeadLetter(Struct, frozen=True):
    """The message has failed after its retries: write `entry` unless it is None, and dead-letter the turn."""

    reason: str
    entry: Delivery | None = None


class Drop(Struct, frozen=True):
    """The person was erased: nothing of the turn is sent or kept."""


class Wait(Struct, frozen=True):
    """Try again in `seconds`."""

    seconds: float
    reason: str


class Send(Struct, frozen=True):
    """Take a rate slot, claim `entry` and post the message."""

    entry: Delivery


Step = Skip | MarkAccepted | Refuse | Defer | DeadLetter | Drop | Wait | Send


class Lookups(Protocol):
    """What a decision may have to look up. Each costs a read request and is called only when it is needed."""

    def conversation(self) -> Conversation | None: ...

    def template(self, name: str, language: str) -> StoredTemplate | None:
        """The copy of a template of the number's account, if there is one. Asked for template messages only."""

    def consent(self) -> Mapping[Purpose, Consent]:
        """What the person consents to at this moment."""

    def fallback_sent(self) -> bool:
        """Whether the number's template has been sent since the person last wrote. Twice would be spam, and billed."""


def next_step(attempt: Attempt, lookups: Lookups, ambiguous_seconds: float, claim_seconds: float) -> Step:
    """The next step of a message.

    A send whose outcome Meta did not tell waits `ambiguous_seconds` for a status before it is repeated. A claim of a worker
    that died holds for `claim_seconds`: until then the worker may still be sending.
    """
    entry = attempt.entry
    if entry.state in ("accepted", "failed"):
        return Skip()
    if entry.reached_meta:
        return MarkAccepted(replace(entry, state="accepted"))
    if entry.state in ("deferred", "dead"):
        if attempt.item.redrive_count <= entry.redrive_count:
            # The queue delivered the item again, because its move to the dead-letter queue was not confirmed.
            reason = entry.reason or "unknown"
            return DeadLetter(reason) if entry.state == "dead" else Defer(reason)
        redrive_count = attempt.item.redrive_count
        entry = replace(
            entry, state="waiting", attempts=0, recipient_holds=0, not_before=None, redrive_count=redrive_count
        )
    if entry.state in ("claimed", "ambiguous"):
        deadline = claim_seconds if entry.state == "claimed" else ambiguous_seconds
        step = after_unknown_outcome(entry, attempt.now, deadline)
        if not isinstance(step, Send):
            return step
        entry = step.entry
    if entry.not_before is not None and entry.not_before > attempt.now:
        is_retry = entry.attempts or entry.recipient_holds
        return Wait(entry.not_before - attempt.now, "retry" if is_retry else "rate limit")
    return _send_or_refuse(attempt, entry, lookups)


def after_unknown_outcome(entry: Delivery, now: float, deadline: float) -> Wait | DeadLetter | Send:
    """The next step of a send whose outcome is unknown: wait for a status, then send again, at most three times.

    `deadline` is in seconds after the claim.
    """
    elapsed = now - (entry.claimed_at or 0)
    if elapsed < deadline:
        # The queue counts each check, also for the turns behind this one: a long deadline has longer intervals.
        longest = max(30, deadline / AMBIGUOUS_CHECKS)
        return Wait(min(max(elapsed, 2), longest, deadline - elapsed), "a status may still settle this send")
    attempts = entry.attempts + 1
    if attempts > len(BACKOFF_SECONDS):
        # A worker that died left no reason. The reason of an earlier attempt does not apply.
        reason = entry.reason if entry.state == "ambiguous" and entry.reason else "ambiguous:no_status"
        return DeadLetter(reason, replace(entry, state="dead", attempts=attempts, reason=reason))
    return Send(replace(entry, state="waiting", attempts=attempts, possibly_duplicate=True))


def _send_or_refuse(attempt: Attempt, entry: Delivery, lookups: Lookups) -> Send | Refuse | Defer | Drop:
    def refuse(reason: str) -> Refuse:
        return Refuse(replace(entry, state="failed", reason=reason), reason)

    item, number = attempt.item, attempt.number
    # The item was delivered before, and the ledger has no entry: its worker died early, or the person was erased.
    is_unclaimed = attempt.known is None and not attempt.first_delivery
    if item.requeue_id or is_unclaimed or attempt.now - item.queued_at > RECHECK_AFTER_SECONDS:
        conversation = lookups.conversation()
        if conversation is None or is_for_erased_person(conversation, item):
            return Drop()
        if conversation.opted_out and not item.confirms_opt_out:
            return refuse(OPTED_OUT)
    if not _needs_fallback(attempt, entry, lookups):
        return _template_step(attempt.message, entry, lookups) or Send(entry)
    if number.fallback_template is None:
        return refuse("window_closed")
    if not entry.fallback and lookups.fallback_sent():
        return refuse("window_closed:template_sent")
    template = Template(number.fallback_template.name, number.fallback_template.language)
    return _template_step(template, entry, lookups) or Send(replace(entry, fallback=True))


def _template_step(message: OutboundMessage, entry: Delivery, lookups: Lookups) -> Defer | Refuse | None:
    """The step of a template that must not be posted; None for other messages, and for one that may be.

    A template that Meta has paused, disabled or rejected is deferred, and can be redriven. One to whose purpose the person does
    not consent is refused. The copy knows the category best: Meta may have changed it.
    """
    if not isinstance(message, Template):
        return None
    copy = lookups.template(message.name, message.language)
    if copy is not None and copy.stop_reason is not None:
        return Defer(copy.stop_reason, replace(entry, state="deferred", reason=copy.stop_reason))
    category = _category(message, copy)
    if category == "authentication":
        return None
    consent = lookups.consent()
    if consent.get("service", UNKNOWN).state == "withdrawn":
        return Refuse(replace(entry, state="failed", reason=OPTED_OUT), OPTED_OUT)
    if allows_template(consent, category):
        return None
    return Refuse(replace(entry, state="failed", reason=NO_CONSENT), NO_CONSENT)


def is_marketing(attempt: Attempt, message: OutboundMessage, lookups: Lookups) -> bool:
    """Whether the message goes to Meta's endpoint for marketing messages, which takes marketing templates only: as its campaign
    says, else as its number does."""
    mark = attempt.item.campaign
    chosen = mark.marketing_messages if mark is not None else None
    is_on = attempt.number.marketing_messages if chosen is None else chosen
    if not is_on or not isinstance(message, Template):
        return False
    return _category(message, lookups.template(message.name, message.language)) == "marketing"


def _category(message: Template, copy: StoredTemplate | None) -> str | None:
    told_by_meta = copy.template.category if copy is not None else None
    return told_by_meta.lower() if told_by_meta else message.category


def _needs_fallback(attempt: Attempt, entry: Delivery, lookups: Lookups) -> bool:
    """Whether the number's template must replace the message, because the service window is closed."""
    if isinstance(attempt.message, Template):
        return False
    if entry.fallback:
        return True
    if attempt.now < attempt.item.window_closes_at:
        return False
    # The person may have written again while the turn waited.
    conversation = lookups.conversation()
    return conversation is None or attempt.now >= conversation.last_inbound_at + SERVICE_WINDOW_SECONDS
