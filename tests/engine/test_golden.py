"""Golden conversations: `golden/<name>.json` holds a flow, inputs, and everything that has to follow from them.

`problems` lists the codes of what the prover rightly finds in a flow that shows what happens then; the others have none.

`python -m pytest tests/engine --update-golden` writes what follows now into the files.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from local.json_layout import lay_out
from pytake.engine import EffectResult, Input, Turn, compile_flow, validate
from tests.engine.conversations import GOLDEN, Talk, documents_of


def recorded(turn: Turn, talk: Talk) -> dict[str, Any]:
    """A turn in the form of a golden file, with one line for each step of the path."""
    found: dict[str, Any] = {
        "status": turn.status,
        "node_id": turn.node_id,
        "path": [f"{step.flow_id}/{step.node_id}: {step.exit}" for step in turn.path],
        "messages": turn.messages,
        "variables": turn.variables,
        "events": turn.events,
        "state": msgspec.json.decode(talk.stored) if talk.stored is not None else None,
    }
    if talk.effects:
        found["effects"] = talk.effects
    if turn.due_at is not None:
        found["due_at"] = turn.due_at
    return msgspec.json.decode(msgspec.json.encode(found))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_conversation_goes_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    golden = json.loads(path.read_bytes())
    documents = documents_of(golden)
    root = next(iter(documents))
    assert [problem.code for problem in validate(documents, root)] == golden.get("problems", [])
    talk = Talk(compile_flow(documents, root), **golden.get("context", {}))
    turns = []
    for entry in golden["inputs"]:
        user_input = {"text": entry} if isinstance(entry, str) else dict(entry)
        talk.now += user_input.pop("after_seconds", 0)
        results = [msgspec.convert(result, EffectResult) for result in user_input.pop("results", [])]
        turns.append(recorded(talk.say(msgspec.convert(user_input, Input), results), talk))
    if request.config.getoption("--update-golden", default=False):
        golden["turns"] = turns
        path.write_text(lay_out(golden) + "\n", encoding="utf-8")
    assert turns == golden["turns"]
