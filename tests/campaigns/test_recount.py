"""Outcomes are computed from the records of turns and the ledger, and stay when a person is erased."""

from typing import Any

import pytest

from pytake.campaigns.audience import AudiencePart, without
from pytake.campaigns.recount import (
    RECOUNT_AFTER,
    Counted,
    RecountAudience,
    cost_of,
    outcome_of,
    outcome_without_message,
)
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.records import Delivery, TurnRecord
from pytake.engine import Event, Input
from tests.faults import campaign_world
from tests.faults.campaign_invariants import broken
from tests.faults.campaign_world import CampaignWorld

MARK = CampaignMark("spring", price_micros=62_500)
NOW = 1_770_000_000.0
SENT = TurnRecord(1, NOW, "", "opened", Input(type="start"), message_id="campaign:spring", message_type="start")


def recount_of(world: CampaignWorld) -> RecountAudience:
    nothing: Any = None
    return RecountAudience(
        world.audiences,
        world.conversations,
        world.conversations.aliases,
        world.deliveries,
        world.campaigns,
        nothing,
        nothing,
        lambda: NOW,
    )


def later(seq: int, after: float, *events: str, kind: str = "text", session_id: str = "") -> TurnRecord:
    return TurnRecord(
        seq,
        NOW + after,
        session_id,
        "waiting",
        Input(type=kind),
        message_id=f"wamid.{seq}",
        message_type=kind,
        events=[Event(event) for event in events],
    )


def begun(seq: int, after: float, *events: str) -> TurnRecord:
    """The answer with which the opened flow starts, in a session of its own (ADR 30)."""
    record = later(seq, after, *events, session_id=str(seq))
    record.parameters = {}
    return record


def opened(campaign_id: str) -> TurnRecord:
    """A turn in which a template of a campaign opens the conversation again."""
    return TurnRecord(2, NOW + 30, "", "opened", Input(type="start"), campaign=CampaignMark(campaign_id))


@pytest.mark.parametrize(
    ("delivery", "turns", "outcome"),
    [
        (None, [], "released =62500"),
        (Delivery(1, 0, "claimed"), [], "released =62500"),
        (Delivery(1, 0, "accepted"), [], "sent =62500"),
        (Delivery(1, 0, "accepted", held_by_meta=True), [], "held =62500"),
        (Delivery(1, 0, "accepted", held_by_meta=True, status="delivered"), [], "delivered =62500"),
        (Delivery(1, 0, "accepted", status="failed", error_code=131049), [], "failed:131049"),
        (Delivery(1, 0, "deferred", error_code=131048, reason="retry_manually:131048"), [], "failed:131048"),
        (Delivery(1, 0, "failed", reason="no_consent"), [], "failed:no_consent"),
        (Delivery(1, 0, "failed", reason="not_sendable:a b"), [], "failed:not_sendable"),
        (Delivery(1, 0, "accepted", status="read"), [later(2, 60)], "read replied =62500"),
        (Delivery(1, 0, "accepted", status="read"), [later(2, 60, kind="reaction")], "read =62500"),
        (Delivery(1, 0, "accepted", status="read"), [later(2, 73 * 3600, "opted_out")], "read =62500"),
        (Delivery(1, 0, "accepted"), [later(2, 60, "opted_out")], "sent replied opted_out =62500"),
        (
            Delivery(1, 0, "accepted"),
            [begun(2, 60), later(3, 90, "completed", session_id="2")],
            "sent replied completed =62500",
        ),
        (Delivery(1, 0, "accepted"), [begun(2, 60, "completed")], "sent replied completed =62500"),
        (
            Delivery(1, 0, "accepted"),
            [begun(2, 60), later(3, 90, "completed", session_id="another")],
            "sent replied =62500",
        ),
        (Delivery(1, 0, "accepted"), [later(2, 60, "completed", session_id="2")], "sent replied =62500"),
        (Delivery(1, 0, "accepted"), [opened("retail"), begun(3, 60, "completed")], "sent replied =62500"),
        (Delivery(1, 0, "accepted"), [opened("spring"), begun(3, 60, "completed")], "sent replied completed =62500"),
    ],
)
def test_what_a_person_did_and_what_the_ledger_knows_make_the_outcome(
    delivery: Delivery | None, turns: list[TurnRecord], outcome: str
) -> None:
    assert outcome_of(MARK, SENT, delivery, turns) == outcome


def test_the_outcome_names_the_variant() -> None:
    mark = CampaignMark("spring", "b")
    assert outcome_of(mark, SENT, Delivery(1, 0, "accepted", status="read"), [later(2, 60)]) == "read replied @b"


def test_what_people_without_a_message_do_is_counted_for_three_days() -> None:
    completed = later(4, 120, "completed")
    completed.flow_id = "menu"
    for was, turns, outcome in (
        ("-holdout", [later(2, -60), later(3, 73 * 3600)], "-holdout"),
        ("-holdout", [later(2, 60, kind="reaction")], "-holdout"),
        ("-holdout", [later(2, 60)], "-holdout replied"),
        ("-in_session late replied", [later(2, 60), completed], "-in_session late replied completed"),
        ("-holdout replied", [], "-holdout"),
    ):
        assert outcome_without_message(was, NOW, turns, {"menu"}) == outcome
    assert outcome_without_message("-holdout", NOW, [completed], {"another"}) == "-holdout replied"


def test_a_part_costs_what_its_outcomes_say() -> None:
    assert cost_of(["", "-no_consent", "read replied =62500", "failed:131026", "sent =25000"]) == 87_500


def test_a_report_stays_exact_when_people_are_erased() -> None:
    world = campaign_world.to_the_end(campaign_world.calm())
    assert broken(world) == []
    before = world.audiences.counts("acme", "spring")
    erased = world.segment[0].contact_id
    for place, part in list(world.audiences.stored.items()):
        world.audiences.put(*place[:2], without(part, erased))
    for key in [key for key in world.conversations.stored if key.contact_id == erased]:
        del world.conversations.stored[key], world.conversations.records[key]
        for place in [place for place in world.deliveries.entries if place[0] == key]:
            del world.deliveries.entries[place]
    recount = recount_of(world)
    for part in list(world.audiences.stored.values()):
        recount.recount("acme", "spring", part.zone, part.number)
    assert world.audiences.counts("acme", "spring") == before
    assert erased not in {one for part in world.audiences.stored.values() for one in part.recipients}


def test_parts_are_recounted_until_three_days_after_their_release() -> None:
    assert RECOUNT_AFTER == (60, 300, 3600, 21_600, 86_400, 259_260)
    world = campaign_world.to_the_end(campaign_world.calm())
    assert {(part.recounts, part.recount_at) for part in world.audiences.stored.values()} == {
        (len(RECOUNT_AFTER), None)
    }


def test_a_recount_keeps_what_was_released_meanwhile() -> None:
    world = campaign_world.to_the_end(campaign_world.calm())
    place, part = next(iter(world.audiences.stored.items()))
    recount = recount_of(world)
    stale = AudiencePart(zone=part.zone, number=part.number, recipients=[], outcomes=[])
    recount._write(*place[:2], stale, {part.recipients[0]: Counted("sent")})
    after = world.audiences.stored[place]
    assert after.outcomes == ["sent", *part.outcomes[1:]]
    assert after.recounts == part.recounts, "the schedule of a part that was released meanwhile begins again"
