"""The sender: once, in order, within the rate limits, and the consequence of each failure."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent
from pytake.contacts.records import new_contact
from pytake.conversation.business_events import DeliveryFailed
from pytake.conversation.callback_data import callback_data, read_callback_data
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.delivery.deliver import AMBIGUOUS_SECONDS, CLAIM_SECONDS, MAX_QUEUE_SECONDS
from pytake.conversation.delivery.departures import SLOT_SECONDS
from pytake.conversation.delivery.stopped_numbers import STOP_PROPAGATION_SECONDS
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import OutboundItem, StatusesItem
from pytake.conversation.records import (
    Conversation,
    ConversationKey,
    Delivery,
    FallbackTemplate,
    Organization,
    TurnRecord,
)
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.shown_state import shown_state
from pytake.conversation.status_filter import without_superseded
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.engine import Contact, Input
from pytake.whatsapp.errors import ErrorClass, classify
from pytake.whatsapp.outbound import OutboundMessage, Template, Text
from pytake.whatsapp.pricing import Pricing
from pytake.whatsapp.sending import AcceptedMessage, SendFailedError
from pytake.whatsapp.templates import MessageTemplate
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product, text_of

NOW = 1_770_000_000.0
OTHER_PHONE = "5511888888888"
PAYLOADS = Path(__file__).parents[1] / "whatsapp" / "payloads"


def item(turn: int = 1, *texts: str, phone: str = PHONE, organization_id: str = "acme", **changes: Any) -> OutboundItem:
    messages: list[OutboundMessage] = [Text(text) for text in texts or ("Hi",)]
    plain = OutboundItem(organization_id, NUMBER, phone, turn, messages, window_closes_at=NOW + 86_400, queued_at=NOW)
    return replace(plain, **changes)


@pytest.fixture(autouse=True)
def _everybody_is_known(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests send without an earlier conversation, which the sender would take for an erased person."""
    load = product.conversations.load

    def known(key: ConversationKey) -> Conversation:
        return load(key) or Conversation(key=key, contact=Contact(id=key.contact_id))

    monkeypatch.setattr(product.conversations, "load", known)


def failure(error_class: ErrorClass, code: int | None = None) -> SendFailedError:
    return SendFailedError(error_class, http_status=400, code=code)


def refusal(code: int, http_status: int = 400) -> SendFailedError:
    """The Graph client's exception for one of Meta's error codes."""
    return SendFailedError(classify(http_status, {"code": code}), http_status=http_status, code=code)


def texts(product: Product) -> list[str]:
    return [payload["text"]["body"] for payload in product.graph.sent]


def ledger(product: Product) -> list[Delivery]:
    return product.deliveries.of_conversation(product.key())


def states(product: Product) -> list[str]:
    return [entry.state for entry in ledger(product)]


def with_fallback(product: Product) -> None:
    product.tenants.by_id[NUMBER].fallback_template = FallbackTemplate("come_back", "pt_BR")


def stop(product: Product) -> None:
    """Stop the number and wait until every worker knows."""
    number = product.tenants.by_id[NUMBER]
    product.tenants.stop_number(number, "fatal_token:190")
    product.tenants.confirm_stop(number, product.clock())
    product.clock.forward(STOP_PROPAGATION_SECONDS)


def test_messages_of_a_turn_leave_in_order_once(product: Product) -> None:
    turn = item(1, "one", "two", "three")
    product.deliver(turn, first_delivery=True)
    product.deliver(turn, first_delivery=False)
    product.deliver(turn, first_delivery=True)
    assert texts(product) == ["one", "two", "three"]


# What each error of Meta leads to: facts section 4, every code.


@pytest.mark.parametrize("code", [4, 80007, 130429, 131057])
def test_a_throttled_send_is_retried_after_two_four_and_eight_seconds(product: Product, code: int) -> None:
    product.graph.script = [refusal(code)] * 3
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert texts(product) == ["Hi"]
    assert product.queues.dead_lettered == []


def test_the_fourth_failure_leads_to_the_dead_letters_with_its_reason(product: Product) -> None:
    product.graph.script = [refusal(130429)] * 4
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert texts(product) == []
    assert [(dead_lettered.turn, reason) for dead_lettered, reason in product.queues.dead_lettered] == [
        (1, "retry:130429")
    ]
    assert product.events.types == ["delivery.dead"]


def campaign(turn: int = 1, *, slot_at: float, **changes: Any) -> OutboundItem:
    return item(turn, campaign=CampaignMark("spring", slot_at=slot_at), **changes)


@pytest.mark.parametrize(
    ("code", "share"), [(130429, 0.5), (131048, 0.5), (131056, 0.5), (131057, 1), (131026, 1), (131049, 1)]
)
def test_a_refusal_because_of_the_rate_slows_campaigns_down(product: Product, code: int, share: float) -> None:
    product.graph.script = [refusal(code)]
    product.deliver_until_done(campaign(slot_at=NOW))
    assert product.slots.slowed("acme", NUMBER).share == share


def test_an_answer_that_meta_refuses_slows_no_campaign_down(product: Product) -> None:
    product.graph.script = [refusal(130429)]
    product.deliver_until_done(item())
    assert product.slots.slowed("acme", NUMBER).share == 1


def test_a_campaigns_message_waits_for_its_slot_and_reserves_no_other(product: Product) -> None:
    assert product.deliver_until_done(campaign(slot_at=NOW + 30)) == [30]
    assert texts(product) == ["Hi"]
    assert product.slots.windows == product.slots.arrival == {}
    [entry] = ledger(product)
    assert entry.revision == 2, "the wait itself was not written"


def test_before_its_slot_nothing_is_looked_up_for_a_campaigns_message(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*_: Any) -> None:
        raise AssertionError("a look-up")

    for port, name in ((product.contacts, "load"), (product.conversations, "load"), (product.deliveries, "load")):
        monkeypatch.setattr(port, name, unasked)
    offer = campaign(slot_at=NOW + 30, messages=[Template("spring", "en", category="marketing")])
    for first_delivery in (True, False):
        with pytest.raises(RetryLaterError, match="rate limit"):
            product.deliver(offer, first_delivery=first_delivery)


def test_a_slot_that_was_missed_has_lapsed(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=120))
    for turn in range(1, 5):
        product.deliver_until_done(campaign(turn, slot_at=NOW - SLOT_SECONDS - 1))
    assert product.slots.arrival[("acme", "organization")] > NOW
    assert product.clock() > NOW, "they leave at the rate of answers"


def test_a_campaign_and_answers_never_exceed_an_exact_limit_together(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=5))
    for turn in range(1, 6):
        product.deliver(item(turn), first_delivery=True)
    assert product.deliver_until_done(campaign(6, slot_at=NOW)) == [60]


