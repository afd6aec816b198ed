"""The calls of a calm run, and calm runs with a single fault at one of them."""

from tests.faults import stories
from tests.faults.invariants import broken, sent_twice
from tests.faults.plans import NoFaults, SingleFault
from tests.faults.world import World


def calls_of_the_calm_run() -> list[str]:
    plan = NoFaults()
    stories.to_the_end(stories.calm(plan=plan))
    return plan.calls


CALLS = calls_of_the_calm_run()


def single(number: int, kind: str) -> tuple[list[str], World]:
    """A calm run with one fault. Every status arrives, so not even a reported duplicate is acceptable."""
    world = stories.to_the_end(stories.calm(plan=SingleFault(number, kind)))
    return [*broken(world), *(f"sent twice: {place}" for place in sent_twice(world))], world
