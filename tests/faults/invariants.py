"""The invariants that hold at the end of every run, whatever faults it had."""

from collections import Counter
from typing import Any

import msgspec

from pytake import engine
from pytake.conversation.business_events import events_of_turn, failed_delivery, type_of
from pytake.conversation.callback_data import read_callback_data
from pytake.conversation.opening import OPENED
from pytake.conversation.records import (
    DEFAULT_COMMANDS,
    ConversationKey,
    Delivery,
    TurnContext,
    TurnRecord,
)
from pytake.conversation.sessions import new_session_id
from pytake.engine import Context, State, opened_state
from pytake.engine.contact_changes import contact_after
from pytake.whatsapp.errors import PERSON_LIMIT
from pytake.whatsapp.outbound import Template
from tests.faults.meta import text_of
from tests.faults.story_flow import COMPILED
from tests.faults.world import World, user_id_of

REFUSED_FOR_GOOD = (
    "permanent:131026",
    "opted_out",
    "opted_out:131050",
    "no_consent",
    "window_closed",
    "window_closed:template_sent",
    "window_closed:131047",
)
SENT_AGAIN = (131047, 131053, 131042)
"""The errors after which a message is sent again although Meta had accepted it: window closed, media, account."""

BEGUN_SECONDS = 150
"""A worker may have checked before the opt-out was committed: a turn of 60 s, a send of 30 s, and a turn that is so young that
the sender does not look."""

LOOKED_SECONDS = 31
"""The sender looks right before it sends, and dies after 30 seconds."""

Place = tuple[ConversationKey, int, int]


def broken(world: World) -> list[str]:
    """The invariants that this run broke, as text; empty if all hold."""
    return [
        *world.surprises,
        *_queues_drain(world),
        *_each_message_takes_one_turn(world),
        *_a_person_is_one_contact(world),
        *_nothing_leaves_after_an_opt_out(world),
        *_marketing_needs_consent(world),
        *_each_reply_is_sent_once(world),
        *_replies_are_in_order(world),
        *_what_failed_is_known(world),
        *_nobody_sees_what_is_anothers(world),
        *_records_rebuild_the_state(world),
        *_integrators_are_told(world),
    ]


def _queues_drain(world: World) -> list[str]:
    problems = []
    for name, queue in world.queues.items():
        if queue.lost:
            problems.append(f"queue {name} forgot {len(queue.lost)} messages")
        left = [message for message in queue.messages if not message.body.startswith("{not")]
        if left:
            problems.append(f"queue {name} still holds {len(left)} messages: {left[0].body[:200]}")
    if world.held_turns.items:
        problems.append(f"{len(world.held_turns.items)} turns are still held")
    for number in world.tenants.by_id.values():
        if number.stopped_reason:
            problems.append(f"number {number.phone_number_id} is still stopped: {number.stopped_reason}")
    return problems


def _each_message_takes_one_turn(world: World) -> list[str]:
    problems = []
    taken: Counter[tuple[str, str, str]] = Counter()
    person = {user_id_of(phone): phone for _, phone in world.people}
    for key, records in world.conversations.records.items():
        for record in records.values():
            if record.message_id is not None:
                taken[key.organization_id, person.get(key.contact_id, key.contact_id), record.message_id] += 1
        seqs = sorted(records)
        if seqs != list(range(1, len(seqs) + 1)):
            problems.append(f"{key} has a gap in its turns: {seqs}")
    for (owner, phone), ids in world.people.items():
        for id_ in ids:
            times = taken.pop((owner, phone, id_), 0)
            if times != 1:
                problems.append(f"message {id_} took {times} turns")
    own = ("due:", "campaign:", "start:")
    problems.extend(f"{place} took a turn and nobody wrote it" for place in taken if not place[2].startswith(own))
    return problems


def _a_person_is_one_contact(world: World) -> list[str]:
    """Once Meta has named a person by both ids, they have one conversation, and no merge is left unfinished.

    The mark of a merge outlasts it when the worker died right before it took it away: the next look for the person's ids does so.
    """
    problems = []
    for owner, phone in sorted(world.proved):
        ids = (phone, user_id_of(phone))
        keys = [ConversationKey(owner, world.numbers[owner], id_) for id_ in ids]
        live = [key for key in keys if key in world.conversations.stored and not _left(world, key)]
        if len(live) != 1:
            problems.append(f"{phone} of {owner} has the conversations {live}")
    died_at_the_end = any(
        what == "FAULT" and more.startswith("aliases.finish_merge") for _, _, what, more in world.traced
    )
    for (owner, id_), alias in world.conversations.aliases.stored.items():
        keys = [ConversationKey(owner, world.numbers[owner], merged) for merged in sorted(alias.merging)]
        are_apart = any(key in world.conversations.stored and not _left(world, key) for key in keys)
        if keys and (are_apart or not died_at_the_end):
            problems.append(f"the merge of {sorted(alias.merging)} into {id_} of {owner} is not finished")
    return problems


