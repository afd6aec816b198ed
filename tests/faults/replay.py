"""`python -m tests.faults.replay SEED` repeats one run and prints its trace. `SEED:FIRST-LAST` runs many, `--jobs N` at once.

`python -m tests.faults.replay single:NUMBER:KIND` repeats the calm run in which call NUMBER meets the fault KIND.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator

from tests.faults import stories
from tests.faults.invariants import broken
from tests.faults.plans import SingleFault
from tests.faults.world import World


def run(which: str) -> World:
    """The world of a run, at its end: a seed, or `single:NUMBER:KIND`."""
    if which.startswith("single:"):
        _, number, kind = which.split(":")
        return stories.to_the_end(stories.calm(plan=SingleFault(int(number), kind)))
    return stories.to_the_end(stories.wild(int(which)))


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


def failing(seeds: range, jobs: int) -> Iterator[tuple[int, list[str]]]:
    """The seeds of the runs that broke an invariant."""
    if jobs == 1:
        found = ((seed, problems_of(str(seed))) for seed in seeds)
        yield from ((seed, problems) for seed, problems in found if problems)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for seed, problems in pool.imap_unordered(_work, seeds, chunksize=50):
            if problems:
                yield seed, problems


def _work(seed: int) -> tuple[int, list[str]]:
    return seed, problems_of(str(seed))


def main() -> int:
    """Print a trace, or the failing seeds. The exit status is 1 when an invariant was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", help="a seed, FIRST-LAST, or single:NUMBER:KIND")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    first, dash, last = arguments.which.partition("-")
    if not dash or arguments.which.startswith("single:"):
        print(report(arguments.which))  # noqa: T201
        return 1 if problems_of(arguments.which) else 0
    seeds, began, count = range(int(first), int(last) + 1), time.monotonic(), 0
    for seed, problems in failing(seeds, arguments.jobs):
        count += 1
        print(f"seed {seed}: {problems[0]}\n  replay: .venv/bin/python -m tests.faults.replay {seed}", flush=True)  # noqa: T201
    took = time.monotonic() - began
    print(f"{len(seeds)} seeds, {count} of them failed, {took:.0f} s")  # noqa: T201
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
