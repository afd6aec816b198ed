"""`take_turn`: one input, one turn."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from pytake.engine.commands import match_command
from pytake.engine.compiler import Flow
from pytake.engine.effects import EffectResult
from pytake.engine.execution import CompiledNode, Execution, Handler, TurnHaltedError
from pytake.engine.limits import STEPS
from pytake.engine.state import Frame, State
from pytake.engine.texts import built_in_text
from pytake.engine.turn import Command, Context, Event, Input, Turn

_STARTED = Event("session_started")
_TIMERS = ("timeout", "resume")


def take_turn(flow: Flow, state: State | None, input: Input, context: Context) -> Turn:
    """What follows when this input meets this state. Pure: the same four give the same turn, byte for byte.

    `state` None opens a conversation; it is never changed. The input `timeout` (or `resume`) counts only when the
    state's `due_at` has come by `context.now`; one that comes too early or for a question that was answered meanwhile
    changes nothing.

    Never raises. What cannot go on has status `failed`, no messages, no state (the next message begins anew), the
    variables as they were, and an event that says why: `step_budget_exceeded`, `stack_limit_exceeded`,
    `state_invalid` or `engine_error`. Apologising is left to the caller, who knows the number's own words
    (`built_in_text(language, "apology")` has ours).
    """
    try:
        return _take(flow, state, input, context, None)
    except TurnHaltedError as halt:
        return _failed(state, halt.event)
    except Exception as error:
        return _failed(state, Event("engine_error", {"error": f"{type(error).__name__}: {error}"[:500]}))


def continue_turn(flow: Flow, turn: Turn, input: Input, result: EffectResult, context: Context) -> Turn:
    """The whole turn once its effect has ended: what `turn` had done and what follows from `result`, merged as one.

    `input` and `context` are those the turn began with. Never raises, as `take_turn`.
    """
    resumed = structs.replace(input, result=result)  # still what the person said: `{{input.type}}` and `{{input.text}}`
    try:
        return _take(flow, turn.state, resumed, context, turn)
    except TurnHaltedError as halt:
        return _failed(turn.state, halt.event)
    except Exception as error:
        return _failed(turn.state, Event("engine_error", {"error": f"{type(error).__name__}: {error}"[:500]}))


def _take(flow: Flow, state: State | None, answer: Input, context: Context, before: Turn | None) -> Turn:
    if not (answer.text.isascii() and (answer.reply_id is None or answer.reply_id.isascii())):
        answer = _encodable(answer)
    if before is None and context.commands:
        command = match_command(answer, context.commands)
        if command is not None:
            return _obey(command, flow, state, answer, context)
    if state is None:
        return _open(flow, answer, context)

    waiting = flow.nodes.get((state.sub_flow_id or flow.id, state.node_id))
    if waiting is None or state.flow_id != flow.id or (state.stack and not _frames_exist(flow, state.stack)):
        raise TurnHaltedError(
            Event("state_invalid", {"flow_id": state.sub_flow_id or state.flow_id, "node_id": state.node_id})
        )
    run = Execution(
        flow.nodes,
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
    node: CompiledNode | None
    if before is not None:
        if waiting.result is None:
            return _ignored(state, answer)
        node = waiting.result(run)
    elif answer.type in _TIMERS:
        if waiting.timer is None or state.due_at is None or context.now < state.due_at:
            return _ignored(state, answer)
        node = waiting.timer(run)
    elif waiting.answer is not None:
        node = waiting.answer(run)
    else:
        raise TurnHaltedError(Event("state_invalid", {"flow_id": waiting.flow_id, "node_id": waiting.node_id}))
    if node is not None:
        _walk(node, run)
    return _turn(flow, run)


def _open(flow: Flow, answer: Input, context: Context, event: Event = _STARTED) -> Turn:
    run = Execution(flow.nodes, flow.merge_texts, answer, context, context.contact, {}, [])
    run.events.append(event)
    _walk(flow.start, run)
    return _turn(flow, run)


def _walk(node: CompiledNode | None, run: Execution) -> None:
    path = run.path
    while node is not None:
        if len(path) >= STEPS:
            data = {"flow_id": node.flow_id, "node_id": node.node_id, "limit": STEPS}
            raise TurnHaltedError(Event("step_budget_exceeded", data))
        node = node.enter(run)


def _turn(flow: Flow, run: Execution) -> Turn:
    node, at = run.waiting, run.at
    if node is None:
        return Turn(
            None, run.status, run.messages, run.path, run.events, run.all_variables(), at.node_id if at else None
        )
    place = node.flow_id
    state = State(
        flow.id,
        node.node_id,
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
        node.node_id,
        run.effect,
        run.due_at,
    )


def _obey(command: Command, flow: Flow, state: State | None, answer: Input, context: Context) -> Turn:
    if command == "restart":
        return _open(flow, answer, context, _STARTED if state is None else Event("session_restarted"))
    variables, stack = (dict(state.variables), state.stack.copy()) if state is not None else ({}, [])
    run = Execution(flow.nodes, flow.merge_texts, answer, context, context.contact, variables, stack)
    run.at = flow.nodes.get((state.sub_flow_id or flow.id, state.node_id)) if state else None
    if command == "human":
        run.say(built_in_text(flow.language, "human"))
        run.hand_over(run.at, {"reason": "command"})
    else:
        run.say(built_in_text(flow.language, "opted_out"))
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
        node.returned if (node := flow.nodes.get((frame.flow_id, frame.node_id))) else None for frame in stack
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
