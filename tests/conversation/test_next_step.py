"""The decisions of delivery as tables: the next step of a message, and the outcome of a send that Meta did not accept."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent, Purpose
from pytake.conversation.delivery import next_step as steps
from pytake.conversation.delivery import outcome as outcomes
from pytake.conversation.delivery.attempt import Attempt
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Conversation, ConversationKey, Delivery, FallbackTemplate, Number
from pytake.conversation.templates.stored import StoredTemplate
from pytake.engine import Contact
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.outbound import OutboundMessage, Template, Text
from pytake.whatsapp.sending import SendFailedError
from pytake.whatsapp.templates import MessageTemplate

NOW = 1_770_000_000.0
AMBIGUOUS_SECONDS, CLAIM_SECONDS = 45.0, 240.0
KEY = ConversationKey("acme", "100", "551")
WITH_TEMPLATE = Number("acme", "100", "+55 11 4000-0001", fallback_template=FallbackTemplate("hello", "en"))
WITHOUT_TEMPLATE = Number("acme", "100", "+55 11 4000-0001")
OPEN, CLOSED = {"window_closes_at": NOW + 1}, {"window_closes_at": NOW}


def entry(state: Any = "waiting", **change: Any) -> Delivery:
    return Delivery(1, 0, state, **change)


def attempt(
    known: Delivery | None = None,
    *,
    number: Number = WITHOUT_TEMPLATE,
    first_delivery: bool = False,
    message: OutboundMessage = Text("Hi"),  # noqa: B008
    **item: Any,
) -> Attempt:
    fields: dict[str, Any] = {"queued_at": NOW, **OPEN, **item}
    turn = OutboundItem("acme", "100", "551", 1, [message], **fields)
    return Attempt(turn, 0, number, known, NOW, first_delivery)


def conversation(**change: Any) -> Conversation:
    return Conversation(key=KEY, contact=Contact("551"), seq=1, **change)


class FixedLookups:
    def __init__(
        self,
        conversation: Conversation | None = None,
        fallback_sent: bool = False,
        template: str | None = None,
        *,
        category: str | None = None,
        consent: dict[Purpose, Consent] | None = None,
    ) -> None:
        self.consents_read = 0
        self._consent = consent or {}
        self._category = category
        self.conversation = lambda: conversation
        self.fallback_sent = lambda: fallback_sent
        self._status = template

    def template(self, name: str, language: str) -> StoredTemplate | None:
        if self._status is None and self._category is None:
            return None
        template = MessageTemplate(name, language, status=self._status or "APPROVED", category=self._category)
        return StoredTemplate("5", template)

    def consent(self) -> dict[Purpose, Consent]:
        self.consents_read += 1
        return self._consent


def step_of(
    attempt: Attempt, known: Conversation | None = None, *, fallback_sent: bool = False, template: str | None = None
) -> tuple[str, dict[str, Any]]:
    """The step's name and what it changes of the entry, or its other fields. `template`: its status in the copy."""
    lookups = FixedLookups(known, fallback_sent, template)
    step = steps.next_step(attempt, lookups, AMBIGUOUS_SECONDS, CLAIM_SECONDS)
    return type(step).__name__, _shown(step, attempt.entry)


def _shown(step: Any, before: Delivery) -> dict[str, Any]:
    shown = {name: getattr(step, name) for name in step.__struct_fields__ if name != "entry"}
    after = getattr(step, "entry", None)
    if after is not None:
        shown |= {
            name: getattr(after, name)
            for name in after.__struct_fields__
            if getattr(after, name) != getattr(before, name)
        }
    return shown


