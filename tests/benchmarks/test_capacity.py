"""The simulation of `make capacity`: the product's limits hold in it, and it notices when they do not."""

from functools import cache

import pytest

from benchmarks import capacity
from benchmarks.capacity_model import SCANNED, FifoQueue, Load, Message, Outcome, Simulation, Stack, Writes
from benchmarks.report import with_section

SMALL = Stack(flow_runners=30, senders=40, statuses=5)


@cache
def outcome(organizations: int = 100, noise: float = 0, *, waits_leave: bool = True, seconds: float = 60) -> Outcome:
    load = Load("test", organizations, 100, noise, waits_leave, seconds)
    return Simulation(load, SMALL).run()


def test_every_message_is_answered_within_two_seconds() -> None:
    quiet = outcome()
    assert len(quiet.replies) == pytest.approx(6000, rel=0.1)
    assert quiet.percentile(0.95) < capacity.TARGET_P95
    assert sum(quiet.left.values()) == 0


def test_a_noisy_organization_with_a_backlog_delays_no_other() -> None:
    quiet, noisy = outcome(), outcome(noise=70)
    assert noisy.noisy_waiting > 5_000
    assert noisy.percentile(0.95) < quiet.percentile(0.95) * (1 + capacity.TARGET_NOISE / 100)
    # Those with the first ten minutes' slots, and those of the ten seconds before turns are held.
    assert noisy.in_flight["outbound"] < 200


def test_the_simulation_notices_waits_that_fill_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.capacity_model.SCANNED", 4_000)
    blocked = Simulation(Load("test", 100, 100, 70, waits_leave_the_queue=False, seconds=60), SMALL).run()
    assert sum(blocked.left.values()) > 1_000
    assert len(blocked.replies) < 0.9 * len(outcome().replies), "the others get no answers"
    free = Simulation(Load("test", 100, 100, 70, seconds=60), SMALL).run()
    assert sum(free.left.values()) == 0


def test_the_simulation_notices_too_few_workers() -> None:
    few = Simulation(Load("test", 100, 100, seconds=60), Stack(flow_runners=30, senders=12)).run()
    assert few.left["outbound"] > 500


def test_a_queue_gives_one_message_of_a_conversation_at_a_time() -> None:
    queue = FifoQueue()
    first, second, other = (Message("o", conversation, 0, 60) for conversation in ("a", "a", "b"))
    for message in (first, second, other):
        queue.put(message)
    assert queue.receive(10) == [first, other]
    assert queue.receive(10) == []
    queue.delete(first)
    assert queue.receive(10) == [second]
    assert queue.in_flight == 2
    assert SCANNED == 120_000


def test_the_hottest_partition_is_the_busiest_second_of_a_key() -> None:
    writes = Writes()
    for at, pk in ((0.1, "a"), (0.9, "b"), (0.95, "b"), (1.1, "a"), (1.2, "a"), (1.3, "a"), (2.0, "b")):
        writes.add(at, pk)
    writes.close()
    assert writes.hottest == ("a", 3)


def test_the_section_replaces_itself_and_stands_before_the_lake() -> None:
    outcomes = [outcome(), outcome(), outcome(noise=70), outcome()]
    before = "# What was measured\n\n## The local cloud\n\ntext\n\n## The lake\n\nmore\n"
    made = capacity.HEADING, capacity.section(outcomes), capacity.NEXT_HEADING
    once = with_section(before, *made)
    twice = with_section(once, *made)
    assert once == twice
    assert once.index("## The local cloud") < once.index(capacity.HEADING) < once.index("## The lake\n")
    assert "noisy organization: answers waiting" in once