@pytest.mark.parametrize(("of_number", "scopes"), [(None, 2), (20, 2), (80, 2), (81, 1), (1000, 1)])
def test_a_number_has_its_own_limit_if_its_organization_may_send_more(
    product: Product, of_number: int | None, scopes: int
) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=81 * 60))
    product.tenants.by_id[NUMBER].messages_per_second = of_number
    product.deliver(item(), first_delivery=True)
    assert len(product.slots.arrival) == scopes


TRANSIENT = (1, 2, 131000, 131016, 133004)


@pytest.mark.parametrize("failed", [*(refusal(code, 500) for code in TRANSIENT), refusal(131057, 503)], ids=str)
def test_what_meta_reports_as_failed_for_now_is_retried_after_two_four_and_eight_seconds(
    product: Product, failed: SendFailedError
) -> None:
    product.graph.script = [failed] * 3
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert texts(product) == ["Hi"]
    assert "delivery.ambiguous" not in product.events.types


def test_the_fourth_failure_of_metas_own_is_dead_lettered_with_its_reason(product: Product) -> None:
    product.graph.script = [refusal(131000, 500)] * 4
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert [reason for _, reason in product.queues.dead_lettered] == ["transient:131000"]
    assert product.events.types == ["delivery.dead"]


def test_a_status_keeps_a_send_that_meta_reported_as_failed_from_being_repeated(product: Product) -> None:
    product.graph.script = [refusal(131000, 500)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    record_status(product, "sent")
    product.clock.forward(2)
    product.deliver(item(), first_delivery=False)
    assert texts(product) == []
    assert states(product) == ["accepted"]


def test_a_send_that_went_out_although_meta_reported_a_failure_is_counted_as_doubled(product: Product) -> None:
    product.graph.script = [refusal(131000, 500)]
    product.deliver_until_done(item())
    record_status(product, "delivered", send=2, id="wamid.second")
    record_status(product, "sent", send=1, id="wamid.first")
    assert product.events.types == ["delivery.duplicated"]
    record_status(product, "sent", send=2, id="wamid.second")
    assert product.events.types == ["delivery.duplicated"]


def test_a_message_is_counted_as_doubled_if_the_first_status_comes_while_meta_answers_the_second_send(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.graph.script = [refusal(131000, 500)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    product.clock.forward(2)
    send = product.graph.send

    def answer(*request: Any) -> Any:
        with pytest.raises(ConflictError):
            record_status(product, "sent", send=1, id="wamid.first")
        return send(*request)

    monkeypatch.setattr(product.graph, "send", answer)
    product.deliver(item(), first_delivery=False)
    assert product.events.types == []
    record_status(product, "sent", send=1, id="wamid.first")
    assert product.events.types == ["delivery.duplicated"]


def test_meta_may_ask_for_a_longer_wait(product: Product) -> None:
    product.graph.script = [SendFailedError(ErrorClass.RETRY, http_status=429, retry_after=30)]
    assert product.deliver_until_done(item()) == [30]


def test_a_throttled_pair_is_held_for_four_to_the_n_seconds_and_never_dies_of_waiting(product: Product) -> None:
    product.graph.script = [refusal(131056)] * 8
    waits = []
    for _ in range(8):
        with contextlib.suppress(RetryLaterError):  # a long wait leaves the queue
            product.deliver(item(), first_delivery=not waits)
        not_before = ledger(product)[0].not_before
        assert not_before is not None
        waits.append(round(not_before - product.clock.now))
        product.clock.forward(waits[-1])
    assert waits == [4, 16, 64, 256, 1024, 4096, 4096, 4096]
    product.deliver(item(), first_delivery=False)
    assert texts(product) == ["Hi"]
    assert product.queues.dead_lettered == []


def test_a_throttled_pair_holds_only_its_recipient(product: Product) -> None:
    product.graph.script = [refusal(131056)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    product.deliver(item(1, "Hi", phone=OTHER_PHONE), first_delivery=True)
    assert [payload["to"] for payload in product.graph.sent] == [f"+{OTHER_PHONE}"]


@pytest.mark.parametrize(
    "failed",
    [
        SendFailedError(ErrorClass.AMBIGUOUS),
        SendFailedError(classify(502, None), http_status=502),
        refusal(999_999, 503),
    ],
    ids=str,
)
def test_an_ambiguous_send_waits_for_a_status_and_is_not_repeated(product: Product, failed: SendFailedError) -> None:
    product.graph.script = [failed]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    assert states(product) == ["ambiguous"]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=False)
    assert record_status(product, "sent") == 1
    product.deliver(item(), first_delivery=False)
    assert texts(product) == []
    assert states(product) == ["accepted"]


@pytest.mark.parametrize("code", [131048, 131049, 131064, 130472])
def test_what_may_be_sent_later_is_held_and_the_rest_of_the_turn_leaves(product: Product, code: int) -> None:
    product.graph.script = [refusal(code)]
    turn = item(1, "later", "now")
    product.deliver(turn, first_delivery=True)
    assert texts(product) == ["now"]
    assert states(product) == ["deferred", "accepted"]
    assert [reason for _, reason in product.queues.dead_lettered] == [f"retry_manually:{code}"]
    assert product.events.types == ["delivery.deferred"]
    product.deliver(replace(turn, redrive_count=1, requeue_id="redrive1"), first_delivery=True)
    assert texts(product) == ["now", "later"]


def test_a_campaign_repeats_what_meta_limits_itself(product: Product) -> None:
    product.graph.script = [refusal(131049)]
    product.deliver(campaign(slot_at=NOW), first_delivery=True)
    assert states(product) == ["failed"]
    assert product.queues.dead_lettered == []


PERMANENT = (100, 33, 131008, 131009, 131021, 131026, 131051, 131052, 130403, 130497, 137000, 135000)
TEMPLATE = (132000, 132001, 132005, 132007, 132012, 132018, 132068, 132069, 131063)


@pytest.mark.parametrize("code", [*PERMANENT, *TEMPLATE, 131062, 131030, 131047, 999_999])
def test_a_message_that_can_never_be_sent_fails_at_once_and_the_next_one_leaves(product: Product, code: int) -> None:
    product.graph.script = [refusal(code)]
    product.deliver(item(1, "bad", "good"), first_delivery=True)
    assert texts(product) == ["good"]
    assert states(product) == ["failed", "accepted"]
    assert product.events.types == ["delivery.failed"]
    assert product.queues.dead_lettered == []
    product.deliver(item(1, "bad", "good"), first_delivery=False)
    assert texts(product) == ["good"]


STOPPED = {132015: "template_paused", 132016: "template_disabled"}
ORDER_READY = Template("order_ready", "en")


@pytest.mark.parametrize("code", STOPPED)
def test_a_template_that_meta_has_stopped_is_deferred_with_its_own_reason(product: Product, code: int) -> None:
    product.graph.script = [refusal(code)]
    turn = replace(item(1), messages=[ORDER_READY, Text("good")])
    product.deliver(turn, first_delivery=True)
    assert states(product) == ["deferred", "accepted"]
    assert [reason for _, reason in product.queues.dead_lettered] == [STOPPED[code]]
    (event,) = product.events.events
    assert (event.type, event.detail["reason"]) == ("delivery.deferred", STOPPED[code])
    assert [shown_state(entry) for entry in product.deliveries.of_conversation(product.key())] == [
        STOPPED[code],
        "accepted",
    ]
    product.deliver(replace(turn, redrive_count=1, requeue_id="redrive1"), first_delivery=True)
    assert states(product) == ["accepted", "accepted"]


def test_the_copy_stops_a_paused_template_before_it_is_posted(product: Product) -> None:
    product.tenants.by_id[NUMBER].waba_id = "5"
    key = TemplateKey("acme", "5", "order_ready", "en")
    paused = StoredTemplate("5", MessageTemplate("order_ready", "en", status="PAUSED"))
    product.templates.change(key, lambda _: paused)
    turn = replace(item(1), messages=[ORDER_READY, Text("good")])
    product.deliver(turn, first_delivery=True)
    assert texts(product) == ["good"]
    assert [reason for _, reason in product.queues.dead_lettered] == ["template_paused"]
    assert product.events.types == ["delivery.deferred"]
    approved = replace(paused, template=replace(paused.template, status="APPROVED"))
    product.templates.change(key, lambda _: approved)
    product.deliver(replace(turn, redrive_count=1, requeue_id="redrive1"), first_delivery=True)
    assert states(product) == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("is_on", "chosen", "category", "goes"),
    [
        (True, None, "MARKETING", True),
        (True, None, "UTILITY", False),
        (False, None, "MARKETING", False),
        (True, False, "MARKETING", False),
        (False, True, "MARKETING", True),
        (False, True, "UTILITY", False),
    ],
)
def test_marketing_templates_of_a_number_or_a_campaign_go_to_their_own_endpoint(
    product: Product, is_on: bool, chosen: bool | None, category: str, goes: bool
) -> None:
    number = product.tenants.by_id[NUMBER]
    number.waba_id, number.marketing_messages = "5", is_on
    copy = StoredTemplate("5", MessageTemplate("order_ready", "en", category=category, status="APPROVED"))
    product.templates.change(TemplateKey("acme", "5", "order_ready", "en"), lambda _: copy)
    agreed = replace(new_contact(PHONE, at=1), consent={"marketing": Consent("granted", "form", 1)})
    product.contacts.save("acme", agreed)
    mark = CampaignMark("spring", marketing_messages=chosen)
    product.deliver(replace(item(1), messages=[ORDER_READY, Text("good")], campaign=mark), first_delivery=True)
    assert ["product_policy" in payload for payload in product.graph.sent] == [goes, False]


def test_a_plain_message_looks_up_no_template(product: Product) -> None:
    product.tenants.by_id[NUMBER].waba_id = "5"
    product.deliver(item(1, "a", "b"), first_delivery=True)
    assert product.templates.found == 0


def test_a_message_that_meta_holds_to_assess_its_template_is_told_apart(product: Product) -> None:
    product.graph.script = [AcceptedMessage("wamid.1", held=True)]
    product.deliver(replace(item(1), messages=[ORDER_READY]), first_delivery=True)
    shown = lambda: shown_state(product.deliveries.of_conversation(product.key())[0])  # noqa: E731
    assert (shown(), product.events.types) == ("held_for_quality_assessment", ["delivery.held_for_quality_assessment"])
    record_status(product, "sent")
    assert shown() == "sent"
    product.deliver(replace(item(1), messages=[ORDER_READY]), first_delivery=False)
    assert len(product.graph.sent) == 1


def test_a_held_message_that_meta_drops_failed_for_its_paused_template(product: Product) -> None:
    product.graph.script = [AcceptedMessage("wamid.1", held=True)]
    product.conversations.records[product.key()] = {1: TurnRecord(1, product.clock(), "s", "agent", Input())}
    product.deliver(replace(item(1), messages=[ORDER_READY]), first_delivery=True)
    dropped = json.loads((PAYLOADS / "status_failed_template_paused.json").read_bytes())
    (status,) = dropped["entry"][0]["changes"][0]["value"]["statuses"]
    record_status(product, status["status"], errors=status["errors"])
    assert shown_state(product.deliveries.of_conversation(product.key())[0]) == "template_paused"
    assert product.events.events[-1].detail["reason"] == "template_paused"
    (event,) = [event for event in product.bus.told if isinstance(event, DeliveryFailed)]
    assert (event.reason, event.code) == ("template_paused", 132015)


def test_media_gets_one_retry(product: Product) -> None:
    product.graph.script = [refusal(131053)] * 2
    assert product.deliver_until_done(item()) == [2]
    assert [reason for _, reason in product.queues.dead_lettered] == ["media:131053"]


FATAL_TOKEN = (0, 190, 3, 10, 200, 299, 131005)
FATAL_ACCOUNT = (368, 131031, 131042, 134011, 131037, 131045, 133000, 133005, 133010, 133015, 133016)


@pytest.mark.parametrize("code", [*FATAL_TOKEN, *FATAL_ACCOUNT])
def test_a_fatal_error_stops_the_number_and_keeps_its_messages(product: Product, code: int) -> None:
    product.graph.script = [refusal(code)]
    assert product.deliver_until_done(item()) == [STOP_PROPAGATION_SECONDS]
    product.deliver(item(2), first_delivery=True)
    product.deliver(item(1, "Hi", phone=OTHER_PHONE), first_delivery=True)
    assert texts(product) == []
    assert product.events.types == ["number.stopped"]
    assert product.events.events[0].detail["reason"].endswith(f":{code}")
    assert len(product.held_turns.items) == 3
    product.clock.forward(3600)
    resumed = product.resume("acme", NUMBER)
    assert (resumed.conversations, resumed.after) == (2, None)
    product.run_queues()
    assert len(texts(product)) == 3
    assert product.queues.dead_lettered == []
    assert product.held_turns.items == {}
    assert product.tenants.by_id[NUMBER].resuming_at is None


def test_a_message_that_cannot_even_be_written_down_fails(product: Product) -> None:
    product.deliver(replace(item(), contact_id=""), first_delivery=True)
    assert product.events.types == ["delivery.failed"]


# Ambiguous sends


def record_status(product: Product, status: str, turn: int = 1, index: int = 0, send: int = 1, **more: Any) -> int:
    data = callback_data(product.key(organization_id=more.pop("organization_id", "acme")), turn, index, send)
    entry = {"id": f"wamid.{send}", "status": status, "timestamp": str(int(product.clock.now)), **more}
    return product.settle(StatusesItem("acme", NUMBER, [{**entry, "biz_opaque_callback_data": data}]))


def test_an_ambiguous_send_without_a_status_is_repeated_after_its_deadline_and_counted(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    waits = product.deliver_until_done(item())
    assert sum(waits) == AMBIGUOUS_SECONDS
    assert len(waits) < 15
    assert texts(product) == ["Hi"]
    assert product.events.types == ["delivery.ambiguous", "delivery.resent_after_deadline"]


def test_a_worker_that_died_again_and_again_is_not_given_the_reason_of_an_earlier_try(product: Product) -> None:
    product.graph.script = [refusal(130429)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    for _ in range(3):
        product.clock.forward(CLAIM_SECONDS)
        product.graph.script = [KeyboardInterrupt()]  # the process ends between the claim and the answer
        with pytest.raises(KeyboardInterrupt):
            product.deliver(item(), first_delivery=False)
    product.clock.forward(CLAIM_SECONDS)
    product.deliver(item(), first_delivery=False)
    assert [reason for _, reason in product.queues.dead_lettered] == ["ambiguous:no_status"]


@pytest.mark.parametrize("deadline", [30, 240, 3600])
def test_waiting_for_a_status_takes_few_looks_however_long_it_is(deadline: int) -> None:
    """The queue allows 1,000 receives, and each also counts for up to nine turns behind it: four attempts of nine turns."""
    product = Product(ambiguous_seconds=deadline)
    product.add_organization("acme", NUMBER, ECHO_FLOW)
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    looks, begun = 0, product.clock.now
    while product.clock.now < begun + deadline:
        with pytest.raises(RetryLaterError) as waits:
            product.deliver(item(), first_delivery=not looks)
        looks += 1
        product.clock.forward(waits.value.seconds)
    assert looks * 4 * 9 < 1000


def test_four_ambiguous_sends_lead_to_the_dead_letters(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS, 999_999)] * 4
    product.deliver_until_done(item(), limit=100)
    assert [reason for _, reason in product.queues.dead_lettered] == ["ambiguous:999999"]
    assert states(product) == ["dead"]


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed"])
def test_a_status_of_the_first_send_keeps_the_second_from_happening(product: Product, status: str) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS), failure(ErrorClass.RETRY, 130429)]
    for attempt in range(2):  # the second send is throttled, and waits
        with pytest.raises(RetryLaterError):
            product.deliver(item(), first_delivery=attempt == 0)
        product.clock.forward(AMBIGUOUS_SECONDS + 1)
    record_status(product, status, errors=[{"code": 131026}])
    product.deliver_until_done(item(), redelivered=True)
    assert texts(product) == ([] if status != "failed" else ["Hi"])  # the first failed, the second was never taken


def test_a_late_status_of_the_first_send_does_not_undo_the_second(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    product.deliver_until_done(item())
    assert record_status(product, "failed", send=1, errors=[{"code": 131026}]) == 0
    assert record_status(product, "sent", send=2, id=None) == 1
    assert [(entry.state, entry.status) for entry in ledger(product)] == [("accepted", "sent")]
    assert record_status(product, "delivered", send=1) == 1
    assert product.events.types[-1] == "delivery.duplicated"


class WorkerKilled(BaseException):
    pass


@pytest.mark.parametrize("meta_has_it", [True, False])
def test_a_worker_killed_while_sending_loses_nothing_and_repeats_nothing(product: Product, meta_has_it: bool) -> None:
    product.graph.script = [WorkerKilled()]  # type: ignore[list-item]
    with pytest.raises(WorkerKilled):
        product.deliver(item(), first_delivery=True)
    product.clock.forward(AMBIGUOUS_SECONDS + 15)
    if meta_has_it:
        record_status(product, "delivered")
    waits = product.deliver_until_done(item(), redelivered=True)
    assert texts(product) == ([] if meta_has_it else ["Hi"])
    assert AMBIGUOUS_SECONDS + 15 + sum(waits) == (AMBIGUOUS_SECONDS + 15 if meta_has_it else CLAIM_SECONDS)


def test_a_worker_that_stood_still_past_its_deadline_undoes_nothing(product: Product) -> None:
    def slept(*_: Any) -> Any:
        product.clock.forward(CLAIM_SECONDS + 1)
        product.graph.send = send  # type: ignore[method-assign]
        product.deliver(item(), first_delivery=False)
        raise failure(ErrorClass.PERMANENT, 131026)

    send, product.graph.send = product.graph.send, slept  # type: ignore[method-assign]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    assert states(product) == ["accepted"]


def test_callback_data_names_the_send_and_is_read_back() -> None:
    key = item().key
    assert read_callback_data(callback_data(key, 7, 2)) == (key, 7, 2, 1)
    assert read_callback_data(callback_data(key, 7, 2, 3)) == (key, 7, 2, 3)
    for other in (None, "", "a|b", "a|b|c|d|e", "a|b|c|1|-2", "a|b|c|1|2|3|4", "a|b|c|²|1"):
        assert read_callback_data(other) is None


# A stopped number


def test_the_turn_that_met_the_fatal_error_goes_on_where_it_was(product: Product) -> None:
    product.graph.script = [None, refusal(190)]
    assert product.deliver_until_done(item(1, "one", "two", "three")) == [STOP_PROPAGATION_SECONDS]
    assert len(product.held_turns.items) == 1
    product.resume("acme", NUMBER)
    product.run_queues()
    assert texts(product) == ["one", "two", "three"]


def test_a_turn_stays_in_the_queue_until_every_worker_knows_of_the_stop(product: Product) -> None:
    number = replace(product.tenants.by_id[NUMBER])  # what another worker remembers
    product.tenants.stop_number(number, "fatal_token:190")
    product.clock.forward(60)  # the worker that stopped it died before it recorded the time
    with pytest.raises(RetryLaterError) as wait:
        product.deliver(item(1, "one"), first_delivery=True)
    assert wait.value.seconds == STOP_PROPAGATION_SECONDS
    assert product.held_turns.items == {}
    product.clock.forward(STOP_PROPAGATION_SECONDS - 1)
    with pytest.raises(RetryLaterError) as wait:
        product.deliver(item(1, "other", phone=OTHER_PHONE), first_delivery=True)
    assert wait.value.seconds == 1
    product.clock.forward(1)
    product.deliver(item(1, "one"), first_delivery=False)
    assert len(product.held_turns.items) == 1


def test_a_turn_that_waits_for_the_stop_to_settle_leaves_when_the_number_is_resumed_meanwhile(product: Product) -> None:
    product.graph.script = [refusal(190)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(1, "one"), first_delivery=True)
    product.resume("acme", NUMBER)
    product.clock.forward(STOP_PROPAGATION_SECONDS)
    product.deliver(item(1, "one"), first_delivery=False)
    assert texts(product) == ["one"]


def test_new_turns_do_not_overtake_held_ones(product: Product) -> None:
    stop(product)
    product.deliver(item(1, "one"), first_delivery=True)
    product.deliver(item(1, "other", phone=OTHER_PHONE), first_delivery=True)
    first = product.resume("acme", NUMBER, out_of_time=lambda: True)
    assert first.after == OTHER_PHONE
    product.deliver(item(2, "two"), first_delivery=True)  # still in the queue when its predecessor was held
    assert texts(product) == []
    product.resume("acme", NUMBER, first.after)
    product.run_queues()
    product.deliver(item(3, "three"), first_delivery=True)
    assert texts(product) == ["other", "one", "two", "three"]
    assert product.held_turns.items == {}


def test_a_number_whose_token_is_still_bad_stops_again_and_loses_nothing(product: Product) -> None:
    product.graph.script = [refusal(190), refusal(190)]
    product.deliver_until_done(item(1, "one"))
    product.deliver_until_done(item(2, "two"))
    product.clock.forward(60)
    product.resume("acme", NUMBER)
    product.deliver_until_done(product.queues.outbound.pop(0))
    assert product.queues.outbound == []
    assert product.tenants.by_id[NUMBER].stopped_reason == "fatal_token:190"
    assert len(product.held_turns.items) == 2
    product.clock.forward(60)
    product.resume("acme", NUMBER)
    product.run_queues()
    assert texts(product) == ["one", "two"]


def test_a_turn_held_in_the_moment_of_resuming_comes_back(product: Product) -> None:
    number = product.tenants.by_id[NUMBER]
    stopped = replace(number, stopped_reason="fatal_token:190", stopped_at=0.0)  # what this worker remembers
    answers = [stopped, number]
    product.tenants.number = lambda *_, **__: answers.pop(0)  # type: ignore[assignment, misc]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    assert product.held_turns.items == {}


def test_a_turn_held_in_the_moment_of_resuming_is_not_left_behind_by_a_worker_that_dies(product: Product) -> None:
    stop(product)
    answers = [replace(product.tenants.by_id[NUMBER])]  # what this worker remembers; it dies when it looks again
    product.resume("acme", NUMBER)
    product.tenants.number = lambda *_, **__: answers.pop(0)  # type: ignore[assignment, misc]
    with pytest.raises(IndexError):
        product.deliver(item(1, "one"), first_delivery=True)
    del product.tenants.number
    assert len(product.held_turns.items) == 1
    product.deliver(item(1, "one"), first_delivery=False)
    assert texts(product) == ["one"]
    assert product.held_turns.items == {}


def test_a_token_that_was_replaced_meanwhile_is_used_and_stops_nothing(product: Product) -> None:
    fresh = product.secrets.stored["acme", NUMBER]
    old = type(fresh)(fresh.app_secret, "an-old-token")
    product.secrets.of_number = lambda *_, fresh=False: product.secrets.stored["acme", NUMBER] if fresh else old  # type: ignore[assignment, misc]
    product.graph.script = [refusal(190)]
    assert product.deliver_until_done(item()) == [0]
    assert texts(product) == ["Hi"]
    assert product.events.types == []


def test_a_turn_that_waited_almost_as_long_as_a_queue_remembers_is_not_forgotten(product: Product) -> None:
    product.clock.forward(MAX_QUEUE_SECONDS + 1)
    product.deliver(item(), first_delivery=False)
    assert [reason for _, reason in product.queues.dead_lettered] == ["too_old"]


def too_old(product: Product) -> None:
    product.clock.forward(MAX_QUEUE_SECONDS + 1)


def gone(product: Product) -> None:
    del product.tenants.by_id[NUMBER]


@pytest.mark.parametrize(("happens", "reason"), [(too_old, "too_old"), (gone, "number_unknown")])
def test_the_ledger_says_what_was_set_aside_and_it_is_sent_once_when_it_is_redriven(
    product: Product, happens: Callable[[Product], None], reason: str
) -> None:
    number = product.tenants.by_id[NUMBER]
    product.deliver(item(1, "one"), first_delivery=True)
    turn = item(1, "one", "two", "three")
    happens(product)
    for first_delivery in (False, False):  # the worker may die between the ledger and the queue
        product.deliver(turn, first_delivery=first_delivery)
    assert [(entry.state, entry.reason) for entry in ledger(product)] == [("accepted", None), ("dead", reason)]
    assert {reason for _, reason in product.queues.dead_lettered} == {reason}
    product.tenants.by_id[NUMBER] = number
    now = product.clock.now
    redriven = replace(turn, redrive_count=1, requeue_id="redrive1", queued_at=now, window_closes_at=now + 86_400)
    product.deliver(redriven, first_delivery=True)
    product.deliver(redriven, first_delivery=False)
    assert texts(product) == ["one", "two", "three"]


def test_a_redriven_turn_whose_number_is_still_gone_is_set_aside_again(product: Product) -> None:
    gone(product)
    product.deliver(item(), first_delivery=True)
    product.deliver(item(redrive_count=1, requeue_id="redrive1"), first_delivery=True)
    assert [entry.redrive_count for entry in ledger(product)] == [1]
    assert [reason for _, reason in product.queues.dead_lettered] == ["number_unknown"] * 2


def test_nothing_is_set_aside_of_a_turn_that_is_sent(product: Product) -> None:
    product.deliver(item(), first_delivery=True)
    gone(product)
    product.deliver(item(), first_delivery=False)
    assert product.queues.dead_lettered == []


def test_a_send_that_may_have_happened_stays_in_doubt_when_it_is_set_aside(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    number = product.tenants.by_id[NUMBER]
    gone(product)
    product.deliver(item(), first_delivery=False)
    product.tenants.by_id[NUMBER] = number
    product.deliver(item(redrive_count=1, requeue_id="redrive1"), first_delivery=True)
    assert "delivery.resent_after_deadline" in product.events.types


# The service window


def test_outside_the_window_the_template_is_sent_once_in_place_of_everything(product: Product) -> None:
    with_fallback(product)
    product.clock.forward(86_400)
    product.deliver(item(1, "one", "two"), first_delivery=False)
    product.deliver(item(2, "three"), first_delivery=False)
    assert [payload["template"]["name"] for payload in product.graph.sent] == ["come_back"]
    assert states(product) == ["accepted", "failed", "failed"]


@pytest.mark.parametrize("hours_ago", [1, 23])
def test_what_waited_for_days_leaves_as_it_is_if_the_person_has_written_again(product: Product, hours_ago: int) -> None:
    with_fallback(product)
    product.say("Olá")
    product.clock.forward(3 * 86_400)
    product.say("Are you there?")
    product.clock.forward(hours_ago * 3600)
    product.deliver(
        item(50, "at last", redrive_count=1, requeue_id="redrive1", queued_at=product.clock.now), first_delivery=True
    )
    assert texts(product)[-1] == "at last"


def test_what_waited_for_days_becomes_the_template_if_the_window_has_closed_again(product: Product) -> None:
    with_fallback(product)
    product.say("Olá")
    product.clock.forward(3 * 86_400)
    product.say("Are you there?")
    product.clock.forward(86_400)
    product.deliver(
        item(50, "at last", redrive_count=1, requeue_id="redrive1", queued_at=product.clock.now), first_delivery=True
    )
    assert product.graph.sent[-1]["type"] == "template"


def test_outside_the_window_without_a_template_nothing_is_sent(product: Product) -> None:
    product.clock.forward(86_400)
    product.deliver(item(), first_delivery=False)
    assert product.graph.sent == []
    assert [entry.reason for entry in ledger(product)] == ["window_closed"]
    assert product.events.types == ["delivery.failed"]


def test_templates_leave_at_any_time(product: Product) -> None:
    product.clock.forward(86_400)
    product.deliver(item(messages=[Template("promo", "pt_BR")]), first_delivery=False)
    assert len(product.graph.sent) == 1


def test_when_meta_says_that_the_window_is_closed_the_template_is_sent(product: Product) -> None:
    with_fallback(product)
    product.graph.script = [refusal(131047)]
    assert product.deliver_until_done(item()) == [0]
    assert [payload["type"] for payload in product.graph.sent] == ["template"]
    assert product.events.types == []


def test_a_template_that_is_refused_as_well_fails(product: Product) -> None:
    with_fallback(product)
    product.graph.script = [refusal(131047), refusal(132001)]
    product.deliver_until_done(item())
    assert states(product) == ["failed"]


def test_a_status_that_says_that_the_window_was_closed_sends_the_template_once(product: Product) -> None:
    product.add_organization("acme", NUMBER, None, fallback_template=FallbackTemplate("come_back", "pt_BR"))
    product.publish("acme", ECHO_FLOW)
    product.tenants.by_id[NUMBER].default_flow_id = "echo"
    product.say("Olá")
    for _ in range(3):
        record_status(product, "failed", errors=[{"code": 131047}])
        product.run_queues()
        product.queues.forget_deduplication()
    assert [payload["type"] for payload in product.graph.sent] == ["text", "template"]
    record_status(product, "failed", send=2, errors=[{"code": 131047}])
    product.run_queues()
    assert len(product.graph.sent) == 2
    assert [(entry.state, entry.status) for entry in ledger(product)] == [("accepted", "failed")]


@pytest.mark.parametrize("again", ["failed", "sent"])
def test_statuses_in_any_number_and_order_do_not_keep_the_template_from_leaving(product: Product, again: str) -> None:
    product.tenants.by_id[NUMBER].fallback_template = FallbackTemplate("come_back", "pt_BR")
    product.say("Olá")
    record_status(product, "failed", errors=[{"code": 131047}])
    record_status(product, again, errors=[{"code": 131047}] if again == "failed" else [])
    product.run_queues()
    assert [payload["type"] for payload in product.graph.sent] == ["text", "template"]


def test_a_status_that_says_that_the_file_failed_tries_it_once_more(product: Product) -> None:
    product.say("Olá")
    record_status(product, "failed", errors=[{"code": 131053}])
    product.run_queues()
    record_status(product, "failed", send=2, errors=[{"code": 131053}])
    product.run_queues()
    assert [payload["biz_opaque_callback_data"].count("|") for payload in product.graph.sent] == [4, 5]


# Opting out


def marketing(product: Product) -> Consent:
    return product.contacts.load("acme", PHONE).consent_to("marketing")


def test_meta_saying_that_the_person_stopped_marketing_is_recorded_and_answers_go_on(product: Product) -> None:
    product.say("Olá")
    product.graph.script = [refusal(131050)]
    product.deliver(item(2, "one", "two"), first_delivery=True)
    assert states(product)[1:] == ["failed", "accepted"]
    assert marketing(product) == Consent("withdrawn", "error_131050", product.clock.now)
    assert product.contacts.consent_history("acme", PHONE, 9)[-1].state == "withdrawn"
    assert product.conversations.turns(product.key())[-1].status == "opted_out"
    assert product.say("Ana") == ["Bye, Ana."], "the session has not changed"
    assert marketing(product).state == "withdrawn", "writing grants answers only"


def waited_for(product: Product) -> None:
    """Process the outbound queue, as often and as late as the sender asks."""
    while product.queues.outbound:
        product.deliver_until_done(product.queues.outbound.pop(0))


def test_a_status_that_says_that_the_account_is_blocked_stops_the_number_and_keeps_the_message(
    product: Product,
) -> None:
    product.say("Olá")
    for send in (1, 2):
        record_status(product, "failed", send=send, errors=[{"code": 131042}])
        assert product.tenants.by_id[NUMBER].stopped_reason == "fatal_account:131042"
        assert product.events.types.count("number.stopped") == send
        waited_for(product)
        assert len(product.graph.sent) == send
        record_status(product, "failed", send=send, errors=[{"code": 131042}])  # Meta says it again
        waited_for(product)
        product.clock.forward(3600)
        product.resume("acme", NUMBER)
        waited_for(product)
        assert [text_of(payload) for payload in product.graph.sent] == ["Hello!\n\nWhat is your name?"] * (send + 1)
    record_status(product, "delivered", send=3)
    assert product.tenants.by_id[NUMBER].stopped_reason is None


def test_an_old_status_does_not_stop_a_number_that_may_have_been_repaired(product: Product) -> None:
    product.say("Olá")
    at = str(int(product.clock.now))
    product.clock.forward(3600)
    record_status(product, "failed", timestamp=at, errors=[{"code": 131042}])
    assert product.tenants.by_id[NUMBER].stopped_reason is None
    product.run_queues()
    assert len(product.graph.sent) == 2


def test_a_status_from_before_a_number_was_resumed_does_not_stop_it_again(product: Product) -> None:
    product.say("Olá")
    blocked: dict[str, Any] = {"timestamp": str(int(product.clock.now)), "errors": [{"code": 131042}]}
    record_status(product, "failed", **blocked)
    product.clock.forward(60)
    product.resume("acme", NUMBER)
    record_status(product, "failed", **blocked)  # its worker had not settled the send: it is handled again
    assert product.tenants.by_id[NUMBER].stopped_reason is None
    assert product.events.types.count("number.stopped") == 1


def test_a_status_that_says_that_the_person_stopped_marketing_is_recorded_once(product: Product) -> None:
    product.say("Olá")
    product.clock.forward(10)
    record_status(product, "failed", errors=[{"code": 131050}])
    record_status(product, "failed", errors=[{"code": 131050}])
    assert marketing(product).state == "withdrawn"
    assert not product.conversations.stored[product.key()].opted_out
    assert [record.status for record in product.conversations.turns(product.key())] == ["waiting", "opted_out"]


@pytest.mark.parametrize(("name", "state"), [("marketing_stopped", "withdrawn"), ("person_limit", "unknown")])
def test_what_a_failed_marketing_message_says_of_the_person(product: Product, name: str, state: str) -> None:
    """131050 is the person's choice. 131049 is Meta's limit of this day: the consent stays, and a campaign tries once more."""
    product.say("Olá")
    failed = json.loads((PAYLOADS / f"status_failed_{name}.json").read_bytes())
    (status,) = failed["entry"][0]["changes"][0]["value"]["statuses"]
    record_status(product, status["status"], errors=status["errors"])
    assert marketing(product).state == state
    assert not product.conversations.stored[product.key()].opted_out
    (delivery,) = product.deliveries.of_conversation(product.key())
    assert (delivery.status, delivery.error_code) == ("failed", status["errors"][0]["code"])
    assert "delivery.failed" in product.events.types


def given_up(product: Product) -> None:
    """The outcome of four sends is unknown, so the message is dead."""
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)] * 4
    for _ in range(4):
        with contextlib.suppress(RetryLaterError):
            product.deliver(item(), first_delivery=False)
        product.clock.forward(AMBIGUOUS_SECONDS)
    product.deliver(item(), first_delivery=False)
    assert states(product) == ["dead"]


def failed_late(product: Product, code: int, send: int) -> None:
    entry = {"id": "w", "status": "failed", "timestamp": str(int(product.clock.now)), "errors": [{"code": code}]}
    entry["biz_opaque_callback_data"] = callback_data(product.key(), 1, 0, send)
    product.settle(StatusesItem("acme", NUMBER, [entry]))


def test_a_status_that_a_given_up_message_failed_sends_what_can_be_mended_once(product: Product) -> None:
    with_fallback(product)
    product.say("Olá")  # its turn is what is sent once more
    product.deliveries.entries.clear()
    product.queues.outbound.clear()
    given_up(product)
    for _ in range(2):
        failed_late(product, 131047, send=4)
    again = product.queues.outbound.pop()
    product.deliver(again, first_delivery=True)
    assert product.graph.sent[-1]["type"] == "template"
    sent = len(product.graph.sent)
    product.deliver(item(redrive_count=1, requeue_id="redrive1"), first_delivery=True)  # already done
    assert len(product.graph.sent) == sent


def test_a_status_that_a_message_failed_which_was_refused_since_is_taken_once(product: Product) -> None:
    """Otherwise it would be retried until it is dead-lettered, and be redriven in vain."""
    with_fallback(product)
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    conversation = Conversation(key=product.key(), contact=Contact(id=PHONE), opted_out=True)
    product.conversations.stored[product.key()] = conversation
    product.clock.forward(AMBIGUOUS_SECONDS)
    product.deliver(item(), first_delivery=False)
    assert [entry.reason for entry in ledger(product)] == ["opted_out"]
    failed_late(product, 131047, send=1)
    assert product.queues.outbound == []


def test_old_news_of_an_opt_out_does_not_undo_newer_consent(product: Product) -> None:
    product.say("Olá")
    newer = Consent("granted", "form", product.clock.now - 30)
    known = product.contacts.load("acme", PHONE)
    product.contacts.save("acme", replace(known, consent={"marketing": newer}))
    data = callback_data(product.key(), 1, 0)
    entry = {"id": "w", "status": "failed", "timestamp": str(int(product.clock.now - 60)), "errors": [{"code": 131050}]}
    product.settle(StatusesItem("acme", NUMBER, [{**entry, "biz_opaque_callback_data": data}]))
    assert marketing(product) == newer


def test_what_waited_while_the_person_opted_out_is_not_sent_but_the_goodbye_is(product: Product) -> None:
    product.say("Olá")
    waiting = item(1, "you may also like", queued_at=product.clock.now)
    product.post(product.notification(product.message("stop")))
    product.take_turn(product.queues.inbound.pop())
    goodbye = product.queues.outbound.pop()
    product.clock.forward(60)
    product.deliver(replace(waiting, turn=99), first_delivery=False)
    product.deliver(goodbye, first_delivery=False)
    assert len(product.graph.sent) == 2
    assert ledger(product)[-1].reason == "opted_out"


def test_a_timer_does_not_write_to_who_opted_out(product: Product) -> None:
    product.say("Olá")
    stored = product.conversations.stored[product.key()]
    assert stored.session is not None
    stored.opted_out, stored.session.timer_at = True, product.clock.now + 60
    product.clock.forward(61)
    product.fire_due_timers()
    product.run_queues()
    assert len(product.graph.sent) == 1
    assert product.conversations.turns(product.key())[-1].status == "opted_out"


# The rate


def fifty_messages(product: Product, phones: list[str]) -> list[float]:
    """Process fifty turns as the queue delivers them, each when it is due; returns when each was sent."""
    product.tenants.put_organization(Organization("acme", messages_per_minute=5))
    due = [(product.clock.now, turn, item(turn, f"m{turn}", phone=phones[turn % len(phones)])) for turn in range(1, 51)]
    left: list[float] = []
    seen = set[int]()
    while due:
        due.sort(key=lambda entry: entry[:2])
        at, turn, waiting = due.pop(0)
        product.clock.now = max(at, product.clock.now)
        try:
            product.deliver(waiting, first_delivery=turn not in seen)
        except RetryLaterError as wait:
            due.append((product.clock.now + wait.seconds, turn, waiting))
        else:
            left.append(product.clock.now)
        seen.add(turn)
    return left


def test_fifty_messages_leave_at_five_a_minute_in_order(product: Product) -> None:
    left = fifty_messages(product, [str(5511900000000 + n) for n in range(50)])
    assert texts(product) == [f"m{turn}" for turn in range(1, 51)]
    assert product.queues.dead_lettered == []
    assert all(later - earlier >= 59.9 for earlier, later in zip(left, left[5:], strict=False))
    assert left[-1] - left[0] < 600


def test_waiting_for_the_rate_never_counts_as_a_failed_try(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=5))
    product.graph.script = [None] * 8 + [failure(ErrorClass.RETRY, 130429)] * 3
    for turn in range(1, 51):
        product.deliver_until_done(item(turn, f"m{turn}"))
    assert texts(product) == [f"m{turn}" for turn in range(1, 51)]
    assert product.queues.dead_lettered == []
    assert 540 <= product.clock.now - NOW < 620


