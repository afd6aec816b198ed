"""A draft tried on a phone before anybody else gets it: the engine runs here, and nothing leaves this machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from local import graph_inbound, graph_phones
from local.console.bubbles import Bubble, phone_bubble
from local.offline_conversation import ConversationSettings, OfflineConversation, sample_contact
from pytake.engine import (
    Effect,
    EffectResult,
    EmailRequest,
    Event,
    Flow,
    HttpRequest,
    Input,
    StartFlowRequest,
    Step,
    Turn,
    compile_flow,
)
from pytake.whatsapp.graph import message_payload

Json = Mapping[str, Any]

PHONE = "5511999990000"
_NUMBER = "100000000000001"


class UnansweredError(Exception):
    """The flow asks an API or a model that has no answer here yet. Give one with `Rehearsal.answer`, and say it again."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(name_of(effect))
        self.effect = effect


class NotNowError(Exception):
    """What was tapped or sent makes no sense now; the message says why."""


@dataclass(frozen=True)
class Played:
    """The result of a turn, for observers."""

    status: str
    node_id: str | None
    path: tuple[Step, ...]
    events: tuple[Event, ...]
    variables: Json
    due_at: float | None


@dataclass
class Rehearsal:
    """One conversation with a draft."""

    flow: Flow
    conversation: OfflineConversation
    answers: dict[str, EffectResult] = field(default_factory=dict)
    visited: set[tuple[str, str]] = field(default_factory=set)
    """The nodes that were visited so far, by flow and node."""
    played: list[Played] = field(default_factory=list)
    _phone: graph_phones.Phone = field(default_factory=lambda: graph_phones.Phone(PHONE))
    _sent: int = 0

    @classmethod
    def of(
        cls, documents: Mapping[str, Json], flow_id: str, *, now: float, seed: int, name: str = "Ana"
    ) -> "Rehearsal":
        """Begin with a flow and the flows its jumps enter. Raises `pytake.engine.FlowError` when it cannot run."""
        flow = compile_flow(dict(documents), flow_id)
        contact = msgspec.structs.replace(sample_contact(seed), name=name)
        return cls(flow, OfflineConversation(flow, ConversationSettings(now=now, seed=seed, contact=contact)))

    @property
    def bubbles(self) -> list[Bubble]:
        """Everything on the phone."""
        return [phone_bubble(msgspec.to_builtins(entry)) for entry in self._phone.entries()]

    @property
    def waiting_until(self) -> float | None:
        """When the flow goes on by itself."""
        state = self.conversation.state
        return state.due_at if state is not None else None

    def answer(self, effect: Effect, result: EffectResult) -> None:
        """From now on, an API or a model answers this to the same request."""
        self.answers[name_of(effect)] = result

    def act(self, action: Json) -> Played:
        """What the person does: `{"text"}`, `{"reply_id"}`, `{"media"}`, `{"location"}` or `{"form"}`.

        Raises `UnansweredError`, after which the same action can be tried again, and `NotNowError`.
        """
        said, message = self._said(action)
        turn = self.conversation.turn(said, self._answered)
        for entry in self._phone.entries():
            entry.status = "read"
        self._phone.add_inbound({"id": self._new_id(), **message}, _NUMBER, self.conversation.now).status = "read"
        return self._show(turn)

    def wait(self) -> Played:
        """Let the time pass until the flow goes on by itself: a delay ends, a question's time is up. Raises as `act` does."""
        state = self.conversation.state
        if state is None or state.due_at is None:
            raise NotNowError("Nothing is waiting for the clock.")
        turn = self.conversation.turn(Input(type=self.flow.timer_input(state)), self._answered)
        return self._show(turn)

    def _answered(self, effect: Effect) -> EffectResult:
        found = self.answers.get(name_of(effect))
        if found is None:
            raise UnansweredError(effect)
        return found

    def _show(self, turn: Turn) -> Played:
        for message in turn.messages:
            self._phone.add_outbound(
                self._new_id(), message_payload(message, PHONE, ""), _NUMBER, self.conversation.now
            )
        self.visited.update((step.flow_id, step.node_id) for step in turn.path)
        played = Played(turn.status, turn.node_id, tuple(turn.path), tuple(turn.events), turn.variables, turn.due_at)
        self.played.append(played)
        return played

    def _said(self, action: Json) -> tuple[Input, dict[str, Any]]:
        """What it means to the engine, and Meta's message of it for the screen."""
        if "reply_id" in action:
            offered = self._phone.find_choice(action["reply_id"], None)
            if offered is None:
                raise NotNowError(f"No button with the id {action['reply_id']} was offered.")
            entry, choice = offered
            return Input(type="reply", text=choice.title, reply_id=choice.id), graph_inbound.reply_message(
                entry, choice
            )
        if "media" in action:
            sent = msgspec.convert(action["media"], graph_phones.MediaFromPerson)
            media: dict[str, Any] = {"id": "media-1", "type": sent.type}
            optional = {"caption": sent.caption, "filename": sent.filename, "mime_type": sent.mime_type}
            media.update({name: value for name, value in optional.items() if value})
            said = {"type": "media", "text": sent.caption or "", "media": media}
            content, _ = graph_inbound.sent_file(sent)
            return msgspec.convert(said, Input), graph_inbound.media_message(sent, "media-1", content)
        if "location" in action:
            said = {"type": "location", "location": dict(action["location"])}
            return msgspec.convert(said, Input), {"type": "location", "location": dict(action["location"])}
        if "form" in action:
            form = dict(action["form"])
            message = graph_inbound.form_message(form, self._phone.last_form(None))
            response = json.loads(message["interactive"]["nfm_reply"]["response_json"])
            return Input(type="form", response=response), message
        text = str(action.get("text", ""))
        return Input(text=text), {"type": "text", "text": {"body": text}}

    def _new_id(self) -> str:
        self._sent += 1
        return f"rehearsal-{self._sent}"


def name_of(effect: Effect) -> str:
    """What is asked, as it is shown: `GET https://host/path`, or the model."""
    match effect:
        case HttpRequest():
            return f"{effect.method} {effect.url}"
        case StartFlowRequest():
            return f"start_flow {effect.flow_id}"
        case EmailRequest():
            return f"send_email {', '.join(effect.to)}"
    return f"AI {effect.model}"
