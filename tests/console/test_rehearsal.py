"""A draft on a test phone: the engine's turns, seen as messages."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.console.rehearsal import NotNowError, Rehearsal, UnansweredError
from pytake.engine import EffectResult, FlowError

NOW = 1_795_000_000.0


def begun(*nodes: dict[str, Any], start: str = "a") -> Rehearsal:
    document = {"id": "f", "language": "en", "start_node_id": start, "nodes": list(nodes)}
    return Rehearsal.of({"f": document}, "f", now=NOW, seed=1)


END: dict[str, Any] = {"id": "end", "type": "end", "data": {"message": "Bye {{name}}"}}
ASK: dict[str, Any] = {
    "id": "a",
    "type": "question",
    "data": {
        "question": "Name?",
        "variable": "name",
        "timeout_seconds": 60,
        "timeout_next_node_id": "end",
        "next_node_id": "end",
    },
}


def test_an_example_goes_through_on_the_phone() -> None:
    documents = {
        path.stem: json.loads(path.read_text())
        for path in Path("examples/flows").glob("*.json")
        if "test" not in path.name
    }
    rehearsal = Rehearsal.of(documents, "support_triage", now=NOW, seed=1)
    rehearsal.act({"text": "Hi"})
    menu = rehearsal.bubbles[-1]
    played = rehearsal.act({"reply_id": menu.rows[2].id})
    assert played.variables["topic"] == "technical"
    assert ("support_triage", "topic") in rehearsal.visited
    assert [bubble.mine for bubble in rehearsal.bubbles][:2] == [True, False]
    assert rehearsal.bubbles[0].ticks == "read"


def test_a_conversation_comes_to_its_end_and_begins_anew() -> None:
    rehearsal = begun(ASK, END)
    rehearsal.act({"text": "Hi"})
    assert rehearsal.waiting_until == NOW + 60
    played = rehearsal.act({"text": "Ana"})
    assert played.status == "completed"
    assert rehearsal.bubbles[-1].text == "Bye Ana"
    assert rehearsal.act({"text": "Hi again"}).node_id == "a"


def test_the_clock_can_be_moved_to_when_the_flow_goes_on() -> None:
    rehearsal = begun(ASK, END)
    with pytest.raises(NotNowError):
        rehearsal.wait()
    rehearsal.act({"text": "Hi"})
    assert rehearsal.wait().path[0].exit == "timeout"
    assert rehearsal.conversation.now == NOW + 60
    delayed = begun({"id": "a", "type": "delay", "data": {"seconds": 3600, "next_node_id": "end"}}, END)
    delayed.act({"text": "Hi"})
    assert delayed.wait().status == "completed"


def test_an_api_is_never_called_but_answered_by_hand() -> None:
    call = {
        "id": "call",
        "type": "api_call",
        "data": {"url": "https://api.example/{{name}}", "output_variable": "found", "next_node_id": "said"},
    }
    said = {"id": "said", "type": "message", "data": {"text": "{{found.city}}", "next_node_id": "end"}}
    rehearsal = begun({**ASK, "data": {**ASK["data"], "next_node_id": "call"}}, call, said, END)
    rehearsal.act({"text": "Hi"})
    before = len(rehearsal.bubbles)
    with pytest.raises(UnansweredError) as caught:
        rehearsal.act({"text": "Ana"})
    assert str(caught.value) == "GET https://api.example/Ana"
    assert len(rehearsal.bubbles) == before
    rehearsal.answer(caught.value.effect, EffectResult(ok=True, status=200, body={"city": "Recife"}))
    rehearsal.act({"text": "Ana"})
    assert "Recife" in rehearsal.bubbles[-1].text


def test_what_was_not_offered_cannot_be_tapped() -> None:
    rehearsal = begun(ASK, END)
    with pytest.raises(NotNowError):
        rehearsal.act({"reply_id": "nothing"})


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ({"media": {"type": "image", "caption": "look"}}, "media"),
        ({"location": {"latitude": 1.0, "longitude": 2.0}}, "location"),
    ],
)
def test_files_and_places_can_be_sent(action: dict[str, Any], kind: str) -> None:
    ask = {
        "id": "a",
        "type": "question",
        "data": {"question": "?", "variable": "it", "validation": {"type": kind}, "next_node_id": "end"},
    }
    rehearsal = begun(ask, {"id": "end", "type": "end"})
    rehearsal.act({"text": "Hi"})
    assert rehearsal.act(action).status == "completed"


def test_a_form_can_be_sent_in() -> None:
    data = {"flow_id": "1", "cta": "Open", "variable": "form", "text": "Fill it in", "next_node_id": "end"}
    form = {"id": "a", "type": "whatsapp_flow", "data": data}
    rehearsal = begun(form, {"id": "end", "type": "end"})
    rehearsal.act({"text": "Hi"})
    assert rehearsal.act({"form": {"age": "30"}}).variables["form"]["age"] == "30"


def test_a_flow_that_cannot_run_says_so() -> None:
    with pytest.raises(FlowError):
        begun({"id": "a", "type": "message", "data": {"text": "Hi", "next_node_id": "gone"}})
