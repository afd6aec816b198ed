"""Modules do not import one another in a cycle, not even inside `if TYPE_CHECKING` or inside a function."""

import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from benchmarks.handler_benchmark import VARIABLES

Imports = dict[str, set[str]]


@pytest.fixture(scope="module")
def imports() -> Imports:
    """What each module imports, wherever the import statement is."""
    graph = grimp.build_graph("pytake", "functions", "rest", "local", "cli", cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def cycle_in(imports: Imports) -> list[str]:
    """A cycle of imports; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_import_cycle(imports: Imports) -> None:
    assert cycle_in(imports) == []


def test_imports_for_type_checking_and_in_functions_count(imports: Imports) -> None:
    assert "pytake.engine.interpreter" in imports["pytake.engine"]  # inside `if TYPE_CHECKING`
    assert "cli.flow_testing.fuzzer" in imports["cli.flow_testing.commands"]  # inside a function
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []


def ends_well(code: str) -> bool:
    root = Path(__file__).parents[1]
    paths = {"PYTHONPATH": os.pathsep.join([str(root), str(root / "layers" / "core")])}
    return subprocess.run([sys.executable, "-c", code], env=VARIABLES | paths, check=False).returncode == 0


@pytest.mark.parametrize("function", ["webhook", "sender", "statuses"])
def test_a_function_that_takes_no_turn_does_not_load_the_compiler(function: str) -> None:
    assert ends_well(f"import sys, functions.{function}.handler; sys.exit('pytake.engine.compiler' in sys.modules)")


@pytest.mark.parametrize("module", ["pytake.conversation.inbox", "pytake.conversation.ports.lake"])
def test_the_flow_runner_does_not_load_what_only_other_functions_use(module: str) -> None:
    assert ends_well(f"import sys, functions.flow_runner.handler; sys.exit({module!r} in sys.modules)")


@pytest.mark.parametrize(
    "module", ["pytake.conversation.media.sendable", "pytake.meta.media", "pytake.aws.media_files"]
)
def test_the_sender_does_not_load_what_only_files_need(module: str) -> None:
    assert ends_well(f"import sys, functions.sender.handler; sys.exit({module!r} in sys.modules)")


@pytest.mark.parametrize("use_case", ["webhook.receive_notification", "flow_runner.take_turn"])
def test_clients_are_made_by_the_first_request_not_with_the_use_case(use_case: str) -> None:
    function = use_case.partition(".")[0]
    assert ends_well(f"from pytake.wiring import shared, {function}; shared.client = None; {use_case}()")


def test_the_collector_waits_from_the_first_import_of_the_flow_runner_on() -> None:
    counted = "import gc, sys, typing; runs = []; gc.collect(); gc.callbacks.append(lambda *run: runs.append(run))"
    # It may run once before `pytake.wiring` stops it; each run calls twice.
    assert ends_well(f"{counted}; import functions.flow_runner.handler; sys.exit(len(runs) > 2)")


def test_the_flow_runner_makes_no_decoder_that_a_plain_turn_does_not_use() -> None:
    made = "import gc, sys, functions.flow_runner.handler, msgspec; from pytake.conversation.records import TurnRecord"
    decoders = "[one for one in gc.get_objects() if isinstance(one, msgspec.json.Decoder) and one.type is TurnRecord]"
    assert ends_well(f"{made}; sys.exit(len({decoders}))")
