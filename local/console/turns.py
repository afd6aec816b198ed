"""The turns of a conversation as a person reads them: what came in, the way through the flow, what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

Json = Mapping[str, Any]


class Step(NamedTuple):
    """A node that was visited, and the exit taken."""

    flow_id: str
    node_id: str
    exit: str


@dataclass(frozen=True)
class Happened:
    """An event: its type, and what else is known of it as names and values."""

    type: str
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Turn:
    """One turn. `said` is what came in, `outside` what was asked of others and how it went, `answers` how many messages left."""

    seq: int
    at: float
    session_id: str
    status: str
    kind: str
    said: str
    steps: tuple[Step, ...]
    happened: tuple[Happened, ...]
    outside: tuple[str, ...]
    answers: int
    flow_id: str = ""
    flow_version: int = 0


class Way(NamedTuple):
    """Where a session has been in one flow: its nodes, and the lines between them."""

    nodes: frozenset[str]
    edges: frozenset[tuple[str, str]]


def read_turns(lines: bytes) -> list[Turn]:
    """Return the turns of `GET /api/v1/conversations/{phone}/records`, oldest first. A line that is not a record is left out."""
    turns = []
    for line in lines.splitlines():
        try:
            record = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(record, dict) and "seq" in record:
            turns.append(_turn(record))
    return turns


def way_through(turns: Iterable[Turn], flow_id: str, session_id: str | None) -> Way:
    """Return where a session has been in a flow: the last one in these turns, when none is named."""
    known = list(turns)
    session = session_id or next((turn.session_id for turn in reversed(known)), "")
    steps = [step for turn in known if turn.session_id == session for step in turn.steps if step.flow_id == flow_id]
    edges = {(one.node_id, next_one.node_id) for one, next_one in pairwise(steps) if one.node_id != next_one.node_id}
    return Way(frozenset(step.node_id for step in steps), frozenset(edges))


def plain(value: object) -> str:
    """Return a value as a person reads it in a table."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return msgspec.json.encode(value).decode()


def rows(values: Json) -> list[tuple[str, str]]:
    """Return variables as rows: what is nested has a row for each of its parts (`order.items.0.title`)."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        parts = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else None
        if parts:
            found += [(f"{name}.{inner}", text) for inner, text in rows({str(key): one for key, one in parts.items()})]
        else:
            found.append((name, plain(value)))
    return found


def _turn(record: Json) -> Turn:
    given = record.get("input") or {}
    return Turn(
        seq=int(record["seq"]),
        at=float(record.get("at", 0)),
        session_id=str(record.get("session_id", "")),
        status=str(record.get("status", "")),
        kind=str(record.get("message_type") or given.get("type") or ""),
        said=str(given.get("text") or given.get("reply_id") or ""),
        steps=tuple(Step(one["flow_id"], one["node_id"], one["exit"]) for one in record.get("path") or ()),
        happened=tuple(_happened(event) for event in record.get("events") or ()),
        outside=tuple(_outside(effect) for effect in record.get("effects") or ()),
        answers=len(record.get("messages") or ()),
        flow_id=str(record.get("flow_id") or ""),
        flow_version=int(record.get("flow_version") or 0),
    )


def _happened(event: Json) -> Happened:
    data = event.get("data")
    return Happened(str(event.get("type")), tuple(rows(data)) if isinstance(data, dict) else ())


def _outside(effect: Json) -> str:
    result = effect.get("result")
    result = result if isinstance(result, dict) else {}
    outcome = result.get("error") or result.get("status") or result.get("type") or "ok"
    return f"{effect.get('key', '')}: {plain(outcome)}"
