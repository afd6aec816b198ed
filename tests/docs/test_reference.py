"""Generated texts are up to date: pages of `docs/`, and the saved queries in the template."""

import json

import pytest

from cli.reference import REPOSITORY, pages
from cli.reference.flow_reference import EXAMPLES
from pytake.engine import parse_document, validate
from pytake.engine.registry import node_types

EXAMPLES = json.loads(EXAMPLES.read_bytes())
PAGES = {path.name: (path, text) for path, text in pages().items()}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    path, text = PAGES[name]
    assert path.read_text(encoding="utf-8") == text, f"run `make docs` and commit {path.relative_to(REPOSITORY)}"


def test_every_node_type_has_an_example() -> None:
    assert set(EXAMPLES) == set(node_types())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_node_type_works(name: str) -> None:
    ask = {
        "id": "ask",
        "type": "question",
        "data": {
            "question": "How many?",
            "variable": "people",
            "validation": {"type": "number", "min": 1, "max": 12},
            "next_node_id": "it",
        },
    }
    ends = [{"id": "next", "type": "end"}, {"id": "other", "type": "end"}]
    main = {
        "id": "main",
        "start_node_id": "ask",
        "nodes": [ask, {"id": "it", "type": name, "data": EXAMPLES[name]}, *ends],
    }
    address = {"id": "address", "start_node_id": "e", "nodes": [{"id": "e", "type": "end"}]}
    problems = validate({"main": main, "address": address}, "main")
    assert [problem for problem in problems if problem.code != "unreachable_node"] == []
    assert parse_document(main).nodes[1].type == name
