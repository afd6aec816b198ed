"""`make bench`: measures, prints the tables, and writes RESULTS.md (not in quick mode)."""

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    capacity,
    console_benchmark,
    contacts_benchmark,
    engine_benchmark,
    feature_costs,
    growth,
    handler_benchmark,
    local_benchmark,
)
from benchmarks.engine_report import engine_tables, engine_targets
from benchmarks.environments import NotInstalledError
from benchmarks.example_flows import billed_table, billed_target, count
from benchmarks.handler_benchmark import SHARE_RUNS
from benchmarks.handler_report import cold_table, cost_table, handler_targets, share_table, warm_table
from benchmarks.lake_benchmark import SIZES as LAKE_SIZES
from benchmarks.lake_benchmark import LakeResult, lake_table, lake_targets
from benchmarks.lake_benchmark import measure as measure_lake
from benchmarks.local_report import local_table, local_targets
from benchmarks.report import commit, machine, progress, table

LAKE, LAKE_TARGET = "## The lake\n", "slowest report on"
LAKE_METHOD = """\
The parts of the local cloud: embedded S3, Athena on DuckDB, at most two threads and 1 GB per query. Events of thirty days in
conversations of five turns, one file per hour, as the export writes them. `export` is everything but DynamoDB: from records
to events to Parquet to S3, over sixty hours, each once; then all of them in one hour, which is the worst case. Reports cover
all thirty days, are not cached (`as_of` has changed) and find their files in the page cache; the minimum of three runs.
`from events` has no daily aggregates yet; `from daily aggregates` reads 26 complete days from them and the rest from the
events. `the very first report` is requested from an emulator that has just started: no file is cached, no query translated."""

CONSOLE, CONSOLE_TARGET = "## The web console\n", "console, "
CONSOLE_METHOD = """\
This machine's Chromium, with software rendering and without a cache, the console's own function, and the prover; the rest of the
REST API is a stub. Milliseconds from the navigation until the element is drawn, or from a key until its frame is.
The bare canvas is a page of the same library with as many of its own nodes and no form, layout, panel or check
(`console/baseline`). It is measured in each run after the console, so that the ratio says more than the figure on a busy
machine."""

RESULTS = Path(__file__).with_name("RESULTS.md")
MEASURED_USAGE = Path(__file__).parents[1] / "cli" / "costing" / "measured_usage.json"
"""The input of `pytake cost`."""


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute; prints, and leaves RESULTS.md as it is")
    parser.add_argument(
        "--keep-lake", action="store_true", help="keep the lake's figures, whose measuring takes longest"
    )
    parser.add_argument("--only-lake", action="store_true", help="measure the lake and keep the other figures")
    parser.add_argument("--only-console", action="store_true", help="measure the console and keep the other figures")
    arguments = parser.parse_args()
    if arguments.only_lake:
        measure_lake_only()
        return
    if arguments.only_console:
        measure_console_only()
        return
    measure_all(quick=arguments.quick, keep_lake=arguments.keep_lake)


def measure_all(*, quick: bool, keep_lake: bool) -> None:
    """Measure everything, print the tables and write RESULTS.md; `quick`: with few runs, and without writing."""
    rounds, seconds, colds, runs = (3, 0.3, 1, 1) if quick else (15, 1.0, 11, 5)
    sizes = growth.SIZES[:1] if quick else growth.SIZES

    results, missing = engine_benchmark.measure(rounds, seconds, colds, progress)
    sections = {"ENGINES": engine_tables(results, missing)}
    targets = engine_targets(results)
    features = feature_costs.measure(rounds, 300 if quick else 2_000, progress)
    sections["FEATURES"] = feature_costs.features_table(features)
    handlers = None
    try:
        handlers = handler_benchmark.measure(runs, seconds * 10, colds, progress)
        grown = growth.measure(seconds * 2, sizes, progress)
    except NotInstalledError as error:
        sections |= dict.fromkeys(("COLD", "SHARES", "WARM", "COST", "GROWTH"), f"Not measured: {error}")
    else:
        sections |= {"COLD": cold_table(handlers), "SHARES": share_table(handlers), "WARM": warm_table(handlers)}
        sections |= {"COST": cost_table(handlers), "GROWTH": growth.growth_table(grown)}
        targets += handler_targets(handlers)
    contacts = contacts_benchmark.measure(progress, pages=5 if quick else contacts_benchmark.PAGES)
    sections["CONTACTS"] = contacts_benchmark.contacts_table(contacts)
    targets.append(contacts_benchmark.contacts_target(contacts))
    billed = count()
    sections["BILLED"] = billed_table(billed)
    targets.append(billed_target(billed))
    if quick:
        sections["LOCAL"] = "Not measured in quick mode."
    else:
        try:
            local = local_benchmark.measure(seconds * 15, progress)
        except NotInstalledError as error:
            sections["LOCAL"] = f"Not measured: {error}"
        else:
            sections["LOCAL"] = local_table(local)
            targets += local_targets(local)
    try:
        console = console_benchmark.measure(progress, 1 if quick else console_benchmark.RUNS)
    except NotInstalledError as error:
        sections["CONSOLE"] = f"Not measured: {error}"
    else:
        sections["CONSOLE"] = console_section(console)
        targets += console_benchmark.console_targets(console)
    try:
        lake = None if keep_lake else measure_lake([50_000] if quick else LAKE_SIZES, progress)
    except NotInstalledError as error:
        sections["LAKE"] = f"Not measured: {error}"
    else:
        sections["LAKE"] = lake_section(lake) if lake else previous_lake_section()
        if not quick:
            targets += (
                lake_targets(lake) if lake else [row for row in previous_targets() if row[0].startswith(LAKE_TARGET)]
            )
    sections["CAPACITY"] = capacity.previous_section()
    sections["TARGETS"] = table(["figure", "target", "measured"], targets)
    progress("")
    print("\n\n".join(sections.values()))
    if not quick:
        if handlers is not None:
            where = {"measured_on": datetime.now(UTC).date().isoformat(), "commit": commit(), "machine": machine()}
            MEASURED_USAGE.write_text(json.dumps(where | handlers.measured_usage(), indent=2) + "\n")
        RESULTS.write_text(document(sections, rounds, seconds, colds, runs))
        print(f"\nWritten: {RESULTS}")


