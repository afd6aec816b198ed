"""What must be true of follow-ups at the end of every run: each once, none lost, none after an answer or an opt-out."""

import math
from collections import Counter
from collections.abc import Iterator

from pytake.contacts.records import ContactRecord
from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.conversation.sequences.records import FollowUp
from pytake.conversation.sessions import OPENED
from pytake.whatsapp.outbound import Template
from tests.faults.sequence_world import NUMBER, OWNER, SequenceWorld

SKEW_SECONDS = 2
"""The turn of a message may be dated a little later than the message, which identifies the silence after it."""


def broken_follow_ups(world: SequenceWorld) -> list[str]:
    """The invariants of follow-ups that this run broke, as text."""
    return [
        *_nobody_is_followed_up_twice(world),
        *_no_follow_up_is_lost(world),
        *_an_answer_ends_follow_ups(world),
        *_a_silence_has_a_message(world),
        *nobody_is_started_after_an_opt_out(world),
    ]


def started(world: SequenceWorld) -> Iterator[tuple[str, str, TurnRecord]]:
    """The turns of starts: the person, what asked for it, and the record."""
    for key, records in world.conversations.records.items():
        for record in records.values():
            payload = record.input.payload
            if key.organization_id == OWNER and isinstance(payload, dict) and "asked" in payload:
                yield key.contact_id, str(payload["asked"]), record


def _followed(world: SequenceWorld) -> Iterator[tuple[FollowUp, TurnRecord]]:
    """The follow-ups that were started, with their turns."""
    steps = {
        step.start.parameters["asked"]: step.start for one in world.sequences.stored.values() for step in one.steps
    }
    planned = {}
    for one in world.follow_ups.stored.values():
        start = steps[f"{one.sequence_id} {one.step}"]
        request = f"sequence:{one.sequence_id}:{one.step}:{one.anchor}"
        planned[f"start:{digest(one.contact_id, start.flow_id or '', request)}"] = one
    for _, asked, record in started(world):
        if asked in steps and record.message_id in planned:
            yield planned[record.message_id], record


def _nobody_is_followed_up_twice(world: SequenceWorld) -> list[str]:
    planned = Counter((one.contact_id, f"{one.sequence_id} {one.step}") for one in world.follow_ups.stored.values())
    names = {name for _, name in planned}
    times = Counter((who, asked) for who, asked, _ in started(world) if asked in names)
    return [
        f"{who} was followed up {count} times by {asked!r}, planned {planned[who, asked]}"
        for (who, asked), count in times.items()
        if count > planned[who, asked]
    ]


def _no_follow_up_is_lost(world: SequenceWorld) -> list[str]:
    """Who never wrote gets each follow-up of a date, and those after a silence that began with a template that was delivered."""
    problems = [f"{one.sequence_id} {one.step} of {one.contact_id} still waits" for one in world.follow_ups.waiting]
    taken = {(who, asked) for who, asked, _ in started(world)}
    silences = {one.id: len(one.steps) for one in world.sequences.stored.values() if one.field is None}
    dated = any(one.field is not None for one in world.sequences.stored.values())
    for contact in world.contacts:
        who = contact.contact_id
        if not is_silent(world, who):
            continue
        # The first one may be due before the sequence is planned; then it is not sent (ADR 36).
        expected = {
            f"before {one.step}" for one in world.follow_ups.stored.values() if one.contact_id == who and not one.base
        }
        if dated and contact.fields:
            expected.add("before 1")
        first = min((record.seq for record in _turns(world, who) if record.status == OPENED), default=0)
        if _was_sent(world.deliveries.entries.get((ConversationKey(OWNER, NUMBER, who), first, 0))):
            expected |= {f"{name} {step}" for name, steps in silences.items() for step in range(steps)}
        got = {asked for one, asked in taken if one == who}
        problems.extend(f"{who} never got {asked!r}" for asked in sorted(expected - got))
    return problems


def _was_sent(entry: Delivery | None) -> bool:
    """Whether Meta took the message when it was sent first, and did not report later that it failed."""
    is_first = entry is not None and entry.state == "accepted" and not (entry.redrive_count or entry.requeued)
    return is_first and entry is not None and entry.status != "failed"


def _an_answer_ends_follow_ups(world: SequenceWorld) -> list[str]:
    problems = []
    for one, record in _followed(world):
        since = float(one.anchor) + SKEW_SECONDS if one.base else _due(world, one.contact_id)
        before = [other for other in _turns(world, one.contact_id) if other.seq < record.seq]
        wrote = [other.sent_at or other.at for other in before if other.received_message_id is not None]
        wrote = [at for at in wrote if at > since]
        if wrote and (one.base or one.step):
            problems.append(f"{one.contact_id} wrote {record.at - wrote[0]:.0f} s before {one.sequence_id} {one.step}")
    return problems


def _a_silence_has_a_message(world: SequenceWorld) -> list[str]:
    """What follows a silence follows a turn of ours: a template, or the end of a session."""
    return [
        f"{one.contact_id} got {one.sequence_id} {one.step} and nothing before it"
        for one, record in _followed(world)
        if one.base and not any(one.base <= other.at < record.at for other in _turns(world, one.contact_id))
    ]


def nobody_is_started_after_an_opt_out(world: SequenceWorld) -> list[str]:
    """A start needs a person who has not opted out and has agreed to marketing."""
    problems = []
    agreed = {contact.contact_id for contact in world.contacts if contact.consent}
    for who, asked, record in started(world):
        before = [one for one in _turns(world, who) if one.seq < record.seq and one.received_message_id is not None]
        if before and any(event.type == "opted_out" for event in before[-1].events):
            problems.append(f"{who} had opted out and was started by {asked!r}")
        if who not in agreed and any(isinstance(message, Template) for message in record.messages):
            problems.append(f"{who} had not agreed and was started by {asked!r}")
    return problems


def is_silent(world: SequenceWorld, who: str) -> bool:
    """Whether nothing ever speaks against a start: the person never writes and agrees to the end (131050 ends it)."""
    contact: ContactRecord = world.conversations.contacts.load(OWNER, who)
    consents = contact.consent_to("marketing").state == "granted" and not contact.opted_out
    return consents and (OWNER, who) not in world.people


def _turns(world: SequenceWorld, who: str) -> list[TurnRecord]:
    return list(world.conversations.records.get(ConversationKey(OWNER, NUMBER, who), {}).values())


def _due(world: SequenceWorld, who: str) -> float:
    """When the first follow-up of the person's date is due; never, if it was not planned: nothing answers it then."""
    found = [
        one.due_at for one in world.follow_ups.stored.values() if (one.contact_id, one.step, one.base) == (who, 0, 0)
    ]
    return min(found, default=math.inf)