def test_one_organization_at_its_limit_does_not_hold_up_another(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=5))
    product.add_organization("globex", "200000000000002", None)
    for turn in range(1, 6):
        product.deliver(item(turn), first_delivery=True)
    with pytest.raises(RetryLaterError):
        product.deliver(item(6), first_delivery=True)
    other = OutboundItem("globex", "200000000000002", PHONE, 1, [Text("Hi")], 1e12, queued_at=NOW)
    product.deliver(other, first_delivery=True)
    assert len(texts(product)) == 6


def test_one_recipient_gets_one_message_in_six_seconds_after_a_burst(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=4800, contact_messages_per_minute=100))
    for _ in range(45):
        product.say("Olá")  # each turn says one message
    product.post(product.notification(product.message("Olá"), product.message("Olá"), product.message("Olá")))
    while product.queues.inbound:
        product.take_turn(product.queues.inbound.pop(0))
    waits = [product.deliver_until_done(item) for item in product.queues.outbound]
    assert waits == [[6], [6], [6]]
    assert len(product.graph.sent) == 48


# Statuses


@pytest.mark.parametrize("timestamp", ["nan", "inf", "-1", "later", None, {}])
def test_a_status_without_a_time_that_can_be_kept_is_noted_all_the_same(product: Product, timestamp: Any) -> None:
    product.say("Olá")
    assert record_status(product, "failed", timestamp=timestamp, errors=[{"code": "131026"}]) == 1
    entry = product.deliveries.load(product.key(), 1, 0)
    assert entry is not None
    assert (entry.status, entry.status_at, entry.error_code) == ("failed", 0, 131026)


