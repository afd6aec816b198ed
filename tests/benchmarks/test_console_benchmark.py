"""The benchmark of the console: its flow is correct, its stub answers as the console expects, and its tables have rows."""

import httpx

from benchmarks.console_benchmark import NODES, CanvasResult, ConsoleResult, console_table, console_targets, large_flow
from benchmarks.console_stub import stub
from pytake.engine import validate


def test_the_large_flow_has_no_problem_and_the_number_of_nodes() -> None:
    flow = large_flow()
    assert len(flow["nodes"]) == NODES
    assert validate({"large": flow}, "large") == []


def test_the_stub_answers_for_its_flows_and_asks_the_prover() -> None:
    flow = large_flow(5)
    broken = {**flow, "nodes": [*flow["nodes"], {"id": "alone", "type": "end", "data": {}}]}
    with stub({"large": flow}, {"large": flow}) as url:
        listed = httpx.get(f"{url}/api/v1/flows?limit=100").json()
        assert [one["flow_id"] for one in listed] == ["large"]
        assert httpx.get(f"{url}/api/v1/flows/large").json()["document"] == flow
        assert httpx.get(f"{url}/api/v1/flows/large/versions/1").json()["document"] == flow
        (problem,) = httpx.post(f"{url}/api/v1/flows/validate", json={"document": broken}).json()["problems"]
    assert (problem["code"], problem["fix"]["action"]) == ("unreachable_node", "remove_node")


def test_every_figure_of_the_console_has_a_row_and_those_of_the_canvas_a_ratio() -> None:
    ours, bare = CanvasResult([1000], [60, 50], [59], [20, 30]), CanvasResult([500], [30, 20], [59], [50])
    result = ConsoleResult([500, 700, 600], 220_000, 300_000, ours, bare, [400])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in console_table(result).splitlines()]
    assert ["first page usable, ms", "600", "700", "", ""] in rows
    assert ["canvas with 500 nodes usable, ms", "1000", "1000", "500", "2.00x"] in rows
    assert ["panning, frames/s", "55", "50", "25", "2.20x"] in rows
    assert [row[2] for row in console_targets(result)] == [
        "600 ms; 220 kB",
        "1000 (2.00x the bare canvas); 80 kB",
        "55 (2.20x the bare canvas)",
        "59 (1.00x the bare canvas)",
        "25 (0.50x the bare canvas)",
        "400 ms",
    ]
