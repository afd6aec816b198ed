"""Each start takes one turn, none after an opt-out, and none is lost: by the API, by events and by sequences."""

import pytest

from pytake.conversation.sequences.plan import PlanFollowUps
from tests.depth import SHARE
from tests.faults import start_world
from tests.faults.plans import NoFaults, SingleFault, kinds
from tests.faults.replay import problems_of
from tests.faults.sequence_invariants import started
from tests.faults.sequence_mutations import (
    Mutation,
    a_follow_up_is_done_before_it_is_queued,
    an_answer_does_not_end_follow_ups,
    an_opt_out_is_ignored,
    each_try_of_a_start_is_another_one,
)
from tests.faults.start_invariants import broken

SEEDS, PARTS = 128 // SHARE, 4


def calls_of_the_calm_run() -> list[str]:
    plan = NoFaults()
    start_world.to_the_end(start_world.calm(plan))
    return plan.calls


def first_of_each_kind(calls: list[str]) -> list[int]:
    return [calls.index(call) + 1 for call in dict.fromkeys(calls)]


def test_a_calm_run_starts_what_is_asked_and_an_answer_ends_the_silence() -> None:
    world = start_world.to_the_end(start_world.calm())
    assert broken(world) == []
    answers, silent = (one.contact_id for one in reversed(world.contacts))
    found: dict[str, list[str]] = {answers: [], silent: []}
    for who, asked, _ in started(world):
        found[who].append(asked)
    assert found == {answers: ["api"], silent: ["event", "before 0", "silence 0", "before 1"]}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_single_fault_breaks_a_promise(part: int) -> None:
    calls = calls_of_the_calm_run()
    for number in first_of_each_kind(calls)[part::PARTS]:
        for kind in kinds(calls[number - 1]):
            problems = broken(start_world.to_the_end(start_world.calm(SingleFault(number, kind))))
            assert not problems, f"{kind} at call {number}, {calls[number - 1]}: {problems[:5]}"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_wild_run_breaks_a_promise(part: int) -> None:
    for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS):
        which = f"start:{seed}"
        problems = problems_of(which)
        assert not problems, f"{which} broke invariants; tests.faults.replay {which} prints its trace: {problems[:5]}"


# Deliberate mistakes. Each must be caught.


def a_silence_is_planned_after_the_commit_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PlanFollowUps, "not_answered", lambda *_: None)


MUTATIONS: list[Mutation] = [
    each_try_of_a_start_is_another_one,
    a_follow_up_is_done_before_it_is_queued,
    an_answer_does_not_end_follow_ups,
    an_opt_out_is_ignored,
    a_silence_is_planned_after_the_commit_only,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    assert next((seed for seed in range(60) if problems_of(f"start:{seed}")), None) is not None