def _left(world: World, key: ConversationKey) -> bool:
    return world.conversations.stored[key].merged_into is not None


def _opted_out(world: World, key: ConversationKey) -> list[tuple[float, float, int]]:
    """When the person of this conversation wanted no messages: from, until, and the turn that ended it or was the last."""
    found = []
    since: float | None = None
    records = [record for _, record in sorted(world.conversations.records[key].items())]
    for record in records:
        merged = [
            event.data["from"] for event in record.events if event.type == "contact_merged" and "from" in event.data
        ]
        stops = any(event.type == "opted_out" and "at" not in event.data for event in record.events)
        if stops or any(_ends_opted_out(world, msgspec.structs.replace(key, contact_id=one)) for one in merged):
            since = record.at if since is None else since
        elif since is not None and _is_message(record) and record.status not in ("opted_out", "merged"):
            found.append((since, record.at, record.seq))
            since = None
    return found if since is None else [*found, (since, float("inf"), len(records) + 1)]


def _silent(
    world: World, intervals: dict[ConversationKey, list[tuple[float, float, int]]], key: ConversationKey
) -> list[tuple[float, float, int]]:
    """When no answer of this conversation may leave. Once it is merged, what the person says in the other one counts for it."""
    into = world.conversations.stored[key].merged_into
    if into is None:
        return intervals[key]
    last, merge = max(world.conversations.records[key].items())
    others = intervals[msgspec.structs.replace(key, contact_id=into)]
    since_merge = [(max(since, merge.at), until, last) for since, until, _ in others if until >= merge.at]
    lifted_at = min((until for _, until, _ in since_merge), default=float("inf"))
    return [*((since, min(until, lifted_at), by) for since, until, by in intervals[key]), *since_merge]


def _is_message(record: TurnRecord) -> bool:
    return record.message_id is not None and not record.message_id.startswith("due:")


def _ends_opted_out(world: World, key: ConversationKey) -> bool:
    intervals = _opted_out(world, key)
    return bool(intervals) and intervals[-1][1] == float("inf")


def _nothing_leaves_after_an_opt_out(world: World) -> list[str]:
    """No answer of an earlier turn is sent while the person wants no messages, but for what a worker had begun to send."""
    problems = []
    # A worker whose clock is fast dates the message that ends an opt-out later than it came.
    intervals = {key: _opted_out(world, key) for key in world.conversations.records}
    for sent in world.meta.sent:
        key, turn, _ = _place(sent.payload)[0]
        record = world.conversations.records[key][turn]
        if any(event.type == "opted_out" for event in record.events):
            continue  # it confirms the opt-out
        for since, until, ended_by in _silent(world, intervals, key):
            if turn < ended_by and since + BEGUN_SECONDS < sent.at < until - world.skew and record.at <= since:
                problems.append(f"{_place(sent.payload)[0]} left {sent.at - since:.0f} s after the person opted out")
    return problems


def _marketing_needs_consent(world: World) -> list[str]:
    """A marketing template leaves only if a worker could have known of consent when it looked, right before."""
    problems = []
    for sent in world.meta.sent:
        if text_of(sent.payload) != "template offer":
            continue
        key = _place(sent.payload)[0][0]
        contacts = (key.contact_id, world.conversations.stored[key].merged_into or key.contact_id)
        if not any(_could_know(world.marketing.get((key.organization_id, one), []), sent.at) for one in contacts):
            problems.append(f"{_place(sent.payload)[0]} left without consent to marketing")
    return problems


def _could_know(known: list[tuple[float, bool]], sent_at: float) -> bool:
    """Whether a worker that looked shortly before could have known that marketing is wanted."""
    at_first = [granted for at, granted in known if at <= sent_at - LOOKED_SECONDS][-1:]
    return any([*at_first, *(granted for at, granted in known if sent_at - LOOKED_SECONDS < at <= sent_at)])


def taken_by_meta(world: World) -> list[tuple[Place, int, str]]:
    """The messages that Meta accepted, in order: place, number of the send, text."""
    found = []
    for sent in world.meta.sent:
        place, send = _place(sent.payload)
        found.append((place, send, text_of(sent.payload)))
    return found


