"""`take_turn`: one input, one turn."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from pytake.engine.commands import match_command, match_own
from pytake.engine.compiler import Flow
from pytake.engine.contact_changes import contact_after
from pytake.engine.effects import EffectResult
from pytake.engine.execution import CommandExit, CompiledNode, Execution, Handler, TurnHaltedError
from pytake.engine.limits import STEPS
from pytake.engine.normalize import plain_emoji
from pytake.engine.state import Frame, State
from pytake.engine.texts import built_in_text
from pytake.engine.turn import Command, Context, Event, Step, Turn
from pytake.whatsapp.input import Input

_STARTED = Event("session_started")
_NOT_FROM_THE_PERSON = ("timeout", "resume", "handed_back", "event")
Nodes = dict[tuple[str, str], CompiledNode]


def take_turn(flow: Flow, state: State | None, input: Input, context: Context) -> Turn:
    """The turn that follows when this input meets this state. Pure: equal arguments give an equal turn, byte for byte.

    A `state` of None starts a conversation, as an opened one does (`opened_state`); a given state is never modified. The input
    `timeout` (or `resume`) counts only when the state's `due_at` has come by `context.now`. A timer that fires too early, or for
    a question that was answered meanwhile, changes nothing. The input `handed_back` continues a `handoff_state` behind the
    handoff node.

    Never raises. A turn that cannot go on has the status `failed`, no messages, no state (the next message starts a new
    conversation), the variables as they were before, and an event with the reason: `step_budget_exceeded`,
    `effect_budget_exceeded`, `stack_limit_exceeded`, `state_invalid` or `engine_error`. The caller apologises, because the
    number may have its own apology (`built_in_text(language, "apology")` is the default).
    """
    try:
        answer = input
        if not (answer.text.isascii() and (answer.reply_id is None or answer.reply_id.isascii())):
            answer = _encodable(answer)
        # In the contact's language. Written out here, as far as possible: each call less is a fiftieth of a turn.
        nodes = flow.nodes if flow.speeches is None else flow.speeches.of(context.contact.language).nodes
        node = nodes.get((state.sub_flow_id or flow.id, state.node_id)) if state is not None else None
        if context.commands or (node is not None and node.commands is not None):
            turn = _commanded(flow, nodes, node, state, answer, context)
            if turn is not None:
                return turn
        if state is None:
            if answer.type == "reaction":
                return _ignored(state, answer)
            return _open(flow, answer, context, (answer.payload or {}) if answer.type == "start" else {})
        if node is None and state.is_opened and state.flow_id == flow.id:
            if answer.type in _NOT_FROM_THE_PERSON or answer.type == "reaction":
                return _ignored(state, answer)
            return _open(flow, answer, context, state.variables, opening=True)
        waiting, run = _resume(flow, nodes, node, state, answer, context)
        if answer.type in _NOT_FROM_THE_PERSON:
            handler = _other_input(run, waiting, state, answer, context)
            if handler is None:
                return _ignored(state, answer)
        elif answer.type == "reaction":
            handler = _reacted(run, waiting)
            if handler is None:
                return _ignored(state, answer)
        elif waiting.answer is not None:
            handler = waiting.answer
        else:
            raise TurnHaltedError(Event("state_invalid", {"flow_id": waiting.flow_id, "node_id": waiting.node_id}))
        node = handler(run)
        if node is not None:
            _walk(node, run)
        return _turn(flow, run)
    except Exception as error:
        return _failed(state, error)


def opened_state(flow: Flow, parameters: Mapping[str, Any]) -> State:
    """The state of a conversation that a message template has opened: the person's next message starts the flow.

    That message is the first input, as it is after a message that starts a conversation. A command works as in any state.
    """
    return State(flow.id, "", flow.version, variables=dict(parameters))


def continue_turn(flow: Flow, turn: Turn, input: Input, result: EffectResult, context: Context) -> Turn:
    """The complete turn once its effect has ended: what `turn` did, followed by what `result` leads to.

    `input` and `context` are those of the original turn. Never raises, like `take_turn`.
    """
    state = turn.state
    if state is None:
        return turn  # it waits for no effect
    answer = _encodable(input)
    try:
        context = structs.replace(context, contact=contact_after(context.contact, turn.events))
        nodes = flow.nodes if flow.speeches is None else flow.speeches.of(context.contact.language).nodes
        node = nodes.get((state.sub_flow_id or flow.id, state.node_id))
        waiting, run = _resume(flow, nodes, node, state, answer, context)
        if waiting.result is None:
            return _ignored(state, answer)
        run.messages, run.path, run.events = turn.messages.copy(), turn.path.copy(), turn.events.copy()
        run.effect_result, run.effects, run.opening = result, turn.effects + 1, turn.opening
        _walk(waiting.result(run), run)
        return _turn(flow, run)
    except Exception as error:
        return _failed(state, error)


def _commanded(
    flow: Flow, nodes: Nodes, node: CompiledNode | None, state: State | None, answer: Input, context: Context
) -> Turn | None:
    """The turn of a command of the number or of the flow; None if the person's message is another one."""
    command: Command | None = None
    if context.commands:
        command = match_command(answer, context.commands, node.offered if node is not None else frozenset())
    if node is not None and node.commands is not None and state is not None and command != "stop":
        own = match_own(answer, node.commands)
        if own is not None:
            return _interrupt(own, flow, nodes, node, state, answer, context)
    return _obey(command, flow, state, answer, context) if command is not None else None


