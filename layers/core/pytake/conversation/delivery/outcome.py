"""What follows from a send that Meta did not accept: a pure function of the error's class and the attempt."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.delivery.attempt import BACKOFF_SECONDS, Attempt
from pytake.conversation.records import Delivery
from pytake.whatsapp.errors import PERSON_LIMIT, STOPPED_TEMPLATES, ErrorClass
from pytake.whatsapp.outbound import Template
from pytake.whatsapp.sending import SendFailedError

MAX_HOLD_EXPONENT = 6
"""A held recipient is tried again after 4^n seconds; n grows to this (68 minutes)."""

STATUS_CHECK_SECONDS = 2
"""When an ambiguous send is first checked for a status."""


class Retry(Struct, frozen=True):
    """Send again in `seconds`."""

    entry: Delivery
    seconds: float
    reason: str


class StopNumber(Struct, frozen=True):
    """The number cannot send. The message waits with the number's others."""

    entry: Delivery
    reason: str


class AwaitStatus(Struct, frozen=True):
    """The message may have been sent: wait for a status."""

    entry: Delivery
    reason: str


class DeadLetter(Struct, frozen=True):
    """The retries are used up: dead-letter the turn."""

    entry: Delivery
    reason: str


class Defer(Struct, frozen=True):
    """Meta does not take the message now: dead-letter the turn for a manual redrive, and continue with the next message."""

    entry: Delivery
    reason: str


class OptOut(Struct, frozen=True):
    """The person wants no marketing: record that, and continue with the next message."""

    entry: Delivery
    reason: str


class Fail(Struct, frozen=True):
    """The message cannot be sent: continue with the next one."""

    entry: Delivery
    reason: str


Outcome = Retry | StopNumber | AwaitStatus | DeadLetter | Defer | OptOut | Fail


def failure_reason(failure: SendFailedError) -> str:
    """The reason in the ledger: the error's class and Meta's code, else the HTTP status."""
    origin = failure.code if failure.code is not None else failure.http_status or "network"
    return f"{failure.error_class.value}:{origin}"


def outcome_of_failure(
    attempt: Attempt,
    claim: Delivery,
    failure: SendFailedError,
    *,
    token_replaced: Callable[[], bool],
    fallback_sent: Callable[[], bool],
) -> Outcome:
    """What to do after `failure`. `claim` is the ledger's entry of the send.

    `token_replaced` and `fallback_sent` cost a request each and are called only when they are needed.
    """
    stopped = STOPPED_TEMPLATES.get(failure.code or 0)
    reason = stopped or failure_reason(failure)
    failed = replace(claim, error_code=failure.code, reason=reason)
    error_class = failure.error_class
    if error_class.stops_number:
        if error_class is ErrorClass.FATAL_TOKEN and token_replaced():
            return Retry(failed, 0, "the access token was replaced")
        return StopNumber(failed, reason)
    match error_class:
        case ErrorClass.AMBIGUOUS:
            return AwaitStatus(replace(failed, state="ambiguous"), reason)
        case ErrorClass.RETRY | ErrorClass.TRANSIENT | ErrorClass.MEDIA:
            attempts = claim.attempts + 1
            if attempts > (1 if error_class is ErrorClass.MEDIA else len(BACKOFF_SECONDS)):
                return DeadLetter(replace(failed, state="dead", attempts=attempts), reason)
            wait = max(BACKOFF_SECONDS[attempts - 1], failure.retry_after or 0)
            return Retry(replace(failed, attempts=attempts), wait, "retry")
        case ErrorClass.HOLD_RECIPIENT:
            holds = claim.recipient_holds + 1
            wait = max(4 ** min(holds, MAX_HOLD_EXPONENT), failure.retry_after or 0)
            return Retry(replace(failed, recipient_holds=holds), wait, "Meta holds this recipient")
        case ErrorClass.WINDOW_CLOSED if not claim.fallback and attempt.number.fallback_template is not None:
            if not isinstance(attempt.message, Template) and not fallback_sent():
                return Retry(replace(failed, fallback=True), 0, "the number's template instead")
        case ErrorClass.RETRY_MANUALLY if not (failure.code == PERSON_LIMIT and attempt.item.campaign is not None):
            return Defer(replace(failed, state="deferred"), reason)
        case ErrorClass.OPTED_OUT:
            return OptOut(failed, reason)
        case ErrorClass.TEMPLATE if stopped is not None:
            return Defer(replace(failed, state="deferred"), reason)
        case _:
            pass
    return Fail(failed, reason)
