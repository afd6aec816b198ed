"""Each start takes one turn, none after an opt-out, and none is lost: by the API, by events and by sequences."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from pytake.conversation import opening, start_flow
from pytake.conversation.sequences.plan import PlanFollowUps
from pytake.conversation.sequences.run import RunFollowUps
from tests.depth import SHARE
from tests.faults import start_world
from tests.faults.plans import NoFaults, SingleFault, kinds
from tests.faults.replay import problems_of
from tests.faults.start_invariants import broken, started

SEEDS, PARTS = 128 // SHARE, 4
Mutation = Callable[[pytest.MonkeyPatch], None]


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


def each_try_of_a_start_is_another_one(patch: pytest.MonkeyPatch) -> None:
    tries, known = count(), start_flow.digest
    patch.setattr(start_flow, "digest", lambda *parts: known(*parts, str(next(tries))))


def a_follow_up_is_done_before_it_is_queued(patch: pytest.MonkeyPatch) -> None:
    start = RunFollowUps._start

    def hasty(self: Any, follow_up: Any, *more: Any) -> None:
        self._follow_ups.finish(follow_up, self._clock())
        start(self, follow_up, *more)

    patch.setattr(RunFollowUps, "_start", hasty)


def an_answer_does_not_end_follow_ups(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RunFollowUps, "_is_answered", lambda *_: False)


def an_opt_out_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "check_person", lambda *_, **__: None)
    patch.setattr(start_flow, "check_person", lambda *_, **__: None)
    patch.setattr("pytake.contacts.records.ContactRecord.opted_out", False)


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
