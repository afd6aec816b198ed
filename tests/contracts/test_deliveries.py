"""Promises of the `Deliveries` and `RateSlots` ports."""

import pytest
from msgspec.structs import replace

from pytake.conversation.ports import ConflictError, Deliveries, RateSlots
from pytake.conversation.records import ConversationKey, Delivery

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
    deliveries.claim(KEY, Delivery(1, 0, "waiting", slot_at=NOW), None)
    seen = deliveries.load(KEY, 1, 0)
    assert seen is not None
    deliveries.claim(KEY, replace(seen, state="claimed", claimed_at=NOW), seen)
    deliveries.settle(KEY, replace(seen, state="waiting", attempts=1))
    with pytest.raises(ConflictError):
        deliveries.claim(KEY, replace(seen, state="claimed"), seen)


def test_a_settled_send_is_read_back(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    deliveries.settle(KEY, Delivery(1, 0, "accepted", claimed_at=NOW, message_id="wamid.a"))
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert (loaded.state, loaded.message_id) == ("accepted", "wamid.a")
    assert [entry.state for entry in deliveries.of_conversation(KEY)] == ["accepted"]


def receipt(deliveries: Deliveries, status: str, code: int | None = None) -> bool:
    return deliveries.receipt(KEY, 1, 0, status=status, at=NOW, message_id="wamid.a", code=code)


def test_a_status_never_moves_backwards(deliveries: Deliveries) -> None:
    deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    assert receipt(deliveries, "delivered")
    assert not receipt(deliveries, "sent")
    assert not receipt(deliveries, "failed", 131026)
    assert receipt(deliveries, "read")
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert loaded.status == "read"


def test_a_receipt_before_the_settlement_survives_it(deliveries: Deliveries) -> None:
    claim = Delivery(1, 0, "claimed", claimed_at=NOW)
    deliveries.claim(KEY, claim, None)
    assert receipt(deliveries, "sent")
    deliveries.settle(KEY, replace(claim, state="accepted"))
    loaded = deliveries.load(KEY, 1, 0)
    assert loaded is not None
    assert (loaded.state, loaded.status, loaded.message_id) == ("accepted", "sent", "wamid.a")


def test_a_receipt_of_an_unknown_message_is_no_news(deliveries: Deliveries) -> None:
    assert not receipt(deliveries, "sent")
    assert deliveries.load(KEY, 1, 0) is None


def test_slots_keep_the_rate_and_allow_a_burst(slots: RateSlots) -> None:
    taken = [slots.reserve("acme", "organization", 5, 5, NOW) - NOW for _ in range(8)]
    assert taken == pytest.approx([0, 0, 0, 0, 0, 12, 24, 36])


def test_a_rest_frees_the_burst_again(slots: RateSlots) -> None:
    for _ in range(5):
        slots.reserve("acme", "organization", 5, 5, NOW)
    assert slots.reserve("acme", "organization", 5, 5, NOW + 3600) == NOW + 3600


def test_organizations_do_not_share_slots(slots: RateSlots) -> None:
    for _ in range(20):
        slots.reserve("acme", "organization", 5, 5, NOW)
    assert slots.reserve("globex", "organization", 5, 5, NOW) == NOW