def _place(payload: dict[str, Any]) -> tuple[Place, int]:
    """The message that a request to Meta sends, and the number of the send."""
    found = read_callback_data(payload["biz_opaque_callback_data"])
    assert found is not None
    return (found[0], found[1], found[2]), found[3]


def said(world: World) -> dict[Place, str]:
    """The texts of the turns' messages."""
    return {
        (key, record.seq, index): f"template {message.name}" if isinstance(message, Template) else message.text  # type: ignore[union-attr]
        for key, records in world.conversations.records.items()
        for record in records.values()
        for index, message in enumerate(record.messages)
    }


def _each_reply_is_sent_once(world: World) -> list[str]:
    problems = []
    sends: Counter[Place] = Counter()
    expected = said(world)
    for place, _, text in taken_by_meta(world):
        sends[place] += 1
        if place not in expected:
            problems.append(f"{place} was sent and never said")
        elif text not in (expected[place], "template back"):
            problems.append(f"{place} said {expected[place]!r} and sent {text!r}")
    possibly_duplicate = Counter(
        (event.detail["phone_number_id"], event.detail["turn"], event.detail["index"])
        for event in world.events
        if event.type == "delivery.resent_after_deadline"
    )
    denied = Counter(_place(sent.payload)[0] for sent in world.meta.denied)
    mended = Counter(_place(sent.payload)[0] for sent, code in world.meta.reported_failed if code in SENT_AGAIN)
    for place in expected:
        entry = world.deliveries.entries.get(place)
        count = sends[place]
        if count == 0 and not _is_refused(entry) and not _repeats_itself(world, place, entry):
            problems.append(f"lost: {place} {expected[place]!r}, ledger {entry}")
        if count > 1:
            told = possibly_duplicate[place[0].phone_number_id, place[1], place[2]]
            if count - 1 > told + mended[place] + denied[place]:
                problems.append(f"doubled: {place} was sent {count} times, operators were told of {told} doubts")
        if entry is not None and entry.state not in ("accepted", "failed"):
            problems.append(f"unsettled: {place} {entry}")
    return problems


def _what_failed_is_known(world: World) -> list[str]:
    """A message is failed in the ledger if Meta reported each accepted send of it as failed."""
    failed = Counter(_place(sent.payload)[0] for sent, _ in world.meta.reported_failed)
    taken = Counter(place for place, _, _ in taken_by_meta(world))
    entries = world.deliveries.entries
    return [
        f"not noted: all sends of {place} failed, ledger {entries.get(place)}"
        for place, times in failed.items()
        if times == taken[place]
        and (place not in entries or "failed" not in (entries[place].status, entries[place].state))
    ]


def sent_twice(world: World) -> list[Place]:
    """The messages that Meta accepted more than once, without having denied it."""
    sends = Counter(place for place, _, _ in taken_by_meta(world))
    sends.subtract(_place(sent.payload)[0] for sent in world.meta.denied)
    return [place for place, count in sends.items() if count > 1]


def _is_refused(entry: Delivery | None) -> bool:
    return entry is not None and entry.state == "failed" and entry.reason in REFUSED_FOR_GOOD


def _repeats_itself(world: World, place: Place, entry: Delivery | None) -> bool:
    """Whether a campaign repeats the message, which Meta did not take from it."""
    record = world.conversations.records[place[0]][place[1]]
    is_limited = entry is not None and entry.state == "failed" and entry.error_code == PERSON_LIMIT
    return is_limited and record.campaign is not None


def _replies_are_in_order(world: World) -> list[str]:
    """The first sends of a conversation are in the order of its turns. Redriven and ambiguous messages may be late.

    A person whose messages come with and without the user id has two message groups (ADR 26), so their turns are in order
    within a group only.
    """
    problems = []
    late = {
        place
        for place, entry in world.deliveries.entries.items()
        if entry.redrive_count or entry.requeued or (entry.reason and entry.reason.startswith("retry_manually"))
    }
    last: dict[ConversationKey, tuple[int, int]] = {}
    seen: set[Place] = set()
    redriven_turns = {(place[0], place[1]) for place in late}
    for place, _, _ in taken_by_meta(world):
        if place in seen or place in late or (place[0], place[1]) in redriven_turns:
            continue
        if world.conversations.records[place[0]][place[1]].campaign is not None:
            continue  # it waits for its slot in another queue (ADR 33)
        seen.add(place)
        person = next(
            (phone for _, phone in world.people if user_id_of(phone) == place[0].contact_id), place[0].contact_id
        )
        if place[1:] < last.get(place[0], (0, 0)) and len(world.groups[place[0].organization_id, person]) == 1:
            problems.append(f"out of order: {place} after {last[place[0]]}")
        last[place[0]] = place[1:]
    return problems


