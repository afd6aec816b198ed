"""The test files of the example flows pass and cover every exit."""

from pathlib import Path

import pytest

from cli.flow_testing.documents import is_test_file, read_documents, read_json
from cli.flow_testing.files import find_suites, read_suite, write_suite
from cli.flow_testing.generator import generate
from pytake.conversation.flow_tests.coverage import Coverage
from pytake.conversation.flow_tests.runner import run_conversation
from pytake.engine import compile_flow, jump_targets, parse_document

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
FLOWS = [path for path in sorted(EXAMPLES.glob("*.json")) if not is_test_file(path)]
JUMPED_TO = {target for path in FLOWS for target in jump_targets(parse_document(read_json(path)))}
ROOTS = [path for path in FLOWS if read_json(path)["id"] not in JUMPED_TO]


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.stem)
def test_the_example_conversations_pass_and_take_every_exit(path: Path) -> None:
    documents, root = read_documents([path])
    flow, coverage = compile_flow(documents, root), Coverage(documents, root)
    suites = [read_suite(found) for found in find_suites([path])]
    assert suites, f"write tests: pytake flow test --generate {path.name}"
    for suite in suites:
        for script in suite.conversations:
            played = run_conversation(suite, script, flow)
            assert played.failures == [], script.name
            coverage.add(played.steps)
    assert {found.flow_id: found.missing for found in coverage.flows()} == {flow_id: [] for flow_id in documents}


@pytest.mark.parametrize("path", [path for path in ROOTS if "languages" in read_json(path)], ids=lambda path: path.stem)
def test_each_language_of_an_example_is_played_to_its_end_by_a_test_with_a_name(path: Path) -> None:
    suites = [read_suite(found) for found in find_suites([path]) if ".generated." not in found.name]
    played = {
        (script.contact or {}).get("language", read_json(path)["language"])
        for suite in suites
        for script in suite.conversations
        if script.turns[-1].expect.status in ("completed", "handoff")
    }
    assert played == set(read_json(path)["languages"])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.generated.test.json")), ids=lambda path: path.name)
def test_generated_tests_are_current(path: Path) -> None:
    documents, root = read_documents([path.with_name(path.name.split(".")[0] + ".json")])
    assert write_suite(generate(documents, root)) == path.read_bytes(), "run pytake flow test --generate again"