def previous_lake_section() -> str:
    """The lake's section of the previous RESULTS.md."""
    return RESULTS.read_text().partition(LAKE_METHOD)[2].strip()


def measured_now() -> str:
    """The day, the commit and the load of a part's results: they stay when only other parts are measured."""
    today, load = datetime.now(UTC).date().isoformat(), os.getloadavg()[2]
    return (
        f"Measured on {today} at {commit()}; over the last quarter of an hour {load:.1f} programs at a time wanted to run\n"
        f"on {os.cpu_count()} cores, these included."
    )


def lake_section(lake: list[LakeResult]) -> str:
    """The lake's results."""
    return f"{measured_now()}\n\n{lake_table(lake)}"


def console_section(console: console_benchmark.ConsoleResult) -> str:
    """The console's results."""
    return f"{measured_now()}\n\n{console_benchmark.console_table(console)}"


def measure_console_only() -> None:
    """Measure only the console and replace its results in RESULTS.md."""
    console = console_benchmark.measure(progress)
    rows = [row for row in previous_targets() if not row[0].startswith(CONSOLE_TARGET)]
    before, _, rest = RESULTS.read_text().partition("## Targets\n")
    others = rest[rest.index("\n## ") :]
    kept, after = others.partition(CONSOLE)[0].partition(capacity.HEADING)[0], others.partition(capacity.HEADING)[2]
    targets = table(["figure", "target", "measured"], rows + console_benchmark.console_targets(console))
    made = f"{CONSOLE}\n{CONSOLE_METHOD}\n\n{console_section(console)}\n"
    RESULTS.write_text(f"{before}## Targets\n\n{targets}\n{kept}{made}\n{capacity.HEADING}{after}")
    print(f"\n{console_section(console)}\n\nWritten: {RESULTS}")


