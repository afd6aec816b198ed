"""Modules do not import one another in a cycle, not even inside `if TYPE_CHECKING` or inside a function."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

ALLOWED = {("local.console.tokens", "local.console.api")}
"""Imports that may close a cycle for now. Remove an entry together with its cycle."""

Imports = dict[str, set[str]]


@pytest.fixture(scope="module")
def imports() -> Imports:
    """What each module imports, wherever the import statement is."""
    graph = grimp.build_graph("pytake", "functions", "rest", "local", "cli", cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def cycle_in(imports: Imports, allowed: set[tuple[str, str]]) -> list[str]:
    """A cycle that remains without the allowed imports; empty if there is none."""
    remaining = {
        importer: {module for module in imported if (importer, module) not in allowed}
        for importer, imported in imports.items()
    }
    try:
        TopologicalSorter(remaining).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_import_cycle(imports: Imports) -> None:
    assert cycle_in(imports, ALLOWED) == []


def test_every_allowed_import_still_closes_a_cycle(imports: Imports) -> None:
    assert [entry for entry in sorted(ALLOWED) if not cycle_in(imports, ALLOWED - {entry})] == []


def test_imports_for_type_checking_and_in_functions_count(imports: Imports) -> None:
    assert "pytake.engine.interpreter" in imports["pytake.engine"]  # inside `if TYPE_CHECKING`
    assert "cli.flow_testing.fuzzer" in imports["cli.flow_testing.commands"]  # inside a function
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}, set()) != []