def _nobody_sees_what_is_anothers(world: World) -> list[str]:
    problems = []
    for sent in world.meta.sent:
        owner = next(owner for owner, number in world.numbers.items() if number == sent.phone_number_id)
        other = next(name for name in world.numbers if name != owner)
        to = sent.payload.get("to", "")
        text = text_of(sent.payload)
        if sent.token != f"token-{owner}" or other in text or ("v1" in text and f"{owner} v1 {to}" not in text):
            problems.append(f"crossed: {text!r} to {to} of {owner}")
    return problems


def _records_rebuild_the_state(world: World) -> list[str]:
    """Replaying the audit records without a network gives the same messages and the stored state."""
    problems: list[str] = []
    for key, conversation in world.conversations.stored.items():
        state = _replayed(world, key, problems).state
        stored = conversation.session.state if conversation.session is not None else None
        if conversation.session is not None and stored != state:
            problems.append(f"replay of {key} ends in {state!r}, stored is {stored!r}")
    return problems


class _Replayed(msgspec.Struct):
    """Where a replay is: the session, its state, and what its turns knew."""

    session: str = ""
    state: bytes | None = None
    known: TurnContext | None = None


def _parameters(opening: TurnRecord) -> dict[str, Any]:
    return opening.input.payload if isinstance(opening.input.payload, dict) else {}


def _replayed(world: World, key: ConversationKey, problems: list[str]) -> _Replayed:
    """The end of a conversation's replay. A merge may continue the session of the other conversation."""
    at = _Replayed()
    for _, record in sorted(world.conversations.records[key].items()):
        if record.status == OPENED and record.flow_id is not None:
            flow = COMPILED[f"{key.organization_id}/main/{record.flow_version}"]
            at = _Replayed(new_session_id(key, record.seq), opened_state(flow, _parameters(record)).encode())
            continue
        if record.session_id not in (at.session, ""):
            merged = [event.data["from"] for event in record.events if "from" in event.data]
            others = [_replayed(world, msgspec.structs.replace(key, contact_id=one), []) for one in merged]
            fresh = _Replayed(record.session_id)
            if record.parameters is not None:  # the answer to what a template opened
                flow = COMPILED[f"{key.organization_id}/main/{record.flow_version}"]
                fresh.state = opened_state(flow, record.parameters).encode()
            at = next((one for one in others if one.session == record.session_id), fresh)
        if record.flow_id is None:
            continue
        at.known = record.context or at.known
        assert at.known is not None
        turn = _replay(key.organization_id, record, at.state, at.known)
        if turn.messages != record.messages:
            problems.append(f"replay of {key} turn {record.seq} says something else")
        kept = turn.state or turn.handoff_state
        at.state = kept.encode() if kept is not None and turn.status != "completed" else None
        at.known = msgspec.structs.replace(at.known, contact=contact_after(at.known.contact, turn.events))
    return at


def _replay(organization_id: str, record: TurnRecord, state: bytes | None, known: TurnContext) -> Any:
    flow = COMPILED[f"{organization_id}/main/{record.flow_version}"]
    context = Context(
        now=record.at,
        seed=f"{record.session_id}:{record.seq}",
        contact=known.contact,
        country=known.country,
        commands=known.commands or DEFAULT_COMMANDS,  # type: ignore[arg-type]
    )
    turn = engine.take_turn(flow, State.decode(state) if state is not None else None, record.input, context)
    for effect in record.effects:
        turn = engine.continue_turn(flow, turn, record.input, effect.result, context)
    return turn


def _integrators_are_told(world: World) -> list[str]:
    """Each event is published at least once, whatever happened to the worker or the bus."""
    expected = {
        event.id: f"{key} {record.seq} {type_of(event)}"
        for key, records in world.conversations.records.items()
        for record in records.values()
        for event in events_of_turn(key, record)
    }
    for (key, turn, _), entry in world.deliveries.entries.items():
        failed = failed_delivery(key, world.conversations.records[key].get(turn), entry)
        if failed is not None:
            expected[failed.id] = f"{key} {turn} {type_of(failed)}"
    return [f"never told: {what}" for id_, what in expected.items() if id_ not in world.published_events]
