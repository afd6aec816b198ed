"""What follows a handoff at once elsewhere follows the agent's return here; messages are sent before."""

from typing import Any

from pytake.importers.handoffs import say_before_handoffs


def node(id_: str, kind: str, following: str | None = None, **data: Any) -> dict[str, Any]:
    return {"id": id_, "type": kind, "data": {**data, **({"next_node_id": following} if following else {})}}


def test_messages_after_a_handoff_are_said_before_it() -> None:
    nodes = [node("h", "handoff", "m", note="hi"), node("m", "message", "e", text="Thanks"), node("e", "end")]
    assert say_before_handoffs(nodes, "h") == ("m", [])
    assert [one["data"] for one in nodes[:2]] == [{"note": "hi"}, {"text": "Thanks", "next_node_id": "h"}]


def test_what_leads_to_the_handoff_leads_to_the_messages() -> None:
    nodes = [
        node("q", "condition", branches=[{"all": [], "next_node_id": "h"}], default_next_node_id="m2"),
        node("h", "handoff", "m"),
        node("m", "message", text="Thanks"),
        node("m2", "message", text="No"),
    ]
    assert say_before_handoffs(nodes, "q") == ("q", [])
    assert nodes[0]["data"]["branches"][0]["next_node_id"] == "m"
    assert nodes[2]["data"]["next_node_id"] == "h"


def test_a_question_behind_a_handoff_and_its_message_comes_when_the_agent_is_done() -> None:
    nodes = [
        node("h", "handoff", "m", note="hi"),
        node("m", "message", "q", text="Thanks"),
        node("q", "question", "e", variable="v"),
        node("e", "end"),
    ]
    assert say_before_handoffs(nodes, "h") == ("m", ["h"])
    assert nodes[0]["data"] == {"note": "hi", "next_node_id": "q"}
    assert nodes[1]["data"] == {"text": "Thanks", "next_node_id": "h"}


def test_a_message_that_other_paths_lead_to_stays_behind_the_handoff() -> None:
    shared = node("m", "message", "e", text="Thanks")
    nodes = [node("h", "handoff", "m", note="hi"), shared, node("x", "message", "m", text="x"), node("e", "end")]
    assert say_before_handoffs(nodes, "h") == ("h", ["h"])
    assert nodes[0] == node("h", "handoff", "m", note="hi")


def test_a_handoff_at_the_end_stays_as_it_is() -> None:
    nodes = [node("h", "handoff", note="hi")]
    assert say_before_handoffs(nodes, "h") == ("h", [])
    assert nodes == [node("h", "handoff", note="hi")]
