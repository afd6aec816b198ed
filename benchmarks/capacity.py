"""`make capacity`: ten minutes at 1,000 messages a second, simulated by `benchmarks.capacity_model`."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import asdict

from benchmarks.capacity_model import MESSAGES_PER_CONVERSATION, PAUSE_SECONDS, Load, Outcome, Simulation, Stack
from benchmarks.report import commit, figure, progress, table, with_section

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING, NEXT_HEADING = "## A thousand messages a second", "## The lake\n"

TARGET_WRITES, TARGET_P95, TARGET_NOISE = 500, 2.0, 20

LOADS = (
    Load("one number", 1),
    Load("1,000 organizations", 1000),
    Load("and one noisy organization", 1000, noise=350),
    Load("the same, waits stay in the queue", 1000, noise=350, waits_leave_the_queue=False),
)


def capacity_table(outcomes: list[Outcome]) -> str:
    """The figures of the runs."""
    head = ["", *(outcome.load.name for outcome in outcomes)]
    rows: list[list[str]] = [
        ["replies", *(f"{len(outcome.replies):,}" for outcome in outcomes)],
        ["reply p50, s", *(figure(outcome.percentile(0.5)) for outcome in outcomes)],
        ["reply p95, s", *(figure(outcome.percentile(0.95)) for outcome in outcomes)],
        *(
            [f"{queue}: most waiting for a worker", *(f"{outcome.depth[queue]:,}" for outcome in outcomes)]
            for queue in ("inbound", "outbound")
        ),
        ["outbound: most in flight", *(f"{outcome.in_flight['outbound']:,}" for outcome in outcomes)],
        ["still in the queues a minute later", *(f"{sum(outcome.left.values()):,}" for outcome in outcomes)],
        ["workers busy: flow runner", *(f"{outcome.busy['flow_runner']:.0%}" for outcome in outcomes)],
        ["workers busy: sender", *(f"{outcome.busy['sender']:.0%}" for outcome in outcomes)],
        ["hottest partition, writes/s", *(f"{outcome.hottest[1]:,}" for outcome in outcomes)],
        ["which", *(" ".join(outcome.hottest[0].split("#")[:2]) for outcome in outcomes)],
        ["noisy organization: answers waiting", *(f"{outcome.noisy_waiting:,}" for outcome in outcomes)],
    ]
    return table(head, rows)


def verdict(outcomes: list[Outcome]) -> str:
    """The targets and whether they hold."""
    quiet, noisy = outcomes[1], outcomes[2]
    hottest = max(outcome.hottest[1] for outcome in outcomes[:3])
    slowest = max(outcome.percentile(0.95) for outcome in outcomes[:3])
    added = (noisy.percentile(0.95) / quiet.percentile(0.95) - 1) * 100
    left = max(sum(outcome.left.values()) for outcome in outcomes[:3])
    rows = [
        ["hottest partition, writes a second", f"≤ {TARGET_WRITES}", f"{hottest:,}"],
        ["reply p95", f"≤ {TARGET_P95:g} s", f"{figure(slowest)} s"],
        ["a noisy organization adds to the others' p95", f"≤ {TARGET_NOISE} %", f"{added:.1f} %"],
        ["messages for which a worker is missing a minute later", "0", f"{left:,}"],
    ]
    return table(["figure", "target", "simulated"], rows)


def section(outcomes: list[Outcome]) -> str:
    """The section of RESULTS.md."""
    load, stack = outcomes[0].load, Stack()
    return f"""{HEADING}

Simulated by `make capacity` on {datetime.now(UTC).date().isoformat()} at {commit()}: {load.seconds / 60:g} minutes at
{load.per_second:,.0f} messages a second, conversations of {MESSAGES_PER_CONVERSATION} messages with one every
{PAUSE_SECONDS:g} s; a full hour falls into it. {stack.flow_runners} flow runners, {stack.senders} senders. Service times
are measured processor times plus assumed waits for AWS and Meta (`cli/costing/assumptions.json`); limits are AWS's
documented ones. Rate slots, shards, session ends and long waits are decided by the product's code. The noisy organization
gets {LOADS[2].noise:g} messages a second more and may send five a minute. The organization of the one number may send
66,000 a minute, a tenth more than it gets, and the number's own limit is left out: a limit that equals the load makes a
queue that grows for as long as the load lasts.
`Hottest partition` is the busiest second of one partition key.

{verdict(outcomes)}

{capacity_table(outcomes)}
"""


def previous_section() -> str:
    """This section of the previous RESULTS.md: `make bench` keeps it."""
    _, found, rest = RESULTS.read_text().partition(HEADING)
    return found + rest.partition(NEXT_HEADING)[0].rstrip() if found else f"{HEADING}\n\nNot simulated."


def main() -> None:
    """Simulate the loads, print the table and write it to RESULTS.md."""
    parser = argparse.ArgumentParser(prog="make capacity", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="one minute at a tenth of the load; writes nothing")
    quick: bool = parser.parse_args().quick
    outcomes = []
    for load in LOADS:
        progress(load.name)
        scale = {"per_second": load.per_second / 10, "noise": load.noise / 10, "seconds": 60} if quick else {}
        outcomes.append(Simulation(Load(**asdict(load) | scale), Stack()).run())
        progress(capacity_table(outcomes[-1:]))
    progress("")
    print(verdict(outcomes), capacity_table(outcomes), sep="\n\n")
    if not quick:
        RESULTS.write_text(with_section(RESULTS.read_text(), HEADING, section(outcomes), NEXT_HEADING))
        print(f"\nWritten: {RESULTS}")


if __name__ == "__main__":
    main()
