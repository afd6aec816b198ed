"""Replays recorded conversations without a network, on the same version of the flow or on another one.

The turns of a conversation are its audit records. They contain the input, the time, the results of APIs and models, and what the
turn knew about the contact and the number. The state between two turns follows from the turns before.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.flow_tests.errors import FlowTestError
from pytake.conversation.records import DEFAULT_COMMANDS, STATE_BYTES, TurnContext, TurnRecord
from pytake.engine import (
    Context,
    Effect,
    EffectResult,
    Flow,
    State,
    Turn,
    compile_flow,
    continue_turn,
    opened_state,
    take_turn,
)
from pytake.engine.contact_changes import contact_after

Documents = Mapping[str, Mapping[str, Any]]

_COMPARED = ("status", "node_id", "path", "messages", "events", "effects")


class Difference(Struct, frozen=True):
    """The first turn of a conversation that differs: the part that differs, as recorded and as replayed.

    `node_id` is where the replayed turn ended, None if it did not; `turn` is its number among the flow's turns.
    """

    session_id: str
    seq: int
    at: float
    part: str
    recorded: Any
    now: Any
    node_id: str | None = None
    turn: int = 0


class ReplayResult(Struct, frozen=True):
    """The result of replaying a conversation. `skipped` says why it could not be replayed to its end."""

    session_id: str
    turns: int
    difference: Difference | None = None
    skipped: str | None = None


class _UnknownEffectError(Exception):
    """The flow requests an effect that was not recorded."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def read_records(lines: Iterable[str | bytes], name: str) -> list[TurnRecord]:
    """Audit records, one JSON object per line. Raises FlowTestError."""
    records = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            records.append(msgspec.json.decode(line, type=TurnRecord))
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise FlowTestError(f"{name}, line {number}: not a turn record: {error}") from error
    return records


class Replayer:
    """Replays conversations with the given flow documents."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._flows: dict[str, Flow | None] = {}

    def replay(self, records: Iterable[TurnRecord]) -> Iterator[ReplayResult]:
        """The result for each conversation (session) in these records, in the order in which they started."""
        sessions: dict[str, list[TurnRecord]] = {}
        for record in sorted(records, key=lambda record: (record.at, record.seq)):
            if record.session_id:
                sessions.setdefault(record.session_id, []).append(record)
        for session_id, turns in sessions.items():
            yield self._session(session_id, sorted(turns, key=lambda record: record.seq))

    def _session(self, session_id: str, records: list[TurnRecord]) -> ReplayResult:
        state: State | None = None
        known: TurnContext | None = None
        done, before = 0, records[0].seq - 1
        for record in records:
            if record.seq != before + 1:
                return ReplayResult(session_id, done, skipped=f"turn {before + 1} is missing")
            before = record.seq
            if record.flow_id is None:  # an agent's turn, a reaction, an expiry: the flow was not involved
                continue
            known = record.context or known
            if known is None:
                return ReplayResult(session_id, done, skipped="its beginning is missing")
            flow = self._flow(record.flow_id)
            if flow is None:
                return ReplayResult(session_id, done, skipped=f"flow {record.flow_id} was not given")
            if record.parameters is not None:
                state = opened_state(flow, record.parameters)
            try:
                turn = _turn(flow, state, record, known)
            except _UnknownEffectError as unknown:
                asked = [effect.key for effect in record.effects]
                found = Difference(session_id, record.seq, record.at, "effects", asked, [unknown.key], turn=done + 1)
                return ReplayResult(session_id, done, found)
            now = _as_recorded(turn, record)
            done += 1
            if msgspec.json.encode(now) != msgspec.json.encode(record):
                return ReplayResult(session_id, done, replace(_difference(session_id, record, now), turn=done))
            known = replace(known, contact=contact_after(known.contact, turn.events))
            if not _is_too_large(turn):
                state = turn.state or turn.handoff_state
        return ReplayResult(session_id, done)

    def _flow(self, flow_id: str) -> Flow | None:
        if flow_id not in self._flows:
            known = flow_id in self._documents
            self._flows[flow_id] = compile_flow(self._documents, flow_id) if known else None
        return self._flows[flow_id]


def _turn(flow: Flow, state: State | None, record: TurnRecord, known: TurnContext) -> Turn:
    commands: Mapping[str, Any] = known.commands or DEFAULT_COMMANDS
    seed = f"{record.session_id}:{record.seq}"
    settings = (known.timezone, known.constants, known.timetables)
    context = Context(record.at, seed, known.contact, known.country, commands, *settings, record.received_message_id)
    left = {effect.key: effect.result for effect in record.effects}
    turn = take_turn(flow, state, record.input, context)
    while turn.effect is not None:
        turn = continue_turn(flow, turn, record.input, _result(turn.effect, left), context)
    return turn


def _result(effect: Effect, left: dict[str, EffectResult]) -> EffectResult:
    """The recorded result of an effect: by its key, or by its node if the path to the node has changed."""
    node = effect.key.rpartition("/")[0]
    key = next((key for key in left if key == effect.key), None)
    key = key or next((key for key in left if key.rpartition("/")[0] == node), None)
    if key is None:
        raise _UnknownEffectError(effect.key)
    return left.pop(key)


def _as_recorded(turn: Turn, record: TurnRecord) -> TurnRecord:
    """The record that this turn would have written."""
    ended = [event for event in record.events if event.type in ("session_expired", "session_closed")]
    failed = turn.status == "failed" or _is_too_large(turn)
    return replace(
        record,
        status="failed" if failed else turn.status,
        node_id=turn.node_id,
        path=turn.path,
        # The apology for a failed turn comes from the number, not from the flow.
        messages=record.messages if failed and record.status == "failed" else turn.messages,
        events=[*ended, *turn.events],
    )


def _is_too_large(turn: Turn) -> bool:
    return turn.state is not None and len(turn.state.encode()) > STATE_BYTES


def _difference(session_id: str, recorded: TurnRecord, now: TurnRecord) -> Difference:
    for part in _COMPARED:
        before, after = (msgspec.to_builtins(getattr(record, part)) for record in (recorded, now))
        if before != after:
            return Difference(session_id, recorded.seq, recorded.at, part, before, after, now.node_id)
    before, after = msgspec.to_builtins(recorded), msgspec.to_builtins(now)
    return Difference(session_id, recorded.seq, recorded.at, "record", before, after, now.node_id)
