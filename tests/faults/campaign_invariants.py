"""What must be true of a campaign at the end of every run, whatever faults it had."""

from collections import Counter
from collections.abc import Iterator

from pytake.campaigns.assignment import is_held_out
from pytake.campaigns.audience import HOLDOUT, PLANNED, SKIPPED, WAITING
from pytake.campaigns.release import FAILED
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.whatsapp.errors import PERSON_LIMIT
from pytake.whatsapp.outbound import Template
from tests.faults import invariants
from tests.faults.campaign_world import ID, PRICES, CampaignWorld
from tests.faults.sequence_invariants import broken_follow_ups
from tests.faults.sequence_world import OWNER
from tests.faults.timeline import DAY

PAUSE_SECONDS = 125
"""How long after a pause, at most, a worker that stalled may still release: its lease, and the clocks' difference."""

IN_FLIGHT_SECONDS = 600
"""How long a send may be under way: a worker that read the consent may stall before it posts."""

SKEW_SECONDS = 2


def broken(world: CampaignWorld) -> list[str]:
    """The invariants that this run broke, as text; empty if all hold."""
    return [
        *invariants.broken(world),
        *_each_person_is_listed_once(world),
        *_each_person_is_written_to_once_or_listed_with_a_reason(world),
        *_only_what_meta_limits_is_repeated_once_a_day_later(world),
        *_nobody_is_written_to_after_an_opt_out(world),
        *_no_more_is_spent_than_allowed(world),
        *_a_pause_holds(world),
        *_messages_wait_for_their_slots(world),
        *_the_report_equals_a_count_over_the_records(world),
        *broken_follow_ups(world),
    ]


def taken(world: CampaignWorld) -> Iterator[tuple[ConversationKey, TurnRecord]]:
    """The turns that the campaign took, but for those that repeat a message."""
    return ((key, record) for key, record in all_taken(world) if record.campaign and not record.campaign.retry)


def repeated(world: CampaignWorld) -> dict[ConversationKey, list[TurnRecord]]:
    """The turns that repeat a message which Meta did not deliver."""
    found: dict[ConversationKey, list[TurnRecord]] = {}
    for key, record in all_taken(world):
        if record.campaign is not None and record.campaign.retry:
            found.setdefault(key, []).append(record)
    return found


def all_taken(world: CampaignWorld) -> Iterator[tuple[ConversationKey, TurnRecord]]:
    """All turns of the campaign."""
    for key, records in world.conversations.records.items():
        for record in records.values():
            if record.campaign is not None and record.campaign.campaign_id == ID:
                yield key, record


def outcomes(world: CampaignWorld) -> dict[str, str]:
    """The outcome of each person of the audience."""
    return {
        contact_id: outcome
        for part in world.audiences.stored.values()
        for contact_id, outcome in zip(part.recipients, part.outcomes, strict=True)
    }


def _each_person_is_listed_once(world: CampaignWorld) -> list[str]:
    campaign = world.campaign
    listed = Counter(one for part in world.audiences.stored.values() for one in part.recipients)
    problems = [f"{one} is listed {times} times" for one, times in listed.items() if times != 1]
    if campaign.is_frozen:
        missing = {contact.contact_id for contact in world.segment} - set(listed)
        problems.extend(f"{one} of the segment is not listed" for one in missing)
        if campaign.freeze.people != len(world.segment):
            problems.append(f"{campaign.freeze.people} people of {len(world.segment)} were counted")
    return problems


def _each_person_is_written_to_once_or_listed_with_a_reason(world: CampaignWorld) -> list[str]:
    problems, campaign = [], world.campaign
    if not world.is_started:
        problems.append("the start was never answered")
    turns = Counter(key.contact_id for key, _ in taken(world))
    for contact_id, times in turns.items():
        if times > 1:
            problems.append(f"{contact_id} was written to by {times} turns")
    for contact_id, outcome in outcomes(world).items():
        held_out = is_held_out(ID, contact_id, campaign.definition)
        if outcome.startswith(SKIPPED) and turns[contact_id]:
            problems.append(f"{contact_id} is listed as {outcome} and was written to")
        if held_out and outcome == PLANNED:
            problems.append(f"{contact_id} is to be left out and is planned")
        if outcome.startswith(HOLDOUT) and not held_out:
            problems.append(f"{contact_id} is left out without a reason")
        if campaign.status == "completed" and outcome == PLANNED:
            problems.append(f"{contact_id} was left out silently")
        # Of a turn that failed in the hands of several workers it may be unknown whether it was taken.
        if outcome not in (PLANNED, FAILED) and not outcome.startswith(SKIPPED) and not turns[contact_id]:
            problems.append(f"{contact_id} is listed as {outcome} and was never written to")
        if outcome == PLANNED and turns[contact_id]:
            problems.append(f"{contact_id} was written to and is still planned")
    if campaign.chunk is not None:
        problems.append(f"the campaign still has people in hand: {campaign.chunk}")
    if campaign.waiting == "budget" and _budget_left(world) >= max(PRICES.values()):
        problems.append(f"the campaign waits for its budget, but {_budget_left(world)} is left")
    # At night, a campaign without budget waits for the morning.
    is_used_up = world.budget.left is not None and _budget_left(world) < max(PRICES.values())
    no_budget = is_used_up and campaign.waiting in ("budget", "quiet_hours")
    tomorrow = campaign.waiting == "day_limit" and bool(world.day_limits.limits)
    may_wait = no_budget or tomorrow or campaign.reason in ("spend_cap", "failures", "opt_outs")
    if campaign.status in ("running", "scheduled", "paused", "stopped") and not may_wait:
        problems.append(
            f"the campaign does not end: {campaign.status}, {campaign.reason}, waits for {campaign.waiting}"
        )
    return problems


