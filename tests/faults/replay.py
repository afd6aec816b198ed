"""`python -m tests.faults.replay SEED` repeats one run and prints its trace. `FIRST-LAST` runs many, `--jobs N` at once.

`campaign:SEED` and `campaign:FIRST-LAST` are runs with a campaign, every third with sequences; `start:SEED` and
`start:FIRST-LAST` with starts and sequences.
`python -m tests.faults.replay single:NUMBER:KIND` repeats the calm run in which call NUMBER meets the fault KIND.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence

from tests.faults import campaign_invariants, campaign_world, invariants, start_invariants, start_world, stories
from tests.faults.plans import SingleFault
from tests.faults.world import World

CAMPAIGN, START = "campaign:", "start:"


def run(which: str) -> World:
    """The world of a run, at its end: a seed, `campaign:SEED`, `start:SEED` or `single:NUMBER:KIND`."""
    if which.startswith(CAMPAIGN):
        return campaign_world.to_the_end(campaign_world.wild(int(which.removeprefix(CAMPAIGN))))
    if which.startswith(START):
        return start_world.to_the_end(start_world.wild(int(which.removeprefix(START))))
    if which.startswith("single:"):
        _, number, kind = which.split(":")
        return stories.to_the_end(stories.calm(plan=SingleFault(int(number), kind)))
    return stories.to_the_end(stories.wild(int(which)))


def broken(world: World) -> list[str]:
    """The invariants that a run broke."""
    if isinstance(world, campaign_world.CampaignWorld):
        return campaign_invariants.broken(world)
    if isinstance(world, start_world.StartWorld):
        return start_invariants.broken(world)
    return invariants.broken(world)


def problems_of(which: str) -> list[str]:
    """The invariants that a run broke. An exception counts as one."""
    try:
        return broken(run(which))
    except Exception as error:
        return [f"the run broke off: {error!r}"]


def report(which: str) -> str:
    """The trace of a run and the invariants that it broke."""
    world = run(which)
    lines = [f"{at:12.3f}  {who:<14} {what:<14} {more[:240]}" for at, who, what, more in world.traced]
    return "\n".join([*lines, "", *(f"BROKEN: {problem}" for problem in broken(world))])


def failing(runs: Sequence[str], jobs: int) -> Iterator[tuple[str, list[str]]]:
    """The runs that broke an invariant."""
    if jobs == 1:
        yield from ((which, problems) for which, problems in map(_work, runs) if problems)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for which, problems in pool.imap_unordered(_work, runs, chunksize=50):
            if problems:
                yield which, problems


def _work(which: str) -> tuple[str, list[str]]:
    return which, problems_of(which)


def main() -> int:
    """Print a trace, or the failing seeds. The exit status is 1 when an invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", help="a seed, FIRST-LAST, either after campaign: or start:, or single:NUMBER:KIND")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    kind = next((kind for kind in (CAMPAIGN, START) if arguments.which.startswith(kind)), "")
    first, dash, last = arguments.which.removeprefix(kind).partition("-")
    if not dash or arguments.which.startswith("single:"):
        print(report(arguments.which))  # noqa: T201
        return 1 if problems_of(arguments.which) else 0
    runs, began, count = [f"{kind}{seed}" for seed in range(int(first), int(last) + 1)], time.monotonic(), 0
    for which, problems in failing(runs, arguments.jobs):
        count += 1
        print(f"{which}: {problems[0]}\n  replay: .venv/bin/python -m tests.faults.replay {which}", flush=True)  # noqa: T201
    took = time.monotonic() - began
    print(f"{len(runs)} runs, {count} of them failed, {took:.0f} s")  # noqa: T201
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
