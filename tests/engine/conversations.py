"""Conversations with the engine in tests, with a frozen clock, ids and randomness."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Flow,
    Input,
    State,
    Turn,
    compile_flow,
    continue_turn,
    take_turn,
)
from pytake.engine.contact_changes import contact_after
from pytake.engine.timetable import Timetable

GOLDEN = Path(__file__).parent / "golden"
"""The golden conversations, one file each."""

FLOWS = Path(__file__).parents[2] / "examples" / "flows"

NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z
CONTACT = Contact(id="5511987654321", phone="+5511987654321", name="Maria da Silva")


def document(*nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A flow document with these nodes. It starts at the first one."""
    base = {
        "format": 1,
        "id": "main",
        "language": "en",
        "start_node_id": nodes[0]["id"] if nodes else "",
        "nodes": nodes,
    }
    return msgspec.json.decode(msgspec.json.encode({**base, **fields}))


def node(id: str, type: str, **data: Any) -> dict[str, Any]:
    """A node, with its data as keywords."""
    return {"id": id, "type": type, "data": data}


def flow_of(*documents: dict[str, Any]) -> Flow:
    """The compiled bundle of these documents; the first is the root."""
    return compile_flow({one["id"]: one for one in documents}, documents[0]["id"])


def documents_of(golden: dict[str, Any]) -> dict[str, Any]:
    """The documents of a golden conversation; the first is the root."""
    documents = [json.loads((FLOWS / f"{name}.json").read_bytes()) for name in golden.get("examples", [])]
    return {document["id"]: document for document in [*documents, *golden.get("documents", [])]}


class Talk:
    """A conversation. The state is serialised and read back between two inputs."""

    def __init__(self, flow: Flow, **context: Any) -> None:
        self.flow = flow
        self.context: Mapping[str, Any] = {"country": "BR", "contact": CONTACT, **context}
        timetables = msgspec.convert(context.get("timetables", {}), dict[str, Timetable])
        self.context = {**self.context, "timetables": timetables}
        self.now = NOW
        self.stored: bytes | None = None
        self.number = 0
        self.effects: list[Effect] = []

    def say(self, user_input: str | Input, results: Iterable[EffectResult] = ()) -> Turn:
        """Take the turn of an input. The effects end with `results`, in order."""
        self.number += 1
        self.effects = []
        answer = Input(text=user_input) if isinstance(user_input, str) else user_input
        context = Context(now=self.now, seed=f"seed:{self.number}", message_id=f"wamid.{self.number}", **self.context)
        state = State.decode(self.stored) if self.stored is not None else None
        turn = take_turn(self.flow, state, answer, context)
        for result in results:
            assert turn.effect is not None, "a result was given, but no effect asked for one"
            self.effects.append(turn.effect)
            turn = continue_turn(self.flow, turn, answer, result, context)
        left = turn.state
        if turn.handoff_state is not None and self.flow.timer_input(turn.handoff_state) == "handed_back":
            left = turn.handoff_state
        self.stored = left.encode() if left is not None else None
        self.context = {**self.context, "contact": contact_after(context.contact, turn.events)}
        return turn

    def tap(self, reply_id: str, label: str = "") -> Turn:
        """Tap a button or a row."""
        return self.say(Input(type="reply", text=label or reply_id, reply_id=reply_id))


def texts(turn: Turn) -> list[str]:
    """The texts that the bot sent, without buttons."""
    return [getattr(message, "text", "") for message in turn.messages]


def whole_turn(flow: Flow, state: State | None, user_input: Input, context: Context, result: EffectResult) -> Turn:
    """The complete turn of an input; every effect ends with `result`."""
    turn = take_turn(flow, state, user_input, context)
    while turn.effect is not None:
        turn = continue_turn(flow, turn, user_input, result, context)
    return turn