def _other_input(
    run: Execution, waiting: CompiledNode, state: State, answer: Input, context: Context
) -> Handler | None:
    """What follows from a timer, a returned conversation or a reported event; None if it changes nothing at this point."""
    if answer.type == "event":
        return (waiting.events or {}).get(answer.text)
    if answer.type == "handed_back":
        if waiting.timer_input != "handed_back":
            return None
    elif state.due_at is None or context.now < state.due_at:
        return None
    return (_late_jump(run, context.now) if state.stack else None) or waiting.timer


def _reacted(run: Execution, waiting: CompiledNode) -> Handler | None:
    """What follows from a reaction; None if the question does not take it. It never counts as a wrong answer."""
    reaction, said = run.input, waiting.reactions.get(plain_emoji(run.input.text))
    take, accepts = waiting.answer, waiting.accepts
    if said is None or take is None or accepts is None:
        return None
    run.input = Input(text=said)
    if not accepts(run):
        return None

    def answer(run: Execution) -> CompiledNode | None:
        following = take(run)
        run.input = reaction
        return following

    return answer


def _resume(
    flow: Flow, nodes: Nodes, waiting: CompiledNode | None, state: State, answer: Input, context: Context
) -> tuple[CompiledNode, Execution]:
    """The node this state waits at (`waiting`), and the turn that continues there.

    Raises TurnHaltedError if the flow does not have this node, or a node of the stack.
    """
    if waiting is None or state.flow_id != flow.id or (state.stack and not _frames_exist(flow, state.stack)):
        data = {"flow_id": state.sub_flow_id or state.flow_id, "node_id": state.node_id}
        raise TurnHaltedError(Event("state_invalid", data))
    run = Execution(
        nodes,
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
    return waiting, run


def _late_jump(run: Execution, now: float) -> Handler | None:
    """What the outermost jump does whose sub-flow has taken too long; None if there is none."""
    for index, frame in enumerate(run.stack):
        if frame.due_at is not None and frame.due_at <= now:
            run.unwind(index)
            return (run.nodes[frame.flow_id, frame.node_id].abandoned or {}).get("timeout")
    return None


def _open(
    flow: Flow,
    answer: Input,
    context: Context,
    parameters: Mapping[str, Any] = {},
    event: Event = _STARTED,
    *,
    opening: bool = False,
) -> Turn:
    speech = flow.speech if flow.speeches is None else flow.speeches.of(context.contact.language)
    run = Execution(speech.nodes, flow.merge_texts, answer, context, context.contact, {}, [])
    run.events.append(event)
    run.parameters, run.opening = parameters, opening
    _walk(speech.start, run)
    return _turn(flow, run)


def _walk(node: CompiledNode | None, run: Execution) -> None:
    path = run.path
    while node is not None:
        if len(path) >= STEPS:
            data = {"flow_id": node.flow_id, "node_id": node.node_id, "limit": STEPS}
            raise TurnHaltedError(Event("step_budget_exceeded", data))
        node = node.enter(run)


def _turn(flow: Flow, run: Execution) -> Turn:
    node = run.waiting
    if node is None:
        return _last_turn(flow, run)
    variables = run.variables
    if run.stack:
        variables = run.all_variables()
        for frame in run.stack:  # the first timer counts: that of the waiting node, or that of a jump around it
            if frame.due_at is not None and (run.due_at is None or frame.due_at < run.due_at):
                run.due_at = frame.due_at
    state = _state_at(node, flow, run)
    turn = Turn(state, "waiting", run.messages, run.path, run.events, variables, node.node_id, run.effect, run.due_at)
    if run.effect is not None:
        turn.effects, turn.opening = run.effects, run.opening
    return turn


def _last_turn(flow: Flow, run: Execution) -> Turn:
    """The turn that ends a conversation, or hands it over."""
    at = run.at
    ended_at = at.node_id if at is not None else None
    turn = Turn(None, run.status, run.messages, run.path, run.events, run.all_variables(), ended_at)
    if at is not None and run.status == "handoff":
        turn.handoff_state = _state_at(at, flow, run)
    return turn


def _state_at(node: CompiledNode, flow: Flow, run: Execution) -> State:
    sub_flow_id = "" if node.flow_id == flow.id else node.flow_id
    return State(flow.id, node.node_id, flow.version, sub_flow_id, run.variables, run.stack, run.attempts, run.due_at)


def _interrupt(
    command: CommandExit,
    flow: Flow,
    nodes: Nodes,
    waiting: CompiledNode,
    state: State,
    answer: Input,
    context: Context,
) -> Turn:
    """The turn of a command of the flow: the path leaves the waiting node, and comes back to it if the command returns.

    A command on the path of another one replaces that one: the node that was interrupted first remains the one to return to.
    """
    waiting, run = _resume(flow, nodes, waiting, state, answer, context)
    interrupted = Frame(waiting.flow_id, waiting.node_id)
    if run.stack and nodes[run.stack[-1].flow_id, run.stack[-1].node_id].commands is not None:
        interrupted = run.stack.pop()
    if command.returns:
        run.push(interrupted)
    run.path.append(Step(waiting.flow_id, waiting.node_id, command.exit))
    _walk(command.target, run)
    return _turn(flow, run)


def _obey(command: Command, flow: Flow, state: State | None, answer: Input, context: Context) -> Turn:
    if command == "restart":
        return _open(flow, answer, context, event=_STARTED if state is None else Event("session_restarted"))
    variables, stack = (dict(state.variables), state.stack.copy()) if state is not None else ({}, [])
    language = flow.language if flow.speeches is None else flow.speeches.of(context.contact.language).language
    run = Execution(flow.nodes, flow.merge_texts, answer, context, context.contact, variables, stack)
    run.at = flow.nodes.get((state.sub_flow_id or flow.id, state.node_id)) if state else None
    if command == "human":
        run.say(built_in_text(language, "human"))
        run.hand_over(run.at, {"reason": "command"})
        turn = _turn(flow, run)
        turn.handoff_state = state  # unchanged: the flow can continue where it was, with its timer
        return turn
    run.say(built_in_text(language, "opted_out"))
    run.events.append(Event("opted_out"))
    return _turn(flow, run)


def _ignored(state: State | None, answer: Input) -> Turn:
    event = Event("input_ignored", {"type": answer.type})
    if state is None:
        return Turn(None, "completed", [], [], [event], {})
    return Turn(state, "waiting", [], [], [event], state.variables, state.node_id, None, state.due_at)


def _failed(state: State | None, error: Exception) -> Turn:
    event = error.event if isinstance(error, TurnHaltedError) else _defect(error)
    variables: dict[str, Any] = state.variables if state is not None else {}
    return Turn(None, "failed", [], [], [event], variables, state.node_id if state is not None else None)


def _defect(error: Exception) -> Event:
    """An unexpected exception as an event: its class and the place in our code that raised it, not its text.

    The text of an exception may contain what a person wrote.
    """
    data: dict[str, Any] = {"error": type(error).__name__}
    trace = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("pytake."):
            data |= {"module": module, "function": trace.tb_frame.f_code.co_qualname, "line": trace.tb_lineno}
        trace = trace.tb_next
    return Event("engine_error", data)


def _frames_exist(flow: Flow, stack: list[Frame]) -> bool:
    for frame in stack:
        node = flow.nodes.get((frame.flow_id, frame.node_id))
        if node is None or node.returned is None:
            return False
    return True


def _encodable(answer: Input) -> Input:
    """The input with lone surrogates replaced, because JSON cannot represent them."""

    def clean(text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    reply_id = answer.reply_id if answer.reply_id is None else clean(answer.reply_id)
    return structs.replace(answer, text=clean(answer.text), reply_id=reply_id)
