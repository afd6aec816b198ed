"""The growth probe holds its conversations on the sources as they stand; the example flows are counted; reports have rows."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environments import REPOSITORY
from benchmarks.example_flows import BilledMessages, billed_table, billed_target, count
from benchmarks.growth import GrowthResult, growth_table
from benchmarks.growth_probe import ring
from benchmarks.handler_benchmark import VARIABLES
from benchmarks.local_benchmark import POLITE, Load, LocalResult
from benchmarks.local_report import local_table, local_targets
from benchmarks.workers import once
from pytake.engine import Context, Input, compile_flow, take_turn
from pytake.engine.turn import Contact

PATHS = [str(REPOSITORY), str(REPOSITORY / "layers" / "core"), str(REPOSITORY / "functions" / "api")]


def grown(build: Path, *words: str) -> dict[str, Any]:
    (build / "FlowRunnerFunction").symlink_to(REPOSITORY / "functions" / "flow_runner")
    command = [sys.executable, "-P", "-m", "benchmarks.growth_probe", str(build), *words, "0.01"]
    return once(command, REPOSITORY, {**VARIABLES, "PYTHONPATH": os.pathsep.join(PATHS)}, None)


def test_a_conversation_more_costs_no_request_more(tmp_path: Path) -> None:
    figures = grown(tmp_path, "3", "2", "6")
    assert figures["turns"] >= 2
    assert figures["requests"] == 3
    assert figures["first_turn_ms"] > 0
    row = growth_table([GrowthResult(3, 2, 6, figures)]).splitlines()[-1]
    assert row.startswith("| 6 ")


@pytest.mark.parametrize("nodes", [2, 3, 12, 100])
def test_the_ring_has_the_size_asked_for_and_goes_round(nodes: int) -> None:
    flow = compile_flow({"ring": ring(nodes)}, "ring")
    assert len(ring(nodes)["nodes"]) == 1 + 2 * max(1, nodes // 2)
    context = Context(now=0.0, seed="s", contact=Contact(id="1"), country=None, commands={})
    turn = take_turn(flow, None, Input(text="hi"), context)
    for _ in range(nodes):
        turn = take_turn(flow, turn.state, Input(text="yes"), context)
        assert turn.status == "waiting"
        assert len(turn.messages) == 1


def test_the_example_flows_answer_each_turn_with_one_message() -> None:
    found = {one.flow_id: one for one in count()}
    assert {"lead_qualifier", "support_triage"} <= found.keys()
    for one in found.values():
        if one.merges:
            assert one.messages - one.more_for_media <= one.turns, one
    assert "lead_qualifier" in billed_table(list(found.values()))
    assert (
        billed_target([BilledMessages("a", merges=True, turns=4, messages=5, more_for_media=1)])[2]
        == "1.25, 1 of 5 for media"
    )


def test_the_local_cloud_is_reported_by_load() -> None:
    local = LocalResult(
        60, 5, [Load(POLITE, 12, 30.0, [0.1, 0.2, 0.3]), Load(16, 12, 41.5, [0.5, 0.5], cpu_seconds=0.08)]
    )
    assert local.sustained.people == 16
    assert local.load(POLITE).percentile(0.5) == 0.2
    assert len(local_table(local).splitlines()) == 4
    assert [row[2] for row in local_targets(local)] == [
        f"200 ms ({POLITE} people)",
        "41.5/s (16 people, 40 ms CPU each)",
        "5.0 s (first 60 s)",
    ]
