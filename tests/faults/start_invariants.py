"""What must be true of conversations that programs started, at the end of every run."""

from collections import Counter
from collections.abc import Iterator

from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.whatsapp.outbound import Template
from tests.faults import invariants
from tests.faults.start_world import HOUR, NUMBER, OWNER, StartWorld
from tests.faults.timeline import START

LOOKED_SECONDS = 900
"""Between the look at a conversation and the turn of its start: a stalled worker, and the retries of the queue."""


def broken(world: StartWorld) -> list[str]:
    """The invariants that this run broke, as text; empty if all hold."""
    return [
        *invariants.broken(world),
        *_nobody_is_started_twice(world),
        *_no_start_is_lost(world),
        *_no_follow_up_is_lost(world),
        *_an_answer_ends_follow_ups(world),
        *_nobody_is_started_after_an_opt_out(world),
    ]


def started(world: StartWorld) -> Iterator[tuple[str, str, TurnRecord]]:
    """The turns of starts: the person, what asked for it, and the record."""
    for key, records in world.conversations.records.items():
        for record in records.values():
            payload = record.input.payload
            if key.organization_id == OWNER and isinstance(payload, dict) and "asked" in payload:
                yield key.contact_id, str(payload["asked"]), record


def _nobody_is_started_twice(world: StartWorld) -> list[str]:
    times = Counter((who, asked) for who, asked, _ in started(world))
    return [f"{who} was started {count} times by {asked!r}" for (who, asked), count in times.items() if count > 1]


def _no_start_is_lost(world: StartWorld) -> list[str]:
    """What was accepted takes its turn. That of a person who writes meanwhile may be refused, which operators learn."""
    problems = []
    taken = {(who, asked) for who, asked, _ in started(world)}
    refused = sum(event.type == "turn.start_refused" for event in world.events)
    for one in world.asked:
        if one.accepted is None:
            problems.append(f"the start {one.name!r} was never answered")
        if one.accepted and (one.phone, one.name) not in taken and (_is_silent(world, one.phone) or not refused):
            problems.append(f"the start {one.name!r} of {one.phone} was accepted and is lost")
    return problems


def _no_follow_up_is_lost(world: StartWorld) -> list[str]:
    """Who never wrote gets each follow-up of a date, and one after a silence that began with a start."""
    problems = [f"{one.sequence_id} {one.step} of {one.contact_id} still waits" for one in world.follow_ups.waiting]
    taken = {(who, asked) for who, asked, _ in started(world)}
    for contact in world.contacts:
        who = contact.contact_id
        if not _is_silent(world, who):
            continue
        # The first one may be due before the sequence is planned; then it is not sent (ADR 36).
        planned = {
            f"before {one.step}" for one in world.follow_ups.stored.values() if one.contact_id == who and not one.base
        }
        expected = planned | {"before 1"} if contact.fields else set()
        if any(one == who for one, _ in taken):
            expected |= {"silence 0"}
        got = {asked for one, asked in taken if one == who}
        problems.extend(f"{who} never got {asked!r}" for asked in sorted(expected - got))
    return problems


def _an_answer_ends_follow_ups(world: StartWorld) -> list[str]:
    problems = []
    for who, asked, record in started(world):
        if asked not in ("before 1", "silence 0"):
            continue
        since = _due(world, who) if asked == "before 1" else record.at - HOUR
        wrote = [at for at in _wrote(world, who) if since < at < record.at - LOOKED_SECONDS]
        if wrote:
            problems.append(f"{who} wrote {record.at - wrote[0]:.0f} s before {asked!r} and got it")
    return problems


def _nobody_is_started_after_an_opt_out(world: StartWorld) -> list[str]:
    problems = []
    agreed = {contact.contact_id for contact in world.contacts if contact.consent}
    for who, asked, record in started(world):
        records = world.conversations.records[ConversationKey(OWNER, NUMBER, who)].values()
        before = [one for one in records if one.seq < record.seq and one.received_message_id is not None]
        if before and any(event.type == "opted_out" for event in before[-1].events):
            problems.append(f"{who} had opted out and was started by {asked!r}")
        if who not in agreed and any(isinstance(message, Template) for message in record.messages):
            problems.append(f"{who} had not agreed and was started by {asked!r}")
    return problems


def _is_silent(world: StartWorld, who: str) -> bool:
    """Whether nothing ever speaks against a start: the person never writes and agrees to the end (131050 ends it)."""
    consents = world.conversations.contacts.load(OWNER, who).consent_to("marketing").state == "granted"
    return consents and (OWNER, who) not in world.people


def _wrote(world: StartWorld, who: str) -> list[float]:
    records = world.conversations.records.get(ConversationKey(OWNER, NUMBER, who), {})
    return [one.sent_at or one.at for one in records.values() if one.received_message_id is not None]


def _due(world: StartWorld, who: str) -> float:
    """When the first follow-up of the person's date is due."""
    found = [one.due_at for one in world.follow_ups.stored.values() if one.contact_id == who and one.step == 0]
    return min(found, default=START)
