"""Migration of documents in older formats."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pytake.engine import (
    Contact,
    Context,
    FlowError,
    Input,
    compile_flow,
    document,
    migrations,
    parse_document,
    take_turn,
)
from pytake.engine.problems import Problem
from tests.engine.conversations import document as flow
from tests.engine.conversations import node

Document = dict[str, Any]


def words_become_text(old: Document) -> Document:
    """An invented format 2 that renames a field of messages."""
    for one in old["nodes"]:
        if one["type"] == "message":
            one["data"]["text"] = one["data"].pop("words")
    return old


def say_becomes_message(old: Document) -> Document:
    """An invented format 3 that renames a node type."""
    return {**old, "nodes": [{**one, "type": one["type"].replace("say", "message")} for one in old["nodes"]]}


@pytest.fixture
def two_formats_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (migrations, document):
        monkeypatch.setattr(module, "FORMAT", 3)
    steps: dict[int, Callable[[Document], Document]] = {1: words_become_text, 2: say_becomes_message}
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)


def old(**fields: Any) -> Document:
    return flow(node("m", "message", words="Hello"), **fields)


def problems_of(found: Document) -> list[Problem]:
    with pytest.raises(FlowError) as caught:
        parse_document(found)
    return caught.value.problems


def hello(found: Document) -> str:
    turn = take_turn(compile_flow({"main": found}, "main"), None, Input(), Context(0, "s", Contact("1")))
    return str(getattr(turn.messages[0], "text", None))


@pytest.mark.usefixtures("two_formats_later")
@pytest.mark.parametrize(
    "found",
    [
        old(format=1),
        {name: value for name, value in old().items() if name != "format"},
        flow(node("m", "say", text="Hello"), format=2),
        flow(node("m", "message", text="Hello"), format=3),
    ],
    ids=["the first format", "no format", "one format behind", "the newest format"],
)
def test_a_document_of_any_format_runs(found: Document) -> None:
    assert hello(found) == "Hello"


@pytest.mark.usefixtures("two_formats_later")
def test_the_stored_document_is_not_modified() -> None:
    found = old(format=1)
    before = copy.deepcopy(found)
    parse_document(found)
    assert found == before


@pytest.mark.parametrize("version", [2, 0, -1, -(10**15), "1", None, True, 10**30])
def test_a_format_without_a_migration_is_rejected(version: Any) -> None:
    (problem,) = problems_of(flow(node("m", "message", text="Hello"), format=version))
    assert (problem.code, problem.field, problem.flow_id) == ("unsupported_format", "format", "main")


@pytest.mark.usefixtures("two_formats_later")
@pytest.mark.parametrize("nodes", [None, "x", [1], [{"type": "message"}], [{"type": "message", "data": None}]])
def test_a_document_that_cannot_be_migrated_is_a_problem(nodes: Any) -> None:
    (problem,) = problems_of({"id": "main", "nodes": nodes})
    assert (problem.code, "from format 1 to 2" in problem.message) == ("unreadable_document", True)


def test_new_documents_have_the_newest_format_and_no_migration_is_missing() -> None:
    assert parse_document(flow(node("m", "message", text="Hello"))).format == migrations.FORMAT
    assert set(migrations.MIGRATIONS) == set(range(migrations.FIRST, migrations.FORMAT))


def test_a_document_keeps_positions_for_editors_and_the_engine_ignores_them() -> None:
    placed = {**node("hello", "message", text="Hi"), "position": {"x": 340, "y": -12.5}}
    parsed = parse_document(flow(placed))
    assert [one.id for one in parsed.nodes] == ["hello"]
    with pytest.raises(FlowError, match="position"):
        parse_document(flow({**placed, "position": {"x": "left", "y": 0}}))