@pytest.mark.parametrize(
    ("attempt", "step", "shown"),
    [
        (attempt(first_delivery=True), "Send", {}),
        (attempt(entry("accepted")), "Skip", {}),
        (attempt(entry("failed")), "Skip", {}),
        (attempt(entry("claimed", status="delivered")), "MarkAccepted", {"state": "accepted"}),
        (attempt(entry("waiting", status="failed")), "MarkAccepted", {"state": "accepted"}),
        # In the dead-letter queue: the item was delivered again before its move was confirmed.
        (attempt(entry("dead", reason="retry:4")), "DeadLetter", {"reason": "retry:4"}),
        (attempt(entry("dead")), "DeadLetter", {"reason": "unknown"}),
        (attempt(entry("deferred", reason="retry_manually:131049")), "Defer", {"reason": "retry_manually:131049"}),
        # A redrive starts over.
        (
            attempt(entry("dead", attempts=4, recipient_holds=2, not_before=NOW + 9), redrive_count=1),
            *(
                "Send",
                {"state": "waiting", "attempts": 0, "recipient_holds": 0, "not_before": None, "redrive_count": 1},
            ),
        ),
        (attempt(entry("dead", redrive_count=1), redrive_count=1), "DeadLetter", {"reason": "unknown"}),
        # Waiting: for a rate slot, or for the next attempt.
        (attempt(entry(not_before=NOW + 5)), "Wait", {"seconds": 5, "reason": "rate limit"}),
        (attempt(entry(not_before=NOW + 5, attempts=1)), "Wait", {"seconds": 5, "reason": "retry"}),
        (attempt(entry(not_before=NOW + 5, recipient_holds=1)), "Wait", {"seconds": 5, "reason": "retry"}),
        (attempt(entry(not_before=NOW)), "Send", {}),
        # The service window.
        (attempt(entry(), **CLOSED), "Refuse", {"state": "failed", "reason": "window_closed"}),
        (attempt(entry(), **CLOSED, number=WITH_TEMPLATE), "Send", {"fallback": True}),
        (attempt(entry(fallback=True), number=WITH_TEMPLATE), "Send", {}),
        (attempt(entry(), **CLOSED, message=Template("hello", "en")), "Send", {}),
    ],
)
def test_the_next_step_follows_from_the_ledger(attempt: Attempt, step: str, shown: dict[str, Any]) -> None:
    assert step_of(attempt) == (step, shown)


NOT_UTILITY: dict[Purpose, Consent] = {"utility": Consent("withdrawn", "stop", NOW)}
NOT_MARKETING: dict[Purpose, Consent] = {"marketing": Consent("withdrawn", "stop", NOW)}
MARKETING: dict[Purpose, Consent] = {"marketing": Consent("granted", "form", NOW)}


@pytest.mark.parametrize(
    ("category", "sent_with", "refused_with"),
    [
        ("marketing", [MARKETING, MARKETING | NOT_UTILITY], [{}, NOT_MARKETING]),
        ("utility", [{}, MARKETING, NOT_MARKETING], [NOT_UTILITY, MARKETING | NOT_UTILITY]),
        ("authentication", [{}, NOT_MARKETING | NOT_UTILITY], []),
        (None, [{}, MARKETING], [NOT_MARKETING, NOT_UTILITY]),
    ],
)
def test_a_template_needs_consent_to_its_purpose(
    category: Any, sent_with: list[dict[Purpose, Consent]], refused_with: list[dict[Purpose, Consent]]
) -> None:
    refused = steps.Refuse(entry("failed", reason="no_consent"), "no_consent")
    told_by_flow = attempt(entry(), message=Template("sale", "en", category=category)), None
    told_by_meta = attempt(entry(), message=Template("sale", "en", category="authentication")), category
    in_place_of_a_text = attempt(entry(), **CLOSED, number=WITH_TEMPLATE), category
    for consent in (*sent_with, *refused_with):
        for tried, known in (told_by_flow, told_by_meta if category else told_by_flow, in_place_of_a_text):
            lookups = FixedLookups(category=known.upper() if known else None, consent=consent)
            step = steps.next_step(tried, lookups, AMBIGUOUS_SECONDS, CLAIM_SECONDS)
            assert isinstance(step, steps.Send) if consent in sent_with else step == refused
            assert lookups.consents_read == (category != "authentication")


def test_a_plain_message_costs_no_look_up_of_consent() -> None:
    lookups = FixedLookups()
    assert isinstance(steps.next_step(attempt(entry()), lookups, AMBIGUOUS_SECONDS, CLAIM_SECONDS), steps.Send)
    assert lookups.consents_read == 0


