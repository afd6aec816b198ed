"""What must be true of conversations that programs started, at the end of every run."""

from collections import Counter

from tests.faults import invariants
from tests.faults.sequence_invariants import broken_follow_ups, is_silent, started
from tests.faults.start_world import StartWorld


def broken(world: StartWorld) -> list[str]:
    """The invariants that this run broke, as text; empty if all hold."""
    return [
        *invariants.broken(world),
        *_nobody_is_started_twice(world),
        *_no_start_is_lost(world),
        *broken_follow_ups(world),
    ]


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
        if one.accepted and (one.phone, one.name) not in taken and (is_silent(world, one.phone) or not refused):
            problems.append(f"the start {one.name!r} of {one.phone} was accepted and is lost")
    return problems
