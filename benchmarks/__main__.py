"""`make bench`: measures, prints the tables, and writes RESULTS.md (not in quick mode)."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.engine_figures import measure
from benchmarks.engine_report import engine_tables, engine_targets
from benchmarks.report import commit, machine, progress, table

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure the engine beside its peers."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute; prints, and leaves RESULTS.md as it is")
    arguments = parser.parse_args()
    quick: bool = arguments.quick
    rounds, seconds, colds = (3, 0.4, 2) if quick else (15, 1.0, 11)

    results, missing = measure(rounds, seconds, colds, progress)
    progress("")
    engines = engine_tables(results, missing)
    targets = table(["figure", "target", "measured"], engine_targets(results))
    print(f"{engines}\n\n{targets}")
    if not quick:
        RESULTS.write_text(document(engines, targets, rounds, seconds, colds))
        print(f"\nWritten: {RESULTS.relative_to(Path.cwd())}")


def document(engines: str, targets: str, rounds: int, seconds: float, colds: int) -> str:
    """RESULTS.md."""
    today = datetime.now(UTC).date().isoformat()
    return f"""# What was measured

Written by `make bench` on {today}. Run it again with `make bench` (some ten minutes, the first time also the installing
of the peers into `.bench/`); `make bench QUICK=1` takes a minute and writes nothing.

Machine: {machine()}. Commit: {commit()}.

The machine is shared and other work was going on: **ratios within one run count, absolute times vary** from run to run.
CPU time per turn varies least.

## Targets

{targets}

## The engine beside others

The reference conversation: 12 nodes and a sub-flow, seven messages, one of them refused; one turn loads the state,
walks to the next question and stores the state. Every engine first answers the conformance check word for word
(`reference.py`). One process per engine, all alive and pinned to one core, {rounds} rounds of {seconds:g} s in turn;
medians over the rounds, ratios taken round by round. Cold starts: {colds} fresh processes each, in turn. `RSS added` is
what import, build and the run added to the bare interpreter; `state bytes` are the mean and the largest after a turn.

{engines}

How each was used, always in its favour where there was a choice:

- transitions: one machine and one model for all conversations, loaded with each state (adding a model per conversation
  costs far more); states as JSON, since the library has no way of its own.
- XState: an actor restored from its persisted snapshot, and the snapshot persisted again.
- botbuilder-dialogs: waterfalls and the library's own prompts; states as `jsonpickle` writes them, as in its cloud storages.
- LangGraph: questions that `interrupt`, checkpoints written once per turn by its in-memory saver, which serialises. A graph
  entered anew every turn instead of resumed took the same time. It keeps the history of checkpoints: that is its size.
"""


if __name__ == "__main__":
    main()
