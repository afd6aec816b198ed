"""The benchmark runs: our own engine's worker, as a process, for a handful of turns. No time is asserted."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.__main__ import document
from benchmarks.engine_benchmark import ENGINES, OURS, Result
from benchmarks.engine_report import engine_tables, engine_targets
from benchmarks.environments import REPOSITORY, Environment, NotInstalledError, go_environment
from benchmarks.reference import conversation, mismatches
from benchmarks.workers import Worker, once

COMMAND = [sys.executable, "-m", "benchmarks.worker", "pytake"]
PATHS = {"PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "layers" / "core")))}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    (tmp_path / "conversations.json").write_text(json.dumps([conversation(0), conversation(1)]))
    running = Worker(Environment("pytake", COMMAND, REPOSITORY, PATHS, tmp_path, ""), None)
    running.request("load", conversations=str(tmp_path / "conversations.json"))
    yield running
    running.close()


def test_our_engine_conforms_to_the_reference_conversation(worker: Worker) -> None:
    assert list(mismatches(worker.turn, worker.rebuild, worker.drop)) == []


def test_what_differs_is_told_in_a_sentence() -> None:
    found = list(mismatches(lambda *_: ["No."], lambda: None, lambda _: None))
    assert found[0] == "first, turn 1: to 'hi' it says ['No.'], not ['Welcome to Acme!', 'What is your name?']"


def test_a_run_times_turns_and_compares_every_answer(worker: Worker) -> None:
    figures = worker.request("run", seconds=0.01)
    assert figures["turns"] >= 7
    assert figures["wrong"] == 0
    assert 0 < figures["p50_us"] <= figures["p99_us"]


def test_the_reference_conversation_is_stored_in_200_bytes(worker: Worker) -> None:
    sizes = worker.request("sizes")["sizes"]
    assert len(sizes) == 7
    assert max(sizes) <= 200
    assert sizes[-1] == 0


def test_a_cold_start_tells_where_its_time_went() -> None:
    assert set(once([*COMMAND, "--cold"], REPOSITORY, PATHS, None)) == {
        "import_ms",
        "import_cpu_ms",
        "build_ms",
        "first_turn_ms",
        "process_ms",
    }


def test_the_tables_compare_round_by_round() -> None:
    def result(name: str, speeds: list[float]) -> Result:
        rounds = [{"turns_per_second": speed, "p50_us": 1.0, "p99_us": 2.0, "cpu_us": 1e6 / speed} for speed in speeds]
        cold = {"import_ms": 30.0, "import_cpu_ms": 30.0, "build_ms": 1.0, "first_turn_ms": 0.1, "process_ms": 60.0}
        return Result(name, name, "1", 1.0, rounds, [cold], [10, 20, 0], {"rss_mb": 30.0, "rss_before_mb": 20.0})

    results = [result("pytake", [100_000, 50_000, 100_000]), result("transitions", [20_000, 10_000, 20_000])]
    tables = engine_tables(results, {"langgraph": "it was not there"})
    assert "5.00x" in tables
    assert "Not measured: LangGraph: it was not there." in tables
    assert ["against transitions", "≥ 5x", "5.00x"] in engine_targets(results)


def test_without_go_goflow_is_missing_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.environments.shutil.which", lambda *_, **__: None)
    with pytest.raises(NotInstalledError, match="Go is not on this machine"):
        go_environment("goflow")


def test_the_report_says_of_each_other_engine_how_it_was_used() -> None:
    text = document(defaultdict(str), 1, 1.0, 1, 1).partition("How each was used")[2]
    for name, (title, _) in ENGINES.items():
        assert name == OURS or f"- {title.partition(' ')[0]}: " in text
