"""The contract of the `Deliveries`, `RateSlots` and `HeldTurns` ports."""

from collections import Counter
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from msgspec.structs import replace

from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import LARGEST_BLOCK, LEASE_SECONDS, DynamoRateSlots
from pytake.aws.table import DUE_SHARDS, Table
from pytake.conversation.delivery.waiting_turns import ReleaseWaitingTurns
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.deliveries import Deliveries, HeldTurns, RateSlots
from pytake.conversation.queues import OutboundItem
from pytake.conversation.rate_limits import RECOVERY_SECONDS, SLOW_AGAIN_SECONDS, SlowDown
from pytake.conversation.records import ConversationKey, Delivery, DeliveryState
from pytake.whatsapp.outbound import Text
from pytake.whatsapp.pricing import Pricing
from tests import fakes
from tests.table import counted_requests, kept

KEY = ConversationKey("acme", "100000000000001", "5511999999999")
NOW = 1_770_000_000.0


def test_a_claim_holds_for_one(deliveries: Deliveries) -> None:
    claim = Delivery(1, 0, "claimed", claimed_at=NOW)
    deliveries.claim(KEY, claim, None)
    with pytest.raises(ConflictError):
        deliveries.claim(KEY, claim, None)
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert (loaded.state, loaded.claimed_at) == ("claimed", NOW)


def test_a_claim_on_what_changed_meanwhile_fails(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "waiting", not_before=NOW), None)
    seen = deliveries.load(KEY, 1, 0)
    assert seen is not None
    claim = deliveries.claim(KEY, replace(seen, state="claimed", claimed_at=NOW), seen)
    deliveries.settle(KEY, replace(claim, state="waiting", attempts=1))
    with pytest.raises(ConflictError):
        deliveries.claim(KEY, replace(seen, state="claimed"), seen)


def test_a_settlement_of_a_claim_that_was_taken_over_fails(deliveries: Deliveries) -> None:
    mine = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    theirs = deliveries.claim(KEY, replace(mine, claimed_at=NOW + 300, sends=2), mine)
    deliveries.settle(KEY, replace(theirs, state="accepted"))
    with pytest.raises(ConflictError):
        deliveries.settle(KEY, replace(mine, state="failed"))
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert loaded.state == "accepted"


def test_a_settled_send_is_read_back(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded == settled
    assert (settled.state, settled.message_id) == ("accepted", "wamid.a")
    assert [entry.state for entry in deliveries.of_conversation(KEY)] == ["accepted"]


def test_deliveries_of_a_conversation_are_listed_from_a_turn_on(deliveries: Deliveries) -> None:
    for turn in (1, 2, 10, 11):
        deliveries.claim(KEY, Delivery(turn, 0, "claimed"), None)
    assert [entry.turn for entry in deliveries.of_conversation(KEY, 10)] == [10, 11]


def record_status(
    deliveries: Deliveries, status: str, code: int | None = None, send: int = 1, message_id: str = "wamid.a"
) -> Delivery | None:
    return deliveries.record_status(KEY, 1, 0, send=send, status=status, at=NOW, message_id=message_id, code=code)


def test_the_entries_of_many_turns_are_found_together(deliveries: Deliveries) -> None:
    other = replace(KEY, contact_id="5511888888888")
    first = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    deliveries.claim(KEY, Delivery(1, 1, "claimed", claimed_at=NOW), None)
    theirs = deliveries.claim(other, Delivery(2, 0, "waiting"), None)
    assert deliveries.of_turns([(KEY, 1), (other, 2), (other, 1)]) == {(KEY, 1): first, (other, 2): theirs}
    assert deliveries.of_turns([]) == {}


def test_a_status_never_moves_backwards(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=1), None)
    assert record_status(deliveries, "delivered")
    assert not record_status(deliveries, "sent")
    assert not record_status(deliveries, "failed", 131026)
    moved = record_status(deliveries, "read")
    assert moved is not None
    assert moved.status == "read"
    assert deliveries.load(KEY, 1, 0) == moved


UTILITY, MARKETING = Pricing("utility", "regular", "PMP", True), Pricing("marketing", "regular")


