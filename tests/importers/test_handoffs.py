"""A handoff in the middle of a flow becomes its end, or an event."""

from typing import Any

from pytake.importers.handoffs import hand_over_last


def node(id_: str, kind: str, following: str | None = None, **data: Any) -> dict[str, Any]:
    return {"id": id_, "type": kind, "data": {**data, **({"next_node_id": following} if following else {})}}


def test_messages_after_a_handoff_are_said_before_it() -> None:
    nodes = [node("h", "handoff", "m", note="hi"), node("m", "message", "e", text="Thanks"), node("e", "end")]
    assert hand_over_last(nodes, "h") == ("m", [])
    assert [one["data"] for one in nodes[:2]] == [{"note": "hi"}, {"text": "Thanks", "next_node_id": "h"}]


def test_what_leads_to_the_handoff_leads_to_the_messages() -> None:
    nodes = [
        node("q", "condition", branches=[{"all": [], "next_node_id": "h"}], default_next_node_id="m2"),
        node("h", "handoff", "m"),
        node("m", "message", text="Thanks"),
        node("m2", "message", text="No"),
    ]
    assert hand_over_last(nodes, "q") == ("q", [])
    assert nodes[0]["data"]["branches"][0]["next_node_id"] == "m"
    assert nodes[2]["data"]["next_node_id"] == "h"


def test_a_handoff_before_a_question_or_a_shared_message_becomes_an_event() -> None:
    shared = node("m", "message", "e", text="Thanks")
    for following in (node("m", "question", "e", variable="v"), shared):
        nodes = [node("h", "handoff", "m", note="hi"), following, node("x", "message", "m", text="x"), node("e", "end")]
        assert hand_over_last(nodes, "h") == ("h", ["h"])
        assert nodes[0]["data"]["actions"] == [{"type": "emit_event", "name": "agent_wanted", "data": {"note": "hi"}}]
        assert nodes[0]["data"]["next_node_id"] == "m"


def test_a_handoff_at_the_end_stays_as_it_is() -> None:
    nodes = [node("h", "handoff", note="hi")]
    assert hand_over_last(nodes, "h") == ("h", [])
    assert nodes == [node("h", "handoff", note="hi")]