def test_a_status_of_another_organization_settles_nothing(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    with pytest.raises(RetryLaterError):
        product.deliver(item(), first_delivery=True)
    assert record_status(product, "sent", organization_id="globex") == 0
    assert "statuses.foreign" in product.events.types


def batch(*told: tuple[str, str, int, str]) -> list[StatusesItem]:
    """One item per (organization of the receiving number, organization of the callback data, send, status)."""

    def status(organization_id: str, send: int, word: str) -> dict[str, Any]:
        key = replace(item().key, organization_id=organization_id)
        return {"id": "wamid.1", "status": word, "biz_opaque_callback_data": callback_data(key, 1, 0, send)}

    return [StatusesItem(came_for, NUMBER, [status(of, send, word)]) for came_for, of, send, word in told]


def words(items: list[StatusesItem]) -> list[str | None]:
    return [item.statuses[0]["status"] if item.statuses else None for item in items]


@pytest.mark.parametrize(
    ("came", "left"),
    [
        (["sent", "delivered", "read"], [None, None, "read"]),
        (["read", "sent", "delivered"], ["read", None, None]),
        (["sent"], ["sent"]),
        (["failed", "read"], ["failed", "read"]),
        (["sent", "failed"], [None, "failed"]),
        (["delivered", "failed"], ["delivered", "failed"]),
        (["delivered", "warning"], ["delivered", "warning"]),
    ],
)
def test_what_a_further_status_of_the_batch_overtakes_is_not_noted(came: list[str], left: list[str | None]) -> None:
    assert words(without_superseded(batch(*(("acme", "acme", 1, word) for word in came)))) == left


REGULAR = {"category": "utility", "type": "regular", "pricing_model": "PMP", "billable": True}


@pytest.mark.parametrize("came", [["sent", "delivered", "read"], ["read", "delivered"], ["read", "sent"]])
def test_the_pricing_of_a_status_that_is_overtaken_is_kept(product: Product, came: list[str]) -> None:
    product.deliver(item(), first_delivery=True)
    items = batch(*(("acme", "acme", 1, word) for word in came))
    for one in items:
        if one.statuses[0]["status"] != "read":
            one.statuses[0]["pricing"] = REGULAR
    left = [status for one in without_superseded(items) for status in one.statuses]
    assert [(status["status"], status["pricing"]) for status in left] == [("read", REGULAR)]
    product.settle(replace(items[0], statuses=[status for one in items for status in one.statuses]))
    assert [(entry.status, entry.pricing) for entry in ledger(product)] == [
        ("read", Pricing("utility", "regular", "PMP", True))
    ]


def test_a_status_of_another_send_overtakes_nothing() -> None:
    came = batch(("acme", "acme", 1, "sent"), ("acme", "acme", 2, "delivered"))
    assert without_superseded(came) == came


def test_a_status_of_an_erased_message_overtakes_nothing(product: Product) -> None:
    product.deliver(item(), first_delivery=True)
    (mine,), (erased,) = batch(("acme", "acme", 1, "delivered")), batch(("acme", "acme", 1, "read"))
    erased = replace(erased, statuses=[erased.statuses[0] | {"id": "wamid.erased"}])
    assert without_superseded([mine, erased]) == [mine, erased]
    product.settle(replace(mine, statuses=[*erased.statuses, *mine.statuses]))
    assert [entry.status for entry in ledger(product)] == ["delivered"]


def test_nobody_overtakes_the_statuses_of_another_organization() -> None:
    came = batch(("acme", "acme", 1, "delivered"), ("globex", "acme", 1, "read"), ("globex", "globex", 1, "sent"))
    assert without_superseded(came) == came


def test_a_failed_status_reaches_ledger_and_operator_and_nothing_is_resent(product: Product) -> None:
    product.deliver(item(), first_delivery=True)
    record_status(product, "failed", errors=[{"code": 131026}])
    assert (ledger(product)[0].status, ledger(product)[0].error_code) == ("failed", 131026)
    assert product.events.types == ["delivery.failed"]
    product.deliver(item(), first_delivery=False)
    assert len(texts(product)) == 1
    assert product.queues.outbound == []


# Back from the dead letters


def test_a_dead_message_is_sent_once_after_it_was_redriven(product: Product) -> None:
    product.graph.script = [None, *[refusal(130429)] * 4]
    turn = item(1, "one", "two", "three")
    product.deliver_until_done(turn)
    product.deliver(turn, first_delivery=False)  # handed out again: the answer to Lambda was lost
    assert texts(product) == ["one"]
    assert len(product.queues.dead_lettered) == 2
    redriven = replace(product.queues.dead_lettered[0][0], redrive_count=1, requeue_id="redrive1")
    product.deliver(redriven, first_delivery=True)
    product.deliver(redriven, first_delivery=False)
    product.deliver(turn, first_delivery=False)
    assert texts(product) == ["one", "two", "three"]