@pytest.mark.parametrize(
    ("state", "elapsed", "change", "step", "shown"),
    [
        ("claimed", 0, {}, "Wait", {"seconds": 2}),
        ("ambiguous", 20, {}, "Wait", {"seconds": 20}),
        ("ambiguous", 40, {}, "Wait", {"seconds": 5}),
        ("ambiguous", 45, {}, "Send", {"state": "waiting", "attempts": 1, "possibly_duplicate": True}),
        ("claimed", 100, {}, "Wait", {"seconds": 30}),
        ("claimed", 235, {}, "Wait", {"seconds": 5}),
        ("claimed", 240, {}, "Send", {"state": "waiting", "attempts": 1, "possibly_duplicate": True}),
        (
            *("ambiguous", 45, {"attempts": 3, "reason": "ambiguous:500"}),
            *("DeadLetter", {"state": "dead", "attempts": 4, "reason": "ambiguous:500"}),
        ),
        (
            *("claimed", 240, {"attempts": 3, "reason": "retry:4"}),
            *("DeadLetter", {"state": "dead", "attempts": 4, "reason": "ambiguous:no_status"}),
        ),
    ],
)
def test_an_unknown_outcome_waits_for_a_status_and_then_sends_again(
    state: str, elapsed: float, change: dict[str, Any], step: str, shown: dict[str, Any]
) -> None:
    name, found = step_of(attempt(entry(state, claimed_at=NOW - elapsed, **change)))
    assert name == step
    if step == "Wait":
        assert found.pop("reason") == "a status may still settle this send"
    assert shown == {key: value for key, value in found.items() if key in shown}
    assert found.keys() <= shown.keys() | {"reason"}


@pytest.mark.parametrize(
    ("item", "known", "step", "shown"),
    [
        ({}, conversation(opted_out=True), "Send", {}),  # a fresh turn costs no look-up
        ({"queued_at": NOW - 16}, conversation(), "Send", {}),
        ({"queued_at": NOW - 16}, None, "Drop", {}),
        ({"queued_at": NOW - 16}, conversation(erased_at=NOW - 1), "Drop", {}),
        ({"queued_at": NOW - 16}, conversation(opted_out=True), "Refuse", {"state": "failed", "reason": "opted_out"}),
        ({"queued_at": NOW - 16, "confirms_opt_out": True}, conversation(opted_out=True), "Send", {}),
        ({"requeue_id": "send2.0"}, conversation(opted_out=True), "Refuse", {"state": "failed", "reason": "opted_out"}),
        # The person has written again while the turn waited.
        (CLOSED, conversation(last_inbound_at=NOW - 60), "Send", {}),
        (CLOSED, conversation(last_inbound_at=NOW - 90_000), "Refuse", {"state": "failed", "reason": "window_closed"}),
    ],
)
def test_an_old_turn_asks_the_conversation(
    item: dict[str, Any], known: Conversation | None, step: str, shown: dict[str, Any]
) -> None:
    assert step_of(attempt(entry(), **item), known) == (step, shown)


def test_an_item_that_was_delivered_before_and_never_claimed_asks_the_conversation() -> None:
    assert step_of(attempt(None), None) == ("Drop", {})
    assert step_of(attempt(None), conversation()) == ("Send", {})


def test_the_template_is_sent_once() -> None:
    late = attempt(entry(), **CLOSED, number=WITH_TEMPLATE)
    assert step_of(late, fallback_sent=True) == (
        "Refuse",
        {"state": "failed", "reason": "window_closed:template_sent"},
    )
    again = attempt(entry(fallback=True), **CLOSED, number=WITH_TEMPLATE)
    assert step_of(again, fallback_sent=True) == ("Send", {})


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED", "REJECTED"])
def test_a_stopped_template_is_not_posted_and_can_be_redriven(status: str) -> None:
    reason = f"template_{status.lower()}"
    deferred = ("Defer", {"state": "deferred", "reason": reason})
    assert step_of(attempt(message=Template("hello", "en"), first_delivery=True), template=status) == deferred
    assert step_of(attempt(entry(), **CLOSED, number=WITH_TEMPLATE), template=status) == deferred
    assert step_of(attempt(message=Text("Hi")), conversation(), template=status)[0] == "Send"
    waiting = entry("deferred", reason=reason)
    assert step_of(attempt(waiting, message=Template("hello", "en")), template="APPROVED") == (
        "Defer",
        {"reason": reason},
    )
    redriven = attempt(waiting, message=Template("hello", "en"), redrive_count=1)
    assert step_of(redriven, conversation(), template="APPROVED")[0] == "Send"
    again = step_of(redriven, conversation(), template=status)
    assert again == ("Defer", {"reason": reason, "redrive_count": 1})


@pytest.mark.parametrize("status", [None, "APPROVED", "PENDING", "FLAGGED", "DELETED", "OF_TOMORROW"])
def test_whether_another_template_can_be_sent_is_for_meta_to_say(status: str | None) -> None:
    assert step_of(attempt(message=Template("hello", "en"), first_delivery=True), template=status)[0] == "Send"


