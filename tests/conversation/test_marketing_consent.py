"""No marketing template leaves without consent, whatever happened between its turn and its send."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytake.contacts.consent import ConsentChange, ConsentState, consent_after
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Conversation
from pytake.conversation.retry_later import RetryLaterError
from pytake.engine import Contact
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.outbound import Template
from pytake.whatsapp.sending import SendFailedError
from tests.conversation.product import NUMBER, PHONE, Product, echo_product

FAILURES = [ErrorClass.RETRY, ErrorClass.AMBIGUOUS, ErrorClass.HOLD_RECIPIENT]

ACTIONS = st.one_of(
    # A change that happened up to two minutes ago, and arrives now.
    st.tuples(st.just("consent"), st.sampled_from(["granted", "withdrawn", "unknown"]), st.integers(0, 120)),
    st.tuples(st.just("queue"), st.just(""), st.just(0)),
    st.tuples(st.just("deliver"), st.sampled_from(["sent", *FAILURES]), st.integers(0, 90)),
)


def queue(product: Product, turn: int) -> OutboundItem:
    template: list[Any] = [Template("sale", "en", category="marketing")]
    now = product.clock.now
    return OutboundItem("acme", NUMBER, PHONE, turn, template, window_closes_at=now, queued_at=now)


def change(product: Product, state: ConsentState, at: float) -> None:
    known = product.contacts.load("acme", PHONE)
    consent = consent_after(known.consent, [ConsentChange("marketing", state, "test", at)])
    product.contacts.save("acme", replace(known, consent=consent, created_at=known.created_at or at))


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=14))
def test_a_marketing_template_is_sent_only_while_consent_is_granted(actions: list[tuple[str, Any, int]]) -> None:
    product = echo_product()
    key = product.key()
    product.conversations.stored[key] = Conversation(key=key, contact=Contact(id=PHONE), seq=1)
    waiting: list[tuple[OutboundItem, int]] = []
    latest: tuple[float, int] = (0, 0)  # the model: time of the newest change, and 1 for granted, 2 for withdrawn
    turns = 1
    for kind, what, seconds in actions:
        product.clock.forward(1)
        if kind == "consent":
            at = product.clock.now - seconds
            change(product, what, at)
            latest = max(latest, (at, {"unknown": 0, "granted": 1, "withdrawn": 2}[what]))
        elif kind == "queue":
            turns += 1
            waiting.append((queue(product, turns), 0))
        elif waiting:
            product.clock.forward(seconds)
            item, receives = waiting.pop(0)
            product.graph.script = [] if what == "sent" else [SendFailedError(what, http_status=500)]
            before = len(product.graph.sent)
            try:
                product.deliver(item, first_delivery=receives == 0)
            except RetryLaterError:
                waiting.append((item, receives + 1))
            if len(product.graph.sent) > before:
                assert latest[1] == 1, "sent without consent"


def test_a_template_is_not_sent_to_a_person_who_has_opted_out_a_moment_ago() -> None:
    product = echo_product()
    key = product.key()
    product.conversations.stored[key] = Conversation(key=key, contact=Contact(id=PHONE), seq=1)
    known = product.contacts.load("acme", PHONE)
    changes = [ConsentChange("marketing", "granted", "test", 1), ConsentChange("service", "withdrawn", "stop", 2)]
    product.contacts.save("acme", replace(known, consent=consent_after({}, changes), created_at=1))
    for turn, category in enumerate(("marketing", "utility"), 2):
        template: list[Any] = [Template("sale", "en", category=category)]
        product.deliver(replace(queue(product, turn), messages=template), first_delivery=True)
    assert product.graph.sent == []
    assert {entry.reason for entry in product.deliveries.of_conversation(key)} == {"opted_out"}
