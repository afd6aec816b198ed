"""Audit records as a person reads them."""

import json
from typing import Any

import pytest

from local.console.turns import Happened, Step, plain, read_turns, rows, way_through


def record(seq: int, path: list[tuple[str, str, str]], session: str = "s1", **more: Any) -> bytes:
    steps = [{"flow_id": flow, "node_id": node, "exit": way} for flow, node, way in path]
    return json.dumps(
        {"seq": seq, "at": 5.0, "session_id": session, "status": "waiting", "path": steps, **more}
    ).encode()


def test_a_record_says_what_came_in_what_happened_and_what_was_asked_outside() -> None:
    line = record(
        4,
        [("f", "ask", "next")],
        input={"type": "text", "text": "Ana"},
        message_type="text",
        events=[{"type": "handed_off", "data": {"department": "sales"}}, {"type": "completed"}],
        effects=[{"key": "call", "result": {"status": 200}}, {"key": "model", "result": {"error": "timeout"}}],
        messages=[{"type": "text"}],
        flow_id="f",
        flow_version=3,
    )
    (turn,) = read_turns(line + b"\n\nno json\n[1]\n")
    assert (turn.seq, turn.said, turn.kind, turn.answers, turn.flow_id, turn.flow_version) == (
        4,
        "Ana",
        "text",
        1,
        "f",
        3,
    )
    assert turn.steps == (Step("f", "ask", "next"),)
    assert turn.happened == (Happened("handed_off", (("department", "sales"),)), Happened("completed"))
    assert turn.outside == ("call: 200", "model: timeout")


def test_the_way_is_that_of_the_last_session_in_the_flow_that_is_drawn() -> None:
    lines = [
        record(1, [("f", "start", "next"), ("f", "old", "wait")], session="s0"),
        record(2, [("f", "start", "next"), ("f", "a", "wait")]),
        record(3, [("f", "a", "invalid")]),
        record(4, [("f", "a", "jump"), ("sub", "x", "wait")]),
        record(5, [("sub", "x", "return"), ("f", "b", "end")]),
    ]
    turns = read_turns(b"\n".join(lines))
    way = way_through(turns, "f", None)
    assert way.nodes == {"start", "a", "b"}
    assert way.edges == {("start", "a"), ("a", "b")}
    assert way_through(turns, "sub", None).nodes == {"x"}
    assert way_through(turns, "f", "s0").nodes == {"start", "old"}
    assert way_through([], "f", None).nodes == frozenset()


def test_variables_are_rows_however_deep_they_are() -> None:
    values = {"name": "Ana", "order": {"items": [{"title": "Sun"}, {"title": "Rain"}], "none": {}}, "n": 3.0}
    assert rows(values) == [
        ("name", "Ana"),
        ("order.items.0.title", "Sun"),
        ("order.items.1.title", "Rain"),
        ("order.none", "{}"),
        ("n", "3"),
    ]


@pytest.mark.parametrize(("value", "text"), [(None, "null"), (True, "true"), (2.5, "2.5"), ("x", "x"), ([], "[]")])
def test_values_are_plain(value: object, text: str) -> None:
    assert plain(value) == text
