"""Completion in a flow document: the right words at the right place, written so that JSON comes out."""

import json

import pytest

from local.console.completion import Completions, complete, new_id, skeleton
from local.console.flow_text import FlowText
from pytake.engine.registry import node_types

NODES = """[
  {"id": "ask", "type": "question", "label": "The name", "data": {"variable": "name"}},
  {"id": "call", "type": "api_call", "data": {"url": "https://x", "response_map": {"city": "$.c"}}}
]"""


def at(written: str) -> tuple[FlowText, Completions | None]:
    text = FlowText(written.replace("|", "", 1))
    return text, complete(text, written.index("|"), ["other_flow"])


def labels(written: str) -> list[str]:
    found = at(written)[1]
    return [option.label for option in found.options] if found else []


def chosen(written: str, label: str) -> str:
    """The text after choosing an option."""
    text, found = at(written)
    assert found is not None
    option = next(option for option in found.options if option.label == label)
    return text.text[: found.start] + option.insert + text.text[found.end :]


def test_fields_of_the_document_that_are_not_there_yet() -> None:
    found = labels('{"id": "f", "|"}')
    assert "start_node_id" in found
    assert "id" not in found


def test_fields_follow_the_type_and_what_must_be_there_comes_first() -> None:
    found = labels('{"nodes": [{"type": "question", "data": {"|"}}]}')
    assert found[0] == "variable"
    assert {"question", "validation"} <= set(found)
    assert "prompt" not in found
    assert "prompt" in labels('{"nodes": [{"type": "ai_prompt", "data": {"|"}}]}')


def test_fields_of_what_lies_deeper() -> None:
    assert set(labels('{"nodes": [{"type": "message", "data": {"buttons": [{"|"}]}}]}')) == {
        "label",
        "value",
        "next_node_id",
        "description",
        "section",
        "show_if",
    }
    assert set(labels('{"nodes": [{"type": "action", "data": {"actions": [{"type": "add_tag", |}]}}]}')) == {"tag"}


def test_node_ids_where_a_node_is_named() -> None:
    assert labels(f'{{"start_node_id": "|", "nodes": {NODES}}}') == ["ask", "call"]
    assert labels('{"nodes": [{"id": "a", "type": "jump", "data": {"target_flow_id": "|"}}]}') == ["other_flow"]


def test_types_operators_and_validators() -> None:
    assert set(labels('{"nodes": [{"id": "a", "type": "|"}]}')) == set(node_types())
    assert "starts_with" in labels('{"nodes": [{"type": "condition", "data": {"operator": "|"}}]}')
    assert "email" in labels('{"nodes": [{"type": "question", "data": {"validation": {"type": "|"}}}]}')
    assert labels('{"merge_texts": |}') == ["true", "false"]


def test_variables_and_filters_within_braces() -> None:
    text = f'{{"name": "Hi {{{{|", "nodes": {NODES}}}'
    assert labels(text)[:2] == ["name", "city"]
    assert "contact.name" in labels(text)
    filtered = '{"name": "{{contact.name | fir'
    found = complete(FlowText(filtered), len(filtered))
    assert found is not None
    assert "first_name" in [option.label for option in found.options]
    assert filtered[found.start : found.end] == "fir"
    assert chosen(text, "city").startswith('{"name": "Hi {{city}}')


@pytest.mark.parametrize(
    ("written", "label", "expected"),
    [
        ('{"|"}', "name", '{"name": }'),
        ('{"na|": "x"}', "name", '{"name": "x"}'),
        ("{|}", "name", '{"name": }'),
        ('{"language": "|"}', "en", '{"language": "en"}'),
        ('{"language": "e|', "en", '{"language": "en"'),
        ('{"language": |}', "en", '{"language": "en"}'),
        ('{"language": "pt|_XX"}', "pt_BR", '{"language": "pt_BR"}'),
    ],
)
def test_what_is_chosen_is_written_as_json(written: str, label: str, expected: str) -> None:
    assert chosen(written, label) == expected


def test_a_new_node_is_json_and_has_an_id_of_its_own() -> None:
    text = chosen('{"nodes": [{"id": "message_1", "type": "message"}, |]}', "message")
    assert [node["id"] for node in json.loads(text)["nodes"]] == ["message_1", "message_2"]


@pytest.mark.parametrize("type_", node_types())
def test_every_type_has_a_skeleton_that_the_engine_reads(type_: str) -> None:
    from pytake.engine.document import read_document

    node = skeleton(type_, "a")
    _, problems = read_document({"id": "f", "start_node_id": "a", "nodes": [node]})
    assert problems == []
    assert new_id(FlowText(json.dumps({"nodes": [node]})), "a") == "a_1"
