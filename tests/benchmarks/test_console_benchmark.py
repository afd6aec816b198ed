"""The benchmark of the console: its flow is correct, its stub answers as the console expects, and its tables have rows."""

import httpx

from benchmarks.console_benchmark import NODES, ConsoleResult, console_table, console_targets, large_flow, stub
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


def test_every_figure_of_the_console_has_a_row() -> None:
    result = ConsoleResult([500, 700, 600], 220_000, [1000], 300_000, 60, 59, [20, 30], [400])
    assert "| first page usable, ms" in console_table(result)
    assert [row[2] for row in console_targets(result)] == [
        "600 ms; 220 kB",
        "1000 ms; 80 kB",
        "60 and 59 frames/s",
        "25 ms",
        "400 ms",
    ]