def _budget_left(world: CampaignWorld) -> int:
    return (world.budget.left or 0) - sum(world.budget.reserved.values())


def _only_what_meta_limits_is_repeated_once_a_day_later(world: CampaignWorld) -> list[str]:
    problems, first = [], dict(taken(world))
    for key, records in repeated(world).items():
        entry = world.deliveries.entries.get((key, first[key].seq, 0)) if key in first else None
        if len(records) > 1:
            problems.append(f"{key.contact_id} got {len(records)} repetitions")
        if entry is None or entry.error_code != PERSON_LIMIT or "failed" not in (entry.status, entry.state):
            problems.append(f"the message of {key.contact_id} was repeated without a reason")
        elif records[0].at < (entry.status_at or entry.claimed_at or 0) + DAY - SKEW_SECONDS:
            problems.append(f"the message of {key.contact_id} was repeated too early")
    waiting = [contact_id for contact_id, outcome in outcomes(world).items() if outcome.startswith(WAITING)]
    return [*problems, *(f"{contact_id} still waits for the repetition" for contact_id in waiting)]


def _nobody_is_written_to_after_an_opt_out(world: CampaignWorld) -> list[str]:
    problems = []
    refused = {one.contact_id for one in world.segment if one.opted_out or not one.consent}
    for key, record in all_taken(world):
        # Who wrote first may have agreed again.
        before = [one for one in world.conversations.records[key].values() if one.seq < record.seq]
        if key.contact_id in refused and not any(one.received_message_id for one in before):
            problems.append(f"{key.contact_id} had not agreed and was written to")
        last = next((one for one in reversed(before) if one.received_message_id is not None), None)
        if last is not None and any(event.type == "opted_out" for event in last.events):
            problems.append(f"{key.contact_id} had opted out and was written to")
    stops = {
        key.contact_id: record.at
        for key, records in world.conversations.records.items()
        for record in records.values()
        if key.organization_id == OWNER and any(event.type == "opted_out" for event in record.events)
    }
    for sent in world.meta.sent:
        contact_id = str(sent.payload["to"])
        if sent.payload["type"] != "template" or sent.payload["template"]["name"] != "spring":
            continue
        at = stops.get(contact_id)
        wrote_later = any(
            record.received_message_id is not None and at is not None and record.at > at
            for key, records in world.conversations.records.items()
            if key.contact_id == contact_id
            for record in records.values()
        )
        if at is not None and sent.at > at + IN_FLIGHT_SECONDS and not wrote_later:
            problems.append(f"{contact_id} got the campaign {sent.at - at:.0f} s after the opt-out")
    return problems


def _no_more_is_spent_than_allowed(world: CampaignWorld) -> list[str]:
    problems, campaign = [], world.campaign
    cap = campaign.definition.spend_cap_micros
    spent = sum(record.campaign.price_micros for _, record in taken(world) if record.campaign is not None)
    if cap is not None and (spent > cap or campaign.spent_micros > cap):
        problems.append(f"spent {spent}, noted {campaign.spent_micros}, allowed {cap}")
    if spent > campaign.spent_micros:
        problems.append(f"spent {spent} and noted only {campaign.spent_micros}")
    reserved = sum(world.budget.reserved.values())
    if world.budget.left is not None and reserved > world.budget.left:
        problems.append(f"reserved {reserved} of a budget of {world.budget.left}")
    if world.budget.left is not None and spent > reserved:
        problems.append(f"spent {spent} and reserved only {reserved} of the budget")
    prices = {part.zone: PRICES.get(part.zone, PRICES[None]) for part in world.audiences.stored.values()}
    zone_of = {one: part.zone for part in world.audiences.stored.values() for one in part.recipients}
    for key, record in taken(world):
        if record.campaign is not None and record.campaign.price_micros != prices[zone_of[key.contact_id]]:
            problems.append(f"{key.contact_id} has the price {record.campaign.price_micros}")
    return problems


