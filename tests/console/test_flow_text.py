"""The text of a flow while it is written: places of values, the cursor, half-written JSON."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.console.flow_text import FlowText, from_utf16, pretty, utf16_offset

FLOW = """{
  "id": "f",
  "nodes": [
    {"id": "a", "type": "message", "data": {"text": "Hi 👋", "buttons": [{"label": "One"}, {"label": "Two"}]}},
    {"id": "b", "type": "end"}
  ]
}
"""


def piece(text: FlowText, node_id: str | None, field: str | None) -> str:
    span = text.place(node_id, field)
    assert span is not None
    return text.text[span.start : span.end]


@pytest.mark.parametrize(
    ("node_id", "field", "expected"),
    [
        ("a", "text", '"Hi 👋"'),
        ("a", "buttons[1].label", '"Two"'),
        ("a", "buttons[7].label", '[{"label": "One"}, {"label": "Two"}]'),
        ("a", "type", '"message"'),
        ("a", None, '"a"'),
        ("a", "no_such_field", '"a"'),
        ("b", "message", '{"id": "b", "type": "end"}'),
        (None, "id", '"f"'),
        (None, "nodes[1].id", '"b"'),
    ],
)
def test_a_problems_place_is_found(node_id: str | None, field: str | None, expected: str) -> None:
    assert piece(FlowText(FLOW), node_id, field) == expected


def test_the_node_at_the_cursor_is_known() -> None:
    text = FlowText(FLOW)
    assert text.node_at(FLOW.index("Two")) == "a"
    assert text.node_at(FLOW.index('"end"')) == "b"
    assert text.node_at(3) is None


def test_what_is_no_json_says_where() -> None:
    broken = FlowText(FLOW.replace('"end"', '"end'))
    assert broken.document is None
    assert broken.not_json is not None
    assert broken.line(broken.not_json.at) == 5
    assert FlowText("[1]").not_json is not None
    assert FlowText("{}").not_json is None
    assert FlowText('{"a": NaN}').not_json is not None


def test_half_written_json_is_read_as_far_as_it_goes() -> None:
    text = FlowText('{"id": "f", "nodes": [{"id": "a", "type": "mess')
    assert text.tree == {"id": "f", "nodes": [{"id": "a", "type": "mess"}]}
    assert FlowText('{"a": 1 "b": [1 2] , } ]').tree == {"a": 1, "b": [1, 2]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_whole_json_is_read_as_it_is(value: object) -> None:
    document = {"id": value}
    for written in (json.dumps(document), json.dumps(document, indent=3, ensure_ascii=False), pretty(document)):
        text = FlowText(written)
        assert text.tree == document == text.document
        span = text.span(("id",))
        assert span is not None
        assert json.loads(written[span.start : span.end]) == value


@given(st.text(alphabet='{}[]:,"\\ ab1\n'), st.integers(0, 30))
def test_no_text_breaks_it(text: str, offset: int) -> None:
    read = FlowText(text)
    read.cursor(min(offset, len(text)))
    read.place("a", "text")


@pytest.mark.parametrize(
    ("written", "kind", "path", "key", "before"),
    [
        ('{"id": "f", |}', "key", (), None, ""),
        ('{"id": "f", "na|"}', "key", (), None, "na"),
        ('{"start_node_id": |}', "value", (), "start_node_id", ""),
        ('{"start_node_id": "a|b"}', "value", (), "start_node_id", "a"),
        ('{"nodes": [{"id": "a", "type": "mes|', "value", ("nodes", 0), "type", "mes"),
        ('{"nodes": [{"data": {"buttons": [{"|"}]}}]}', "key", ("nodes", 0, "data", "buttons", 0), None, ""),
        ('{"nodes": [{"id": "a"}, |]}', "value", ("nodes",), 1, ""),
        ('{"nodes": [|]}', "value", ("nodes",), 0, ""),
        ('{"merge_texts": fa|}', "value", (), "merge_texts", "fa"),
    ],
)
def test_the_cursor_knows_what_is_about_to_be_written(
    written: str, kind: str, path: tuple[str | int, ...], key: str | int | None, before: str
) -> None:
    offset = written.index("|")
    cursor = FlowText(written.replace("|", "")).cursor(offset)
    assert cursor is not None
    assert (cursor.kind, cursor.path, cursor.key, cursor.before) == (kind, path, key, before)


@pytest.mark.parametrize("written", ["|", "|{}", '{"a": 1}|', '{"a" |: 1}', '{"a": "x"| }'])
def test_where_nothing_can_be_written_there_is_no_cursor(written: str) -> None:
    assert FlowText(written.replace("|", "")).cursor(written.index("|")) is None


def test_the_browser_counts_an_emoji_twice() -> None:
    offset = FLOW.index("buttons")
    assert utf16_offset(FLOW, offset) == offset + 1
    assert from_utf16(FLOW, offset + 1) == offset


def test_examples_survive_being_written_anew() -> None:
    for path in Path("examples/flows").glob("*.json"):
        document = json.loads(path.read_text())
        assert json.loads(pretty(document)) == document
