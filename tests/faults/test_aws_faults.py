"""Single faults with the real adapters, at the level of the SDK: a share of them, all in `make faults`."""

from typing import Any

import pytest

from tests.faults import stories
from tests.faults.aws_world import AwsWorld, kinds
from tests.faults.invariants import broken, sent_twice, taken_by_meta
from tests.faults.plans import NoFaults, Plan, SingleFault, single_faults

PARTS = 4


def run(plan: Plan) -> AwsWorld:
    world = AwsWorld(0, plan)
    world.meta.read = False
    stories.two_conversations(world)
    stories.to_the_end(world)
    return world


@pytest.fixture(scope="module")
def calls() -> list[str]:
    plan = NoFaults()
    world = run(plan)
    assert broken(world) == []
    assert len(taken_by_meta(world)) == 8
    return plan.calls


@pytest.mark.parametrize("part", range(PARTS))
def test_no_single_fault_breaks_a_promise(calls: list[str], part: int) -> None:
    problems: dict[str, Any] = {}
    for number, kind in list(single_faults(calls, kinds))[part::PARTS]:
        world = run(SingleFault(number, kind))
        found = [*broken(world), *(f"sent twice: {place}" for place in sent_twice(world))]
        if found:
            problems[f"{number} {calls[number - 1]} {kind}"] = found[0]
    assert problems == {}