def previous_targets() -> list[list[str]]:
    """The rows of the table of targets in the previous RESULTS.md."""
    lines = RESULTS.read_text().partition("## Targets\n")[2].partition("\n## ")[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def measure_lake_only() -> None:
    """Measure only the lake and replace its results in RESULTS.md."""
    lake = measure_lake(LAKE_SIZES, progress)
    rows = [row for row in previous_targets() if not row[0].startswith(LAKE_TARGET)] + lake_targets(lake)
    before, _, rest = RESULTS.read_text().partition("## Targets\n")
    others = rest[rest.index("\n## ") :].partition(LAKE)[0]
    targets = table(["figure", "target", "measured"], rows)
    made = f"{LAKE_METHOD}\n\n{lake_section(lake)}\n"
    RESULTS.write_text(f"{before}## Targets\n\n{targets}\n{others}{LAKE}\n{made}")
    print(f"\n{lake_section(lake)}\n\nWritten: {RESULTS}")


def document(sections: dict[str, str], rounds: int, seconds: float, colds: int, runs: int) -> str:
    """RESULTS.md."""
    today = datetime.now(UTC).date().isoformat()
    return f"""# What was measured

Written by `make bench` on {today}. Run it again with `make bench` (some ten minutes, the first time also the installing
of the peers into `.bench/`); `make bench QUICK=1` takes a minute and writes nothing. No test asserts a time.

Machine: {machine()}. Commit: {commit()}.

The machine is shared with other work: **compare ratios within one run; absolute times vary** between runs. CPU time varies
least.

## Targets

{sections["TARGETS"]}

## The engine compared with others

The reference conversation: 12 nodes and a sub-flow, seven messages, one of them refused; one turn loads the state,
advances to the next question and stores the state. Every engine first passes the conformance check word for word
(`reference.py`). One process per engine, all running and pinned to one core, {rounds} rounds of {seconds:g} s in turn;
medians over the rounds, ratios taken round by round. Cold starts: {colds} fresh processes each, in turn. `RSS added` is
what import, build and the run added to the bare interpreter; `state bytes` are the mean and the largest after a turn.

{sections["ENGINES"]}

How each was used, always in its favour:

- transitions: one machine and one model for all conversations, loaded with each state (adding a model per conversation
  costs far more); states as JSON, because the library does not serialise them.
- XState: an actor restored from its persisted snapshot, and the snapshot persisted again.
- goflow: sessions in the JSON that it documents; the engine, the flows and the contact are parsed once. Messages are actions
  of the question that follows, and a case of the question's router decides where our flow has a condition, so most turns
  visit one node. No channel, so that messages and sessions stay small. `import` is the processor time before `main`.
- botbuilder-dialogs: waterfalls and the library's own prompts; states as `jsonpickle` writes them, as in its cloud storages.
- LangGraph: questions that `interrupt`, checkpoints written once per turn by its in-memory saver, which serialises. A graph
  entered from the start every turn instead of resumed took the same time. Its size includes the history of checkpoints.

## What features of a flow cost

The turn of an answer to a question that is then asked again, with load and save of the state, which holds a list of
ten objects; CPU time, medians over the rounds, `more` than the plain turn of the same round.

{sections["FEATURES"]}

## Cold starts of the handlers

Each in a fresh process with the built function, the built layer (compiled) and nothing else, {colds} processes each, in
turn; medians. `import` is importing the handler, `wiring` building its use case and clients, `first event` answering an
event when AWS and Meta answer at once (DynamoDB's client is made there). `ready` is import and wiring; the ratio is that
of its CPU time. What Lambda's runtime client imports before a handler (json, logging, http.client) is not counted. The
baseline imports boto3, which the layer does without, above the layer's own botocore.

{sections["COLD"]}

Parts of `ready`: ms of importing by package (`-X importtime`, own modules only, minimum of {SHARE_RUNS} processes).

{sections["SHARES"]}

## Own time of the handlers, requests and write units

The reference conversation, message by message, on its whole path: webhook, flow runner, sender, and the three statuses of
each answer back through webhook and statuses; one record per event, {runs} runs of {seconds * 10:g} s. AWS and the Graph
API are stubs inside the process, below botocore's and httpx's HTTP connection, and their time is subtracted; serialising,
signing and parsing are included. Requests and write units (transactions twice, indexes included) are counted where they leave.
Each conversation is that of a new person, whose contact is stored and whose identity is claimed: ten units in the first of
seven turns. The table of targets also has the figures of people who write once more.

{sections["WARM"]}

## What a million messages cost

The counted requests and units of that path, times the list prices of `us-east-1` in `cli/costing/prices.json`, on arm64;
`pytake cost` shows the rest of the bill and accepts other volumes; `docs/cost.md` says what is counted and what is
assumed.

{sections["COST"]}

Statuses are more than a third of it: three posts, two queue messages and two ledger writes per answer; Meta posts each
separately. A turn's transaction is 4 of the write units: the price of a state,
a record and an outbox that become visible together (ADR 0004). Claim, rate slot and settlement are 3: each is a
decision that two workers may make at the same time. Everything that can be omitted without losing one of these is omitted
(ADR 0008). The functions' time is mostly the sender's, waiting for the Graph API.

## Billed messages of the example flows

The conversations of the tests in `examples/flows`, turn by turn, and the messages that Meta bills.

{sections["BILLED"]}

## How the flow runner grows

One size grows at a time; each in a fresh process, warm turns for {seconds * 2:g} s after every conversation's first
one. `first turn` loads and compiles the flow. CPU time per turn, without AWS's; `MB added` includes what the stub stores.
With many organizations in turn, the settings of each are older than five seconds at its next turn, and are read again.

{sections["GROWTH"]}

## A million contacts

What `GET /api/v1/contacts` does for a page, with a table inside the process: the CPU time of the use case and the adapters,
and for each request to DynamoDB what `cli/costing/assumptions.json` assumes. A page with a filter looks at 500 contacts.

{sections["CONTACTS"]}

## The local cloud

`pytake local` as usual, with emulator, gateway, simulated Graph API and load generator on the same cores.
People post signed webhooks, wait until their phone has the reply, and write again; {seconds * 15:g} s per load. `CPU` is
everything that `pytake local` runs, including statuses: two cores divided by it is the maximum sustained rate.
Meta's pair rate limit (45 messages at once, then one in six seconds) applies here, too: a few people who write without a
pause reach it towards the end, which is their p95.

{sections["LOCAL"]}

{CONSOLE}
{CONSOLE_METHOD}

{sections["CONSOLE"]}

{sections["CAPACITY"]}

{LAKE}
{LAKE_METHOD}

{sections["LAKE"]}
"""


if __name__ == "__main__":
    main()
