"""Tables of the handlers' measurements."""

import msgspec

from benchmarks.handler_benchmark import BASELINE, FUNCTIONS, HandlerResults
from benchmarks.report import figure, table, times
from cli.costing.model import Bill, Volumes
from cli.costing.tables import MeasuredUsage, assumptions, prices

WRITE_UNIT_TARGET, REQUEST_TARGET, COST_TARGET = 5, 12.5, 16


def cold_table(handlers: HandlerResults) -> str:
    """Cold starts compared with a handler that only imports boto3."""
    rows = []
    for name in (BASELINE, *FUNCTIONS):
        steps = [handlers.cold(name, step) for step in ("import_ms", "wiring_ms", "first_event_ms")]
        what = "boto3 only (first event: two clients)" if name == BASELINE else name
        ratio = "" if name == BASELINE else times(handlers.against_baseline(name))
        rows.append(
            [
                what,
                *(f"{step:.0f}" for step in steps),
                f"{sum(steps[:2]):.0f}",
                f"{handlers.cold(name, 'ready_cpu_ms'):.0f}",
                ratio,
            ]
        )
    return table(
        ["handler", "import ms", "wiring ms", "first event ms", "ready ms", "ready CPU ms", "beside boto3"], rows
    )


def share_table(handlers: HandlerResults) -> str:
    """The packages that take longest to import."""
    rows = []
    for name, shares in handlers.shares.items():
        longest = sorted(shares.items(), key=lambda share: -share[1])[:9]
        largest = ", ".join(f"{package} {took:.0f}" for package, took in longest)
        rows.append([name, f"{sum(shares.values()):.0f}", largest])
    return table(["handler", "all", "including"], rows)


def warm_table(handlers: HandlerResults) -> str:
    """Own time, requests and write units of each stage of a plain turn."""
    rows = []
    for stage in handlers.stages:
        asked = handlers.requests(stage)
        rows.append(
            [
                stage,
                *(figure(handlers.own(stage, name)) for name in ("p50_ms", "p99_ms", "cpu_ms")),
                figure(_aws(asked)),
                figure(handlers.own(stage, "write_units")),
                ", ".join(f"{name.partition('.')[2]} {count:.2g}" for name, count in asked.items()),
            ]
        )
    total = [figure(requests(handlers)), figure(write_units(handlers))]
    rows.append(["whole way, per turn", "", "", "", *total, ""])
    return table(["stage", "p50 ms", "p99 ms", "CPU ms", "AWS requests", "write units", "which, per turn"], rows)


def requests(handlers: HandlerResults) -> float:
    """Requests to AWS of a plain turn, its three statuses included."""
    return sum(_aws(handlers.requests(stage)) for stage in handlers.stages)


def write_units(handlers: HandlerResults) -> float:
    """DynamoDB write units of a plain turn, its three statuses included."""
    return sum(handlers.own(stage, "write_units") for stage in handlers.stages)


def bill(handlers: HandlerResults, *, known: bool = False) -> Bill:
    """The cost of a million messages at AWS, from the measurements of these runs.

    `known`: of people who have written before, who cost the flow runner fewer write units. The rest is taken as the same.
    """
    where = {"measured_on": "", "commit": "", "machine": ""}
    usage = handlers.measured_usage() | where
    if known:
        usage["stages"]["flow_runner"]["write_units"] = handlers.known["write_units"]
    return Bill(Volumes(), msgspec.convert(usage, MeasuredUsage), prices(), assumptions())


def _of_requests(way: Bill) -> float:
    """USD of a million messages without the functions' time."""
    return way.total("message") - sum(line.usd for line in way.lines if line.group == "message" and line.unit == "GB-s")


def cost_table(handlers: HandlerResults) -> str:
    """The lines of the bill that depend on messages."""
    found = bill(handlers)
    rows = [
        [f"{line.service}: {line.what}", f"{line.quantity:,.0f} {line.unit}", f"{line.usd:.2f}"]
        for line in found.lines
        if line.group == "message"
    ]
    return table(["of a million messages", "quantity", "USD"], [*rows, ["all", "", f"{found.total('message'):.2f}"]])


def handler_targets(handlers: HandlerResults) -> list[list[str]]:
    """The rows of the table of targets: figure, target, measured."""
    rows = []
    for name, ratio in (("webhook", "1.3x"), ("flow_runner", "1.4x")):
        ready = handlers.cold(name, "import_ms") + handlers.cold(name, "wiring_ms")
        measured = (
            f"{handlers.against_baseline(name):.3f}x ({ready:.0f} ms, {handlers.cold(name, 'ready_cpu_ms'):.0f} ms CPU)"
        )
        rows.append([f"cold start of {name}, beside importing boto3", f"≤ {ratio}", measured])
    for name, target in (("webhook", 1), ("flow_runner", 2), ("sender", 2)):
        measured = f"{handlers.own(name, 'p50_ms'):.1f} ms ({handlers.own(name, 'cpu_ms'):.1f} ms CPU)"
        rows.append([f"own time of {name} per message", f"≤ {target} ms", measured])
    runner = figure(handlers.own("flow_runner", "write_units"))
    of_known = f"{figure(handlers.known['write_units'])} of a person who has written before"
    units = f"{runner} ({of_known}); {figure(write_units(handlers))} the whole way, sender and three statuses included"
    asked = f"{figure(requests(handlers))} ({figure(handlers.known['requests'])} of a person who has written before)"
    way = bill(handlers)
    of_known = f"{_of_requests(bill(handlers, known=True)):.1f} of people who have written before"
    costs = (
        f"{_of_requests(way):.1f} USD for requests ({of_known}), {way.total('message'):.1f} with the functions' time"
    )
    return [
        *rows,
        ["AWS requests per plain turn", f"≤ {REQUEST_TARGET}", asked],
        ["write units per plain turn in flow_runner", f"≤ {WRITE_UNIT_TARGET}", units],
        ["AWS list price per million messages, statuses included", f"≤ {COST_TARGET} USD", costs],
        ["unzipped layer", "≤ 32 MB", f"{handlers.layer_mb:.1f} MB"],
    ]


def _aws(asked: dict[str, float]) -> float:
    return sum(count for name, count in asked.items() if not name.startswith("graph."))