def priced(deliveries: Deliveries, status: str, pricing: Pricing | None, send: int = 1, id_: str = "wamid.a") -> None:
    deliveries.record_status(KEY, 1, 0, send=send, status=status, at=NOW, message_id=id_, code=None, pricing=pricing)


def pricing_of(deliveries: Deliveries) -> Pricing | None:
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    return loaded.pricing


def test_the_pricing_of_a_status_stays_with_the_message(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=1), None)
    priced(deliveries, "sent", MARKETING)
    assert pricing_of(deliveries) == MARKETING
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    assert settled.pricing == MARKETING
    priced(deliveries, "delivered", UTILITY)
    priced(deliveries, "read", None)
    assert pricing_of(deliveries) == UTILITY
    assert deliveries.of_conversation(KEY)[0].pricing == UTILITY


def test_a_delivered_that_comes_after_read_still_tells_its_pricing(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "accepted", message_id="wamid.a", sends=1), None)
    priced(deliveries, "read", None)
    priced(deliveries, "delivered", MARKETING, id_="wamid.erased")
    priced(deliveries, "delivered", MARKETING, send=2)
    assert pricing_of(deliveries) is None
    priced(deliveries, "delivered", UTILITY)
    priced(deliveries, "delivered", MARKETING)
    assert pricing_of(deliveries) == UTILITY


def test_a_message_that_begins_anew_has_no_pricing(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "accepted", message_id="wamid.a", sends=1), None)
    priced(deliveries, "sent", UTILITY)
    record_status(deliveries, "failed", 131047)
    failed = deliveries.load(KEY, 1, 0)
    assert failed is not None
    deliveries.claim(KEY, Delivery(1, 0, "claimed", revision=failed.revision, sends=2), failed)
    assert pricing_of(deliveries) is None


def test_a_status_before_the_settlement_survives_it(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    assert record_status(deliveries, "sent")
    deliveries.settle(KEY, replace(claim, state="accepted"))
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert (loaded.state, loaded.status, loaded.message_id) == ("accepted", "sent", "wamid.a")


def test_that_an_accepted_message_was_sent_is_no_news(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=2), None)
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    assert not record_status(deliveries, "sent", send=2)
    assert deliveries.load(KEY, 1, 0) == settled
    assert record_status(deliveries, "sent", send=1)  # of another send: it may have been doubled
    assert record_status(deliveries, "delivered", send=2)


def test_a_status_of_an_earlier_send_that_came_before_the_settlement_tells_of_a_doubled_message_after_it(
    deliveries: Deliveries,
) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=2), None)
    assert record_status(deliveries, "sent", send=1, message_id="wamid.first")
    assert not record_status(deliveries, "sent", send=1, message_id="wamid.first"), "the later send may fail"
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    assert record_status(deliveries, "sent", send=1, message_id="wamid.first")


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_any_late_status_of_an_earlier_send_tells_of_a_doubled_message(deliveries: Deliveries, status: str) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=2), None)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    assert record_status(deliveries, "read", send=2)
    before = deliveries.load(KEY, 1, 0)
    assert record_status(deliveries, status, send=1, message_id="wamid.first")
    assert not record_status(deliveries, status, send=2), "of the send that was accepted"
    assert deliveries.load(KEY, 1, 0) == before


def test_a_message_is_known_to_be_accepted_by_its_send_and_its_id(deliveries: Deliveries) -> None:
    def known(send: int = 2, message_id: str | None = "wamid.a", turn: int = 1) -> bool:
        return deliveries.is_accepted(KEY, turn, 0, send=send, message_id=message_id)

    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=2), None)
    assert not known(), "its fate is unknown"
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    assert known()
    assert not known(send=1), "of another send"
    assert not known(message_id="wamid.b"), "under another id"
    assert not known(message_id=None)
    assert not known(turn=2), "nothing is there"
    record_status(deliveries, "failed", 131047, send=2)
    failed = deliveries.load(KEY, 1, 0)
    assert failed is not None
    deliveries.claim(KEY, replace(settled, state="waiting", revision=failed.revision), failed)
    assert not known(), "it begins anew"


