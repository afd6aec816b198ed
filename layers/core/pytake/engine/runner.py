"""`take_turn`: one input, one turn."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from pytake.engine.compiling import Flow
from pytake.engine.effects import EffectResult
from pytake.engine.limits import STEPS
from pytake.engine.running import Cell, Halt, Handler, Run
from pytake.engine.state import Frame, State
from pytake.engine.texts import wording
from pytake.engine.turn import Context, Event, Input, Turn, Word
from pytake.engine.words import word_of

_STARTED = Event("session_started")
_TIMERS = ("timeout", "resume")


def take_turn(flow: Flow, state: State | None, input: Input, context: Context) -> Turn:  # noqa: A002
    """What follows when this input meets this state. Pure: the same four give the same turn, byte for byte.

    `state` None opens a conversation; it is never changed. The input `timeout` (or `resume`) counts only when the
    state's `due_at` has come by `context.now`; one that comes too early or for a question that was answered meanwhile
    changes nothing.

    Never raises. What cannot go on has status `failed`, no messages, no state (the next message begins anew), the
    variables as they were, and an event that says why: `step_budget_exceeded`, `stack_limit_exceeded`,
    `state_invalid` or `engine_error`. Apologising is left to the caller, who knows the number's own words
    (`wording(language, "apology")` has ours).
    """
    try:
        return _take(flow, state, input, context, None)
    except Halt as halt:
        return _failed(state, halt.event)
    except Exception as error:
        return _failed(state, Event("engine_error", {"error": f"{type(error).__name__}: {error}"[:500]}))


def continue_turn(flow: Flow, turn: Turn, input: Input, result: EffectResult, context: Context) -> Turn:  # noqa: A002
    """The whole turn once its effect has ended: what `turn` had done and what follows from `result`, merged as one.

    `input` and `context` are those the turn began with. Never raises, as `take_turn`.
    """
    resumed = structs.replace(input, result=result)  # still what the person said: `{{input.type}}` and `{{input.text}}`
    try:
        return _take(flow, turn.state, resumed, context, turn)
    except Halt as halt:
        return _failed(turn.state, halt.event)
    except Exception as error:
        return _failed(turn.state, Event("engine_error", {"error": f"{type(error).__name__}: {error}"[:500]}))


def _take(flow: Flow, state: State | None, answer: Input, context: Context, before: Turn | None) -> Turn:
    if not (answer.text.isascii() and (answer.reply_id is None or answer.reply_id.isascii())):
        answer = _encodable(answer)
    if before is None and context.words:
        word = word_of(answer, context.words)
        if word is not None:
            return _obey(word, flow, state, answer, context)
    if state is None:
        return _open(flow, answer, context)

    waiting = flow.cells.get((state.at or flow.id, state.node_id))
    if waiting is None or state.flow_id != flow.id or (state.stack and not _frames_exist(flow, state.stack)):
        raise Halt(Event("state_invalid", {"flow_id": state.at or state.flow_id, "node_id": state.node_id}))
    run = Run(
        flow.cells,
        flow.merge_texts,
        answer,
        context,
        context.contact,
        state.variables.copy(),
        state.stack.copy(),
        state.attempts,
        state.due_at,
    )
    run.at = waiting
    if before is not None:
        run.messages, run.path, run.events = before.messages.copy(), before.path.copy(), before.events.copy()
    cell: Cell | None
    if before is not None:
        if waiting.result is None:
            return _ignored(state, answer)
        cell = waiting.result(run)
    elif answer.type in _TIMERS:
        if waiting.timer is None or state.due_at is None or context.now < state.due_at:
            return _ignored(state, answer)
        cell = waiting.timer(run)
    elif waiting.answer is not None:
        cell = waiting.answer(run)
    else:
        raise Halt(Event("state_invalid", {"flow_id": waiting.flow_id, "node_id": waiting.node_id}))
    if cell is not None:
        _walk(cell, run)
    return _turn(flow, run)


def _open(flow: Flow, answer: Input, context: Context, event: Event = _STARTED) -> Turn:
    run = Run(flow.cells, flow.merge_texts, answer, context, context.contact, {}, [])
    run.events.append(event)
    _walk(flow.start, run)
    return _turn(flow, run)


def _walk(cell: Cell | None, run: Run) -> None:
    path = run.path
    while cell is not None:
        if len(path) >= STEPS:
            data = {"flow_id": cell.flow_id, "node_id": cell.node_id, "limit": STEPS}
            raise Halt(Event("step_budget_exceeded", data))
        cell = cell.enter(run)


def _turn(flow: Flow, run: Run) -> Turn:
    cell, at = run.waiting, run.at
    if cell is None:
        return Turn(
            None, run.status, run.messages, run.path, run.events, run.all_variables(), at.node_id if at else None
        )
    place = cell.flow_id
    state = State(
        flow.id,
        cell.node_id,
        flow.version,
        "" if place == flow.id else place,
        run.variables,
        run.stack,
        run.attempts,
        run.due_at,
    )
    return Turn(
        state,
        "waiting",
        run.messages,
        run.path,
        run.events,
        run.variables if not run.stack else run.all_variables(),
        cell.node_id,
        run.effect,
        run.due_at,
    )


def _obey(word: Word, flow: Flow, state: State | None, answer: Input, context: Context) -> Turn:
    if word == "restart":
        return _open(flow, answer, context, _STARTED if state is None else Event("session_restarted"))
    variables, stack = (dict(state.variables), state.stack.copy()) if state is not None else ({}, [])
    run = Run(flow.cells, flow.merge_texts, answer, context, context.contact, variables, stack)
    run.at = flow.cells.get((state.at or flow.id, state.node_id)) if state else None
    if word == "human":
        run.say(wording(flow.language, "human"))
        run.hand_over(run.at, {"reason": "word"})
    else:
        run.say(wording(flow.language, "opted_out"))
        run.events.append(Event("opted_out"))
    return _turn(flow, run)


def _ignored(state: State, answer: Input) -> Turn:
    event = Event("input_ignored", {"type": answer.type})
    return Turn(state, "waiting", [], [], [event], state.variables, state.node_id, None, state.due_at)


def _failed(state: State | None, event: Event) -> Turn:
    variables: dict[str, Any] = state.variables if state is not None else {}
    return Turn(None, "failed", [], [], [event], variables, state.node_id if state is not None else None)


def _frames_exist(flow: Flow, stack: list[Frame]) -> bool:
    handlers: list[Handler | None] = [
        cell.came_back if (cell := flow.cells.get((frame.flow_id, frame.node_id))) else None for frame in stack
    ]
    return all(handlers)


def _encodable(answer: Input) -> Input:
    """The input without lone surrogates, which no JSON can carry."""

    def clean(text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    reply_id = answer.reply_id if answer.reply_id is None else clean(answer.reply_id)
    return structs.replace(answer, text=clean(answer.text), reply_id=reply_id)
