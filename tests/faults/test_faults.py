"""No message is lost, duplicated or out of order: for single faults of a calm run, and in wild runs.

`make faults` runs every single fault, and a hundred thousand wild runs."""

import msgspec
import pytest
from msgspec.structs import astuple

from pytake.conversation.queues import InboundItem, group_id
from pytake.conversation.records import ConversationKey
from tests.depth import share
from tests.faults import stories
from tests.faults.invariants import broken, taken_by_meta
from tests.faults.plans import NoFaults, kinds, single_faults
from tests.faults.replay import problems_of
from tests.faults.single_faults import CALLS, single
from tests.faults.timeline import START
from tests.faults.world import World

SEEDS = share(1200)
PARTS = 12
SINGLE_PARTS = 4


def failure_text(which: str, problems: list[str]) -> str:
    command = f".venv/bin/python -m tests.faults.replay {which}"
    return "\n".join([f"{which} broke invariants; for the trace run {command}", *problems[:5]])


def test_a_calm_run_breaks_no_promise_and_says_everything_once() -> None:
    world = stories.to_the_end(stories.calm())
    assert broken(world) == []
    assert len(taken_by_meta(world)) == 13
    assert {event.type for event in world.events} == set()


def test_a_calm_run_passes_every_service() -> None:
    """The single faults below cover every service only if the calm run uses each."""
    assert {call.partition(".")[0] for call in CALLS} >= {
        "conversations",
        "deliveries",
        "tenants",
        "graph",
        "lambda",
        "queues",
        "secrets",
        "slots",
    }


@pytest.mark.parametrize("part", range(SINGLE_PARTS))
def test_no_single_fault_breaks_a_promise(part: int) -> None:
    for number, kind in list(single_faults(CALLS, kinds))[part::SINGLE_PARTS]:
        problems, world = single(number, kind)
        assert not problems, failure_text(f"single:{number}:{kind}", problems)
        is_doubled = kind == "131000_after" and len(taken_by_meta(world)) == 14
        is_told = any(event.type == "delivery.duplicated" for event in world.events)
        assert is_told == is_doubled, f"single:{number}:{kind} doubled a message untold, or told of none"
        # A doubt is left only where the outcome is unknown: the worker died between claim and answer, or the claim's own
        # answer was lost, and Meta never had the message.
        doubts = [event for event in world.events if event.type == "delivery.resent_after_deadline"]
        is_unknown = CALLS[number - 1] in ("graph.send", "deliveries.claim")
        assert not doubts or is_unknown, f"single:{number}:{kind} left a doubt without need"


def test_a_share_of_the_single_faults_covers_every_call_and_every_fault() -> None:
    every = set(single_faults(CALLS, kinds, 1))
    assert every == {(number, kind) for number, call in enumerate(CALLS, 1) for kind in kinds(call)}
    part = set(single_faults(CALLS, kinds, 4))
    assert part < every
    assert {number for number, _ in part} == {number for number, _ in every}
    named = lambda found: {(CALLS[number - 1], kind) for number, kind in found}  # noqa: E731
    assert named(part) == named(every)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_wild_run_breaks_a_promise(part: int) -> None:
    for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS):
        problems = problems_of(str(seed))
        assert not problems, failure_text(str(seed), problems)


def test_a_message_that_nobody_can_take_takes_none_of_its_person_with_it() -> None:
    """SQS counts each delivery of a message, also of the messages behind the failing one, which are not tried."""
    world = World(0, NoFaults())
    world.batches = (10,)
    world.operators = False
    ana = ConversationKey("acme", world.numbers["acme"], stories.PHONES[0])
    world.queues["inbound"].send("{not a message", group_id(ana), "poison")
    ids = world.people["acme", ana.contact_id] = ["wamid.0", "wamid.1", "wamid.2"]
    for id_, text in zip(ids, ("Oi", "Ana", "Recife"), strict=True):
        message = {
            "from": ana.contact_id,
            "id": id_,
            "type": "text",
            "timestamp": str(int(START)),
            "text": {"body": text},
        }
        item = InboundItem(*astuple(ana), message, START)
        world.queues["inbound"].send(msgspec.json.encode(item).decode(), group_id(ana), item.deduplication_id)
    stories.to_the_end(world)
    assert broken(world) == []
    assert len(taken_by_meta(world)) == 5
    (dead,) = world.queues["inbound_dead"].messages
    assert (dead.body, dead.attributes) == ("{not a message", {"reason": "error:DecodeError"})


@pytest.mark.parametrize("seed", [3, 17, 101])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = (stories.to_the_end(stories.wild(seed)) for _ in range(2))
    assert first.traced == second.traced
    assert first.conversations.records == second.conversations.records