def outcome_of(
    error_class: ErrorClass,
    claim: Delivery,
    attempt: Attempt,
    *,
    token_replaced: bool = False,
    fallback_sent: bool = False,
    retry_after: float | None = None,
) -> tuple[str, dict[str, Any]]:
    failure = SendFailedError(error_class, code=7, retry_after=retry_after)
    outcome = outcomes.outcome_of_failure(
        attempt, claim, failure, token_replaced=lambda: token_replaced, fallback_sent=lambda: fallback_sent
    )
    expected = replace(claim, error_code=7, reason=f"{error_class.value}:7")
    return type(outcome).__name__, _shown(outcome, expected)


@pytest.mark.parametrize(
    ("error_class", "change", "outcome", "shown"),
    [
        (ErrorClass.RETRY, {}, "Retry", {"attempts": 1, "seconds": 2}),
        (ErrorClass.RETRY, {"attempts": 2}, "Retry", {"attempts": 3, "seconds": 8}),
        (ErrorClass.RETRY, {"attempts": 3}, "DeadLetter", {"state": "dead", "attempts": 4}),
        (ErrorClass.TRANSIENT, {"attempts": 1}, "Retry", {"attempts": 2, "seconds": 4}),
        (ErrorClass.TRANSIENT, {"attempts": 3}, "DeadLetter", {"state": "dead", "attempts": 4}),
        (ErrorClass.MEDIA, {}, "Retry", {"attempts": 1, "seconds": 2}),
        (ErrorClass.MEDIA, {"attempts": 1}, "DeadLetter", {"state": "dead", "attempts": 2}),
        (ErrorClass.HOLD_RECIPIENT, {}, "Retry", {"recipient_holds": 1, "seconds": 4}),
        (ErrorClass.HOLD_RECIPIENT, {"recipient_holds": 9}, "Retry", {"recipient_holds": 10, "seconds": 4096}),
        (ErrorClass.AMBIGUOUS, {}, "AwaitStatus", {"state": "ambiguous"}),
        (ErrorClass.RETRY_MANUALLY, {}, "Defer", {"state": "deferred"}),
        (ErrorClass.OPTED_OUT, {}, "OptOut", {}),
        (ErrorClass.PERMANENT, {}, "Fail", {}),
        (ErrorClass.INVALID_RECIPIENT, {}, "Fail", {}),
        (ErrorClass.TEMPLATE, {}, "Fail", {}),
        (ErrorClass.WINDOW_CLOSED, {}, "Fail", {}),
        (ErrorClass.FATAL_TOKEN, {}, "StopNumber", {}),
        (ErrorClass.FATAL_ACCOUNT, {}, "StopNumber", {}),
    ],
)
def test_the_outcome_of_a_failure_follows_from_its_class(
    error_class: ErrorClass, change: dict[str, Any], outcome: str, shown: dict[str, Any]
) -> None:
    name, found = outcome_of(error_class, entry("claimed", **change), attempt())
    reason = found.pop("reason")
    assert (name, found) == (outcome, shown)
    assert name == "Retry" or reason == f"{error_class.value}:7"


def test_meta_may_ask_for_a_longer_wait() -> None:
    for error_class in (ErrorClass.RETRY, ErrorClass.HOLD_RECIPIENT):
        _, shown = outcome_of(error_class, entry("claimed"), attempt(), retry_after=60)
        assert shown["seconds"] == 60


def test_a_replaced_token_is_tried_at_once() -> None:
    name, shown = outcome_of(ErrorClass.FATAL_TOKEN, entry("claimed"), attempt(), token_replaced=True)
    assert (name, shown["seconds"]) == ("Retry", 0)
    assert outcome_of(ErrorClass.FATAL_ACCOUNT, entry("claimed"), attempt(), token_replaced=True)[0] == "StopNumber"


def test_a_closed_window_sends_the_template_once() -> None:
    late = attempt(number=WITH_TEMPLATE)
    name, shown = outcome_of(ErrorClass.WINDOW_CLOSED, entry("claimed"), late)
    assert (name, shown["seconds"], shown["fallback"]) == ("Retry", 0, True)
    assert outcome_of(ErrorClass.WINDOW_CLOSED, entry("claimed"), late, fallback_sent=True)[0] == "Fail"
    assert outcome_of(ErrorClass.WINDOW_CLOSED, entry("claimed", fallback=True), late)[0] == "Fail"
    template = attempt(number=WITH_TEMPLATE, message=Template("hello", "en"))
    assert outcome_of(ErrorClass.WINDOW_CLOSED, entry("claimed"), template)[0] == "Fail"