@pytest.mark.parametrize("status", ["sent", "delivered", "read", "failed"])
def test_a_status_under_another_id_is_of_a_message_that_was_erased(deliveries: Deliveries, status: str) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=1), None)
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.ab"))
    assert not record_status(deliveries, status, send=1)
    assert deliveries.load(KEY, 1, 0) == settled


def test_a_status_is_taken_under_any_id_while_none_is_known_and_under_that_one_from_then_on(
    deliveries: Deliveries,
) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=1, message_id="wamid.first"), None)
    assert record_status(deliveries, "sent", send=1)
    deliveries.settle(KEY, replace(claim, state="accepted"))
    assert record_status(deliveries, "delivered", send=1)
    assert record_status(deliveries, "read", send=1)


def test_a_status_of_an_unknown_message_is_no_news(deliveries: Deliveries) -> None:
    assert not record_status(deliveries, "sent")
    assert deliveries.load(KEY, 1, 0) is None


def test_that_an_earlier_send_failed_says_nothing_of_the_later_one(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    assert not record_status(deliveries, "failed", 131026, send=1)
    assert record_status(deliveries, "delivered", send=1)
    assert not record_status(deliveries, "failed", 131026, send=2)


def test_that_an_earlier_send_was_sent_is_taken_back_when_it_fails(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    assert record_status(deliveries, "sent", send=1)
    assert not record_status(deliveries, "failed", 131026, send=1)
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert not loaded.reached_meta, "of the second send nothing is known"
    assert not record_status(deliveries, "sent", send=1), "it comes again"
    assert record_status(deliveries, "sent", send=2, message_id="wamid.b")
    assert not record_status(deliveries, "failed", 131026, send=1)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.b"))
    assert record_status(deliveries, "delivered", send=2, message_id="wamid.b")


@pytest.mark.parametrize("state", ["waiting", "claimed", "ambiguous", "dead"])
def test_that_an_earlier_send_was_sent_does_not_count_after_its_failure(
    deliveries: Deliveries, state: DeliveryState
) -> None:
    """Meta's webhooks may arrive in any order."""
    deliveries.claim(KEY, Delivery(1, 0, state, sends=2), None)
    assert not record_status(deliveries, "failed", 131026, send=1)
    assert not record_status(deliveries, "sent", send=1)
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert not loaded.reached_meta, "the message would count as accepted"
    assert not record_status(deliveries, "failed", 131026, send=1), "it comes again"
    assert record_status(deliveries, "sent", send=2, message_id="wamid.b")


def test_an_earlier_send_that_failed_did_not_double_the_message(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.b"))
    assert not record_status(deliveries, "failed", 131026, send=1)
    assert not record_status(deliveries, "sent", send=1)


def test_the_latest_send_is_the_one_that_was_sent(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    assert record_status(deliveries, "sent", send=1)
    assert record_status(deliveries, "sent", send=2, message_id="wamid.b")
    assert not record_status(deliveries, "sent", send=2, message_id="wamid.b")
    assert not record_status(deliveries, "sent", send=1)
    assert not record_status(deliveries, "failed", 131026, send=1)
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert loaded.reached_meta


def test_a_message_that_was_taken_for_accepted_by_an_earlier_send_fails_with_it(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    assert record_status(deliveries, "sent", send=1)
    known = deliveries.load(KEY, 1, 0)
    assert known is not None
    deliveries.claim(KEY, replace(known, state="accepted"), known)
    failed = record_status(deliveries, "failed", 131026, send=1)
    assert failed is not None
    assert (failed.status, failed.error_code) == ("failed", 131026)
    assert deliveries.load(KEY, 1, 0) == failed


def test_an_answer_of_meta_to_the_later_send_outweighs_the_earlier_one(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    assert record_status(deliveries, "sent", send=1)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.b"))
    assert not record_status(deliveries, "failed", 131026, send=1)
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert (loaded.state, loaded.status) == ("accepted", "sent")


def test_that_an_earlier_send_was_sent_too_is_told(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=2), None)
    settled = deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.b"))
    delivered = record_status(deliveries, "delivered", send=2, message_id="wamid.b")
    assert delivered is not None
    assert record_status(deliveries, "sent", send=1) == delivered
    assert deliveries.load(KEY, 1, 0) == delivered, "and changes nothing"
    assert not record_status(deliveries, "sent", send=2, message_id="wamid.b")
    failed = replace(settled, revision=delivered.revision, status=None)
    deliveries.claim(KEY, replace(failed, state="accepted", message_id="wamid.c", sends=3), delivered)
    assert record_status(deliveries, "delivered", send=3, message_id="wamid.c")
    assert not record_status(deliveries, "sent", send=2, message_id="wamid.b"), "of a send that failed"


def test_a_message_that_begins_anew_forgets_its_status(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "accepted", sends=1), None)
    assert record_status(deliveries, "failed", 131047)
    known = deliveries.load(KEY, 1, 0)
    assert known is not None
    anew = deliveries.claim(KEY, replace(known, state="waiting", status=None), known)
    assert anew.status is None
    deliveries.settle(KEY, replace(anew, state="claimed", sends=2))
    assert not record_status(deliveries, "failed", 131047)
    assert record_status(deliveries, "sent", send=2)


def test_old_news_of_a_send_that_failed_does_not_keep_the_next_one_from_happening(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "accepted", sends=1), None)
    assert record_status(deliveries, "failed", 131047)
    known = deliveries.load(KEY, 1, 0)
    assert known is not None
    deliveries.claim(KEY, replace(known, state="waiting", status=None), known)
    assert not record_status(deliveries, "failed", 131047)
    assert not record_status(deliveries, "sent")
    waiting = deliveries.load(KEY, 1, 0)
    assert waiting is not None
    assert not waiting.reached_meta
    assert record_status(deliveries, "delivered"), "then it has not failed after all"


def test_the_limit_leaves_at_once_and_the_rest_evenly(slots: RateSlots) -> None:
    taken = [slots.reserve("acme", "organization", 5, NOW) - NOW for _ in range(8)]
    assert taken == pytest.approx([0, 0, 0, 0, 0, 60, 72, 84])


def test_a_worker_whose_clock_is_behind_does_not_wait(slots: RateSlots) -> None:
    clocks = [0.010, 0.005, 0.1, 0.11, 0.12, 0.13]
    taken = [slots.reserve("acme", "organization", 5, NOW + clock) - NOW for clock in clocks]
    assert taken == pytest.approx([0.010, 0.005, 0.1, 0.11, 0.12, 60.01], abs=0.002)


def test_a_rest_frees_the_limit_again(slots: RateSlots) -> None:
    for _ in range(5):
        slots.reserve("acme", "organization", 5, NOW)
    assert slots.reserve("acme", "organization", 5, NOW + 3600) == NOW + 3600


def test_organizations_do_not_share_slots(slots: RateSlots) -> None:
    for _ in range(20):
        slots.reserve("acme", "organization", 5, NOW)
    assert slots.reserve("globex", "organization", 5, NOW) == NOW


def test_who_comes_late_does_not_leave_side_by_side_with_the_next(slots: RateSlots) -> None:
    for _ in range(10):
        slots.reserve("acme", "organization", 5, NOW)
    late = NOW + 115
    assert [slots.depart("acme", "organization", 5, late) for _ in range(5)] == [late] * 5
    assert slots.depart("acme", "organization", 5, late) == late + 60
    assert slots.depart("acme", "organization", 5, late + 60) == late + 60


def test_a_large_limit_spreads_over_the_minute_and_is_never_exceeded(slots: RateSlots) -> None:
    taken = [slots.reserve("acme", "organization", 120, NOW) - NOW for _ in range(140)]
    assert taken[:2] == [0] * 2
    assert taken[2] > 0
    assert taken == sorted(taken)
    assert all(taken[place + 120] - taken[place] >= 60 for place in range(20))
    assert slots.depart("acme", "organization", 120, NOW) == NOW


def test_a_very_large_limit_is_leased_and_never_exceeded(table: Table) -> None:
    """1,000 a second by workers that take 280 ms for a message: a partition takes 1,000 writes a second."""
    workers = [DynamoRateSlots(table) for _ in range(30)]
    writes = 0
    for worker in workers:
        arrive = worker._arrive

        def counted(*arguments: Any, arrive: Any = arrive) -> float:
            nonlocal writes
            writes += 1
            return float(arrive(*arguments))

        worker._arrive = counted  # type: ignore[method-assign]
    taken = []
    for step in range(10):
        for place, worker in enumerate(workers):
            now = NOW + step * 0.28 + place * 0.009
            taken.append(worker.reserve("acme", "organization", 6_000 * 10, now) - now)
    assert writes == len(taken) / LARGEST_BLOCK
    assert max(taken) == 0, "107 messages a second are far below the limit"
    full = sorted(workers[step % 30].reserve("globex", "organization", 12_000, NOW) for step in range(600))
    assert full[-1] - NOW == pytest.approx((600 - 200) * 60 / 11_800, rel=0.02)
    assert len(set(full[200:])) == 400, "no slot is given twice"


def test_workers_that_queue_up_at_one_limit_never_repeat_a_write(table: Table) -> None:
    """Each of a backlog's messages takes one write, however many workers meet at the limit."""
    workers = [DynamoRateSlots(table) for _ in range(5)]
    for worker in workers * 2:
        worker.reserve("acme", "organization", 5, NOW)
    with counted_requests() as requests:
        slots = [worker.reserve("acme", "organization", 5, NOW) for _ in range(8) for worker in workers]
    assert requests == ["UpdateItem"] * 40
    assert slots == pytest.approx([slots[0] + 12 * place for place in range(40)])


def test_a_departure_does_not_wait_for_those_who_queue_up(table: Table) -> None:
    first, second = DynamoRateSlots(table), DynamoRateSlots(table)
    for _ in range(10):
        first.reserve("acme", "organization", 5, NOW)
    assert second.depart("acme", "organization", 5, NOW + 60) == NOW + 60
    for worker in (first, second):
        worker.reserve("acme", "organization", 5, NOW + 60)
    assert first.depart("acme", "organization", 5, NOW + 72) == NOW + 72
    stored = table.item.get("ORG#acme#RATE#organization", "organization")
    assert stored.theoretical_arrival == (NOW + 60 + 12 * 6) * 1000, "no reservation is lost"


def test_a_leased_slot_lapses_and_a_changed_limit_ends_the_lease(table: Table) -> None:
    slots = DynamoRateSlots(table)
    assert slots.reserve("acme", "organization", 60_000, NOW) == NOW
    assert slots.reserve("acme", "organization", 60_000, NOW + LEASE_SECONDS + 1) == NOW + LEASE_SECONDS + 1
    stored = table.item.get("ORG#acme#RATE#organization", "organization").theoretical_arrival
    assert stored > NOW + LEASE_SECONDS + 1, "a new block was reserved"
    later = NOW + LEASE_SECONDS + 1
    assert slots.reserve("acme", "organization", 120, later) >= later
    changed = table.item.get("ORG#acme#RATE#organization", "organization").theoretical_arrival
    assert changed > stored


def test_two_workers_share_one_window(slots: RateSlots, other_worker: RateSlots) -> None:
    both = [worker.reserve("acme", "organization", 5, NOW) - NOW for _ in range(4) for worker in (slots, other_worker)]
    assert both == pytest.approx([0, 0, 0, 0, 0, 60, 72, 84])


def test_campaigns_get_four_fifths_of_a_limit_evenly_and_never_the_same_slot(
    slots: RateSlots, other_worker: RateSlots
) -> None:
    first = slots.reserve_block("acme", "number:1", 4800, 2000, NOW, NOW + 60)
    second = other_worker.reserve_block("acme", "number:1", 4800, 2000, NOW, NOW + 60)
    assert (first.first, first.interval, first.count) == (NOW, 60 / 3840, 2000)
    assert second.first == pytest.approx(first.at(2000))
    assert second.count == 1840, "only what leaves before the end"
    assert slots.reserve_block("acme", "number:1", 4800, 2000, NOW, NOW + 60).count == 0
    later = slots.reserve_block("acme", "number:1", 4800, 1, NOW + 600, NOW + 660)
    assert later.first == NOW + 600, "slots that nobody took are gone"


def test_a_refusal_of_meta_halves_the_pace_once_for_what_was_released_before(
    slots: RateSlots, other_worker: RateSlots
) -> None:
    assert slots.slowed("acme", "1").share_at(NOW) == 1
    for worker in (slots, other_worker, slots):
        worker.slow_down("acme", "1", 130429, NOW)
    assert other_worker.slowed("acme", "1") == SlowDown(0.5, NOW, 130429)
    other_worker.slow_down("acme", "1", 131048, NOW + SLOW_AGAIN_SECONDS)
    slots.slow_down("acme", "1", 130429, NOW + SLOW_AGAIN_SECONDS + 1)
    again = slots.slowed("acme", "1")
    assert (again.share, again.code) == ((0.5 + SLOW_AGAIN_SECONDS / RECOVERY_SECONDS) / 2, 131048)
    assert again.share_at(NOW + 2 * RECOVERY_SECONDS) == 1
    assert slots.slowed("globex", "1") == slots.slowed("acme", "2") == SlowDown()


def test_conversations_keep_a_fifth_of_a_limit_while_a_campaign_runs(slots: RateSlots, other_worker: RateSlots) -> None:
    slots.reserve_block("acme", "number:1", 600, 10_000, NOW, NOW + 60)
    other_worker.reserve("acme", "number:1", 600, NOW)  # tells the worker of the campaign
    taken = sorted(other_worker.reserve("acme", "number:1", 600, NOW) - NOW for _ in range(150))
    assert sum(slot < 60 for slot in taken) == pytest.approx(120, abs=2)
    assert taken[0] == 0, "an answer does not wait for the campaign"
    after = NOW + 1000
    assert [other_worker.reserve("acme", "number:1", 600, after) for _ in range(9)] == [after] * 9


def test_an_exact_limit_stays_exact_while_a_campaign_runs(slots: RateSlots) -> None:
    block = slots.reserve_block("acme", "organization", 5, 100, NOW, NOW + 120)
    assert (block.interval, block.count) == (15, 8)
    departures = [slots.reserve("acme", "organization", 5, NOW) for _ in range(3)]
    for place in range(block.count):
        at = block.at(place)
        while (free_at := slots.depart("acme", "organization", 5, at)) > at:
            at = free_at
        departures.append(at)
    departures.sort()
    assert all(later - earlier >= 60 for earlier, later in zip(departures, departures[5:], strict=False))


def item(turn: int, contact_id: str = KEY.contact_id) -> OutboundItem:
    return OutboundItem(KEY.organization_id, KEY.phone_number_id, contact_id, turn, [Text("Hi")], 1e12)


def test_held_turns_are_found_by_conversation_each_in_order(held_turns: HeldTurns) -> None:
    for turn in (2, 10, 1):
        held_turns.hold(item(turn), NOW)
    held_turns.hold(item(3, "5511000000000"), NOW)
    held_turns.hold(item(4, "BR.abc"), NOW)
    earliest = held_turns.earliest(KEY)
    assert earliest is not None
    assert (earliest.turn, earliest.held_at, msgspec.json.decode(earliest.body, type=OutboundItem)) == (
        1,
        NOW,
        item(1),
    )
    found, after = [], ""
    while (held := held_turns.first_after(KEY.organization_id, KEY.phone_number_id, after)) is not None:
        found.append((held.contact_id, held.turn))
        after = held.contact_id
    assert found == [("5511000000000", 3), (KEY.contact_id, 1), ("BR.abc", 4)]
    assert held_turns.first_after("globex", KEY.phone_number_id, "") is None


def test_held_turns_are_due_in_order_and_can_be_postponed(held_turns: HeldTurns) -> None:
    for turn, due_at in ((1, NOW + 20.125), (2, NOW + 10), (3, None)):
        held_turns.hold(item(turn, f"55{turn}"), NOW, due_at)
    assert list(held_turns.due(NOW + 9)) == []
    assert [(held.turn, held.due_at) for held in held_turns.due(NOW + 21)] == [(2, NOW + 10), (1, NOW + 20.125)]
    other = replace(KEY, contact_id="551")
    held_turns.postpone([(other, 1, NOW + 19)], NOW + 90)
    assert [held.turn for held in held_turns.due(NOW + 21)] == [2, 1], "it is not due at that time"
    held_turns.postpone([(other, 9, NOW), (other, 1, NOW + 20.125), (other, 1, NOW + 20.125)], NOW + 90)
    assert [held.turn for held in held_turns.due(NOW + 21)] == [2]
    assert [held.turn for held in held_turns.due(NOW + 90)] == [2, 1]
    held_turns.hold(item(1, "551"), NOW + 91)
    assert [held.turn for held in held_turns.due(NOW + 99)] == [2], "without a time it is not due"
    assert (found := held_turns.earliest(other)) is not None
    assert found.due_at is None


def test_many_held_turns_are_due(held_turns: HeldTurns) -> None:
    for number in range(230):
        held_turns.hold(item(1, f"55{number:03}"), NOW, NOW + number)
    assert [held.due_at for held in held_turns.due(NOW + 1000)] == [NOW + number for number in range(230)]


def test_held_turns_are_postponed_beside_those_that_were_removed(held_turns: HeldTurns) -> None:
    places = [(replace(KEY, contact_id=f"55{number:03}"), 1, NOW + number) for number in range(150)]
    for key, turn, due_at in places:
        held_turns.hold(item(turn, key.contact_id), NOW, due_at)
    for key, turn, _ in places[::50]:
        held_turns.remove(key, turn)
    held_turns.postpone(places, NOW + 1000)
    assert list(held_turns.due(NOW + 999)) == []
    assert len(list(held_turns.due(NOW + 1000))) == 147


def test_releasing_a_hundred_held_turns_takes_about_a_dozen_requests(table: Table, clock: fakes.FrozenClock) -> None:
    held_turns, client = DynamoHeldTurns(table), Mock(spec=["send_message_batch"])
    client.send_message_batch.return_value = {"Successful": [], "Failed": []}
    for number in range(250):
        held_turns.hold(item(1, f"55{number:03}"), NOW, NOW + number / 1000)
    clock.now = NOW + 60
    queues = SqsQueues(lambda: client, outbound="https://sqs/outbound.fifo")
    release = ReleaseWaitingTurns(held_turns, fakes.MemoryTenants(), queues, clock, lambda *_: None)
    with counted_requests() as requests:
        assert release() == 250
    assert client.send_message_batch.call_count == 25
    assert Counter(requests) == {"Query": DUE_SHARDS, "BatchGetItem": 3, "TransactWriteItems": 3}
    assert list(held_turns.due(clock.now)) == [], "they are not released twice"


def test_a_held_turn_is_replaced_and_removed(held_turns: HeldTurns) -> None:
    held_turns.hold(item(1), NOW)
    held_turns.hold(item(1), NOW + 1)
    earliest = held_turns.earliest(KEY)
    assert earliest is not None
    assert earliest.held_at == NOW + 1
    held_turns.remove(KEY, 1)
    held_turns.remove(KEY, 1)
    assert held_turns.earliest(KEY) is None


def test_a_table_that_does_not_answer_knows_of_no_acceptance(table: Table, clock: fakes.FrozenClock) -> None:
    deliveries = DynamoDeliveries(table, clock, kept())
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW, sends=1), None)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a"))
    elsewhere = DynamoDeliveries(Table("nowhere", "us-east-1"), clock, kept())
    for ledger, known in ((deliveries, True), (elsewhere, False)):
        assert ledger.is_accepted(KEY, 1, 0, send=1, message_id="wamid.a") is known


def test_the_sent_of_a_message_that_meta_holds_is_recorded(deliveries: Deliveries) -> None:
    claim = deliveries.claim(KEY, Delivery(1, 0, "claimed", sends=1), None)
    deliveries.settle(KEY, replace(claim, state="accepted", message_id="wamid.a", held_by_meta=True))
    assert not deliveries.is_accepted(KEY, 1, 0, send=1, message_id="wamid.a")
    sent = deliveries.record_status(KEY, 1, 0, send=1, status="sent", at=1.0, message_id="wamid.a", code=None)
    assert sent is not None
    assert sent.status == "sent"