def _a_pause_holds(world: CampaignWorld) -> list[str]:
    problems: list[str] = []
    changes = world.campaigns.changes
    turns = list(all_taken(world))
    for (at, status), (until, _) in zip(changes, [*changes[1:], (float("inf"), "")], strict=True):
        if status == "running":
            continue
        problems.extend(
            f"{key.contact_id} was written to {record.at - at:.0f} s after the campaign was {status}"
            for key, record in turns
            if at + PAUSE_SECONDS < record.at < until - SKEW_SECONDS
            and not (status == "completed" and record.campaign is not None and record.campaign.retry)
        )
    return problems


def _messages_wait_for_their_slots(world: CampaignWorld) -> list[str]:
    turns = all_taken(world)
    slots = {(key, record.seq): record.campaign.slot_at for key, record in turns if record.campaign is not None}
    problems = []
    for sent in world.meta.sent:
        (key, turn, _), _ = invariants._place(sent.payload)
        if sent.at < slots.get((key, turn), 0) - SKEW_SECONDS:
            problems.append(f"{key.contact_id} got the campaign {slots[key, turn] - sent.at:.0f} s before its slot")
    return problems


def _completed(later: list[TurnRecord]) -> bool:
    """Whether the first session after the campaign's turn reached the flow's end."""
    session = next((one.session_id for one in later if one.session_id), None)
    return any(one.session_id == session and event.type == "completed" for one in later for event in one.events)


def _what_the_left_out_did(world: CampaignWorld) -> Iterator[str]:
    """Who of the holdout wrote to the number within three days after the part was written to."""
    for part in world.audiences.stored.values():
        for contact_id, outcome in zip(part.recipients, part.outcomes, strict=True):
            key = ConversationKey(OWNER, world.numbers[OWNER], contact_id)
            texts = [one.at for one in world.conversations.records.get(key, {}).values() if one.message_type == "text"]
            wrote = any(part.written_at < at <= part.written_at + 72 * 3600 for at in texts)
            if outcome.startswith(HOLDOUT) and part.written_at and wrote != ("replied" in outcome.split()):
                yield f"{contact_id} is left out and wrote: {wrote}, listed {outcome!r}"


def _the_report_equals_a_count_over_the_records(world: CampaignWorld) -> list[str]:
    """What the audience says of each person, and what their records, the ledger and Meta say."""
    problems, listed, again = [], outcomes(world), repeated(world)
    for key, first in taken(world):
        record = again[key][0] if key in again else first
        state, *did = [word for word in listed.get(key.contact_id, "").split() if word[0] not in "=@"] or [""]
        entry = world.deliveries.entries.get((key, record.seq, 0))
        later = [one for one in world.conversations.records[key].values() if one.seq > first.seq]
        day = [one for one in later if one.at <= record.at + 72 * 3600]
        expected = {
            "replied": any(one.message_type == "text" for one in day),
            "completed": world.campaign.definition.flow_id is not None and _completed(day),
            "opted_out": any(event.type == "opted_out" for one in day for event in one.events),
        }
        for word, holds in expected.items():
            if holds != (word in did):
                problems.append(f"{key.contact_id} {word}: {holds}, listed {listed.get(key.contact_id)!r}")
        if not isinstance(record.messages[0], Template) or entry is None:
            problems.append(f"{key.contact_id} has no entry in the ledger")
            continue
        # What Meta says of a message counts: a late status may report one that its worker's death made look unsent.
        failed = "failed" in ((entry.status,) if entry.status else (entry.state,))
        if failed != state.startswith("failed:"):
            problems.append(f"{key.contact_id} failed: {failed}, listed {state}")
        if entry.status in ("sent", "delivered", "read") and state != entry.status:
            problems.append(f"{key.contact_id} is {entry.status}, listed {state}")
    problems.extend(_what_the_left_out_did(world))
    cost = sum(part.cost_micros for part in world.audiences.stored.values())
    paid = sum(
        record.campaign.price_micros
        for key, record in taken(world)
        if record.campaign is not None and not listed.get(key.contact_id, "").startswith("failed:")
    )
    if cost != paid:
        problems.append(f"the report says {cost}, the records say {paid}")
    waiting = [part.number for part in world.audiences.stored.values() if part.recount_at is not None]
    return [*problems, *(f"part {number} still waits for a recount" for number in waiting)]
