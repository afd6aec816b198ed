"""Modules do not import one another in a cycle, not even inside `if TYPE_CHECKING` or inside a function."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

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
