"""A turn in progress, and the compiled nodes it visits."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from msgspec import Struct, structs

from pytake.engine.effects import Effect, EffectResult
from pytake.engine.limits import EFFECTS, STACK_DEPTH, VALUE_CHARACTERS
from pytake.engine.state import Frame
from pytake.engine.text_split import split, split_off_tail
from pytake.engine.turn import Contact, Context, Event, Status, Step
from pytake.engine.values import is_too_large, plain_text
from pytake.whatsapp import limits as meta
from pytake.whatsapp.input import Input
from pytake.whatsapp.outbound import OutboundMessage, Reaction, Template, Text

Handler = Callable[["Execution"], "CompiledNode | None"]
"""Gives the node to enter next; None when the turn is over."""
Say = Callable[["Execution"], None]
TimerInput = Literal["timeout", "resume", "handed_back"]

_PARAGRAPH = "\n\n"


class TurnHaltedError(Exception):
    """Ends the turn as failed, with this event."""

    def __init__(self, event: Event) -> None:
        self.event = event


class NodeHandlers(Struct, frozen=True):
    """What a node does when a path enters it, when the person answers, when its timer fires, when its effect has ended, and
    (only a jump) when its sub-flow returns or is abandoned: with `timeout` or `attempts_exceeded`.

    `events`: what it does when a program reports an event, by the event's name. `timer_input` is the input type that fires its
    timer: `timeout` for a missing answer, `resume` for a delay, `handed_back` where an agent returns the conversation.
    `offered` are the normalized texts that it takes for a choice. `reactions` are the texts that reactions stand for as answers,
    by emoji (`plain_emoji`), and `accepts` says whether the input is an answer.
    """

    enter: Handler
    answer: Handler | None = None
    timer: Handler | None = None
    result: Handler | None = None
    returned: Handler | None = None
    abandoned: Mapping[str, Handler] | None = None
    events: Mapping[str, Handler] | None = None
    timer_input: TimerInput = "timeout"
    offered: frozenset[str] = frozenset()
    reactions: Mapping[str, str] = {}
    accepts: Callable[["Execution"], bool] | None = None


class CommandExit(Struct, frozen=True):
    """Where a command of the flow leads; `returns`: the end of that path leads back to the node that was interrupted."""

    exit: str
    target: "CompiledNode"
    returns: bool


class CompiledNode:
    """A compiled node. Nodes hold references to one another, so no look-up is needed to go from one to the next."""

    __slots__ = (
        "abandoned",
        "accepts",
        "answer",
        "commands",
        "enter",
        "events",
        "flow_id",
        "node_id",
        "offered",
        "reactions",
        "result",
        "returned",
        "timer",
        "timer_input",
    )

    def __init__(self, flow_id: str, node_id: str) -> None:
        self.flow_id = flow_id
        self.node_id = node_id
        self.commands: dict[str, CommandExit] | None = None
        self.fill(NodeHandlers(_not_compiled))

    def fill(self, handlers: NodeHandlers) -> None:
        """Set what the node does, once its data is compiled."""
        self.enter = handlers.enter
        self.answer = handlers.answer
        self.timer = handlers.timer
        self.result = handlers.result
        self.returned = handlers.returned
        self.abandoned = handlers.abandoned
        self.events = handlers.events
        self.timer_input = handlers.timer_input
        self.offered = handlers.offered
        self.reactions = handlers.reactions
        self.accepts = handlers.accepts

    def __repr__(self) -> str:
        return f"<CompiledNode {self.flow_id}/{self.node_id}>"


def implicit_end(node: CompiledNode) -> CompiledNode:
    """A node that ends the flow in place of an exit that leads nowhere."""
    end = CompiledNode(node.flow_id, node.node_id)
    end.enter = lambda run: run.complete(node)
    return end


def _not_compiled(_: "Execution") -> CompiledNode | None:
    raise RuntimeError("a node was entered before its flow was compiled")


class Execution(Struct, eq=False, gc=False):
    """A turn in progress. Nodes read and modify it; it never leaves the engine."""

    nodes: dict[tuple[str, str], CompiledNode]
    merge_texts: bool
    input: Input
    context: Context
    contact: Contact
    variables: dict[str, Any]
    stack: list[Frame]
    attempts: int = 0
    due_at: float | None = None
    messages: list[OutboundMessage] = []
    path: list[Step] = []
    events: list[Event] = []
    status: Status = "completed"
    waiting: CompiledNode | None = None
    at: CompiledNode | None = None
    effect: Effect | None = None
    effect_result: EffectResult | None = None
    effects: int = 0
    parameters: Mapping[str, Any] = {}
    opening: bool = False

    def say(self, text: str) -> None:
        """Send a text. It is merged with the previous text if the flow merges texts, and split if it is too long.

        An empty text is skipped. A text larger than a variable may be is not sent; an event reports that.
        """
        if not text or text.isspace():
            return
        if self.merge_texts and self.messages:
            last = self.messages[-1]
            if type(last) is Text and len(last.text) + len(text) + 2 <= meta.TEXT_BODY:
                self.messages[-1] = Text(last.text + _PARAGRAPH + text, reply_to=last.reply_to)
                return
        if len(text) <= meta.TEXT_BODY:
            self.messages.append(Text(text))
        elif len(text) > VALUE_CHARACTERS:
            self.emit("value_too_large", limit=VALUE_CHARACTERS)
        else:
            self.messages.extend(Text(part) for part in split(text, meta.TEXT_BODY))

    def body(self, text: str, limit: int, *, merge: bool = True) -> str:
        """The body of an interactive message that is about to be sent.

        If the flow merges texts, the previous text becomes part of the body as far as both fit. What is too long for the body
        is sent before it as texts. `merge` is false for a message with a header, which would appear above the older text.
        """
        if len(text) > limit:
            head, text = split_off_tail(text, limit)
            self.say(head)
        elif merge and self.merge_texts and self.messages:
            last = self.messages[-1]
            if type(last) is Text and last.reply_to is None and len(last.text) + len(text) + 2 <= limit:
                self.messages.pop()
                return last.text + _PARAGRAPH + text
        return text

    def last_text(self, limit: int) -> str:
        """The text that was said last in this turn, taken back to stand in the next message; empty if there is none."""
        last = self.messages[-1] if self.messages else None
        if type(last) is not Text or last.reply_to is not None or len(last.text) > limit:
            return ""
        self.messages.pop()
        return last.text

    def send(self, message: OutboundMessage) -> None:
        """Send a message that is already within Meta's limits."""
        self.messages.append(message)

    def reply(self, message_id: str, say: Say) -> None:
        """Say something as a reply to a message: the first message of it quotes that one."""
        before, self.messages = self.messages, []
        say(self)
        for index, message in enumerate(self.messages):
            if not isinstance(message, Template | Reaction):
                self.messages[index] = structs.replace(message, reply_to=message_id)
                break
        self.messages = before + self.messages

    def emit(self, type: str, /, **data: Any) -> None:
        """Add an event of a type listed in `events.EVENTS`."""
        self.events.append(Event(type, data))

    def wait(self, node: CompiledNode, due_at: float | None = None) -> None:
        """End the turn at this node, until the person answers or the timer fires."""
        self.waiting = node
        self.due_at = due_at

    def request_effect(self, node: CompiledNode, effect: Effect) -> None:
        """Pause the turn at this node until the effect has ended. Raises TurnHaltedError after too many effects."""
        if self.effects >= EFFECTS:
            data = {"flow_id": node.flow_id, "node_id": node.node_id, "limit": EFFECTS}
            raise TurnHaltedError(Event("effect_budget_exceeded", data))
        self.wait(node)
        self.effect = effect

    def complete(self, node: CompiledNode) -> CompiledNode | None:
        """End the current path: return to the jump or the interrupted node that waits for it, or complete the conversation."""
        if self.stack:
            frame = self.stack.pop()
            if frame.variables is not None:
                self.variables = {**frame.variables, **self.variables}
            place = self.nodes[frame.flow_id, frame.node_id]
            return cast("Handler", place.returned)(self)
        self.status = "completed"
        self.at = node
        self.events.append(COMPLETED)
        return None

    def abandoning(self, outcome: str) -> Handler | None:
        """What the innermost jump does that goes on when its sub-flow is abandoned like this; None if there is none.

        The sub-flows inside it have ended when it is called.
        """
        for index in range(len(self.stack) - 1, -1, -1):
            frame = self.stack[index]
            handlers = self.nodes[frame.flow_id, frame.node_id].abandoned
            if handlers is not None and outcome in handlers:
                self.unwind(index)
                return handlers[outcome]
        return None

    def unwind(self, index: int) -> None:
        """End the sub-flow that the jump at this place of the stack entered, and those inside it."""
        while len(self.stack) > index:
            frame = self.stack.pop()
            if frame.variables is not None:
                self.variables = {**frame.variables, **self.variables}

    def hand_over(self, node: CompiledNode | None, data: dict[str, Any]) -> None:
        """End the conversation for the bot; a human agent takes over."""
        self.status = "handoff"
        self.attempts, self.due_at = 0, None
        self.at = node
        self.events.append(Event("handed_off", data))

    def push(self, frame: Frame) -> None:
        """Remember where a sub-flow returns to. Raises TurnHaltedError when too many sub-flows are nested."""
        if len(self.stack) >= STACK_DEPTH:
            data = {"flow_id": frame.flow_id, "node_id": frame.node_id, "limit": STACK_DEPTH}
            raise TurnHaltedError(Event("stack_limit_exceeded", data))
        self.stack.append(frame)

    def check_size(self, value: Any, name: str) -> bool:
        """Whether a value is small enough to be stored under this name. If it is not, an event reports it.

        The conversation then goes on with the previous value.
        """
        if not is_too_large(value):
            return True
        self.emit("value_too_large", name=name, limit=VALUE_CHARACTERS)
        return False

    def save_contact(self, field: str, value: Any) -> None:
        """Save a field of the contact. Later templates of this turn see the new value."""
        if not self.check_size(value, field):
            return
        if field == "name":
            self.contact = structs.replace(self.contact, name=plain_text(value))
        else:
            self.contact = structs.replace(self.contact, fields={**self.contact.fields, field: value})
        self.emit("contact_saved", field=field, value=value)

    def all_variables(self) -> dict[str, Any]:
        """The variables of the current flow, merged over those of its parents that do not share theirs."""
        merged: dict[str, Any] = {}
        for frame in self.stack:
            merged.update(frame.variables or {})
        return {**merged, **self.variables} if merged else self.variables


COMPLETED = Event("completed")
