"""One person and a flow, with no cloud: what `pytake flow run`, `test` and `fuzz` hold conversations with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from cli.flow_testing.documents import UsageError
from pytake.conversation.contact_changes import contact_after
from pytake.conversation.turn import DEFAULT_WORDS
from pytake.engine import (
    Contact,
    Context,
    Effect,
    EffectResult,
    Flow,
    Input,
    State,
    Turn,
    continue_turn,
    take_turn,
)

Answer = Callable[[Effect], EffectResult]

_COUNTRIES = {"pt_BR": "BR", "en": "US", "es": "ES"}
_KINDS = {
    "reply_id": "reply",
    "media": "media",
    "location": "location",
    "response": "form",
    "result": "effect_result",
}


class World(Struct, frozen=True):
    """What a conversation knows besides what is said. Chance comes from `seed`."""

    now: float
    seed: int
    country: str | None = None
    contact: Contact | None = None


class Conversation:
    """A conversation under way. The state is serialised between any two turns, as it is in the cloud."""

    def __init__(self, flow: Flow, world: World) -> None:
        self.flow_id = flow.id
        self._flow = flow
        self._seed = world.seed
        self._country = world.country or _COUNTRIES[flow.language]
        self.now = world.now
        self.contact = world.contact or default_contact(world.seed)
        self.stored: bytes | None = None
        self._turns = 0
        self._handed_over: Turn | None = None

    @property
    def state(self) -> State | None:
        """Where it stands; None when the next message begins anew."""
        return State.decode(self.stored) if self.stored is not None else None

    @property
    def handed_over(self) -> bool:
        """Whether a person has taken over."""
        return self._handed_over is not None

    def turn(self, said: Input, answer: Answer) -> Turn:
        """The turn of this input. Once a person has taken over, the bot says nothing more.

        `answer` gives the results of effects. A timer's input moves the clock to when the timer ends.
        """
        if self._handed_over is not None:
            return msgspec.structs.replace(self._handed_over, messages=[], path=[], events=[])
        state = self.state
        if said.type in ("timeout", "resume") and state is not None and state.due_at is not None:
            self.now = max(self.now, state.due_at)
        self._turns += 1
        seed = f"{self._seed}:{self._turns}"
        context = Context(self.now, seed, self.contact, self._country, DEFAULT_WORDS)  # type: ignore[arg-type]
        turn = take_turn(self._flow, state, said, context)
        while turn.effects is not None:
            turn = continue_turn(self._flow, turn, said, answer(turn.effects), context)
        self.stored = turn.state.encode() if turn.state is not None else None
        self.contact = contact_after(self.contact, turn.events)
        if turn.status == "handoff":
            self._handed_over = turn
        return turn


def default_contact(seed: int) -> Contact:
    """Somebody to talk to; who it is decides what sticky chance gives them."""
    return Contact(id=f"run-{seed}", phone="+5511999990000", name="Ana")


def read_input(line: str) -> Input:
    """What a line of standard input means: a text, or a whole input when it is a JSON object. Raises UsageError."""
    if not line.lstrip().startswith("{"):
        return Input(text=line)
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return Input(text=line)
    return input_of(fields)


def input_of(said: str | dict[str, Any]) -> Input:
    """What was said: a text, or a full input such as {"reply_id": "sales"}. Raises UsageError."""
    if isinstance(said, str):
        return Input(text=said)
    kind = next((kind for field, kind in _KINDS.items() if field in said), "text")
    fields = dict(said)
    if isinstance(fields.get("media"), dict):
        fields["media"] = {"id": "media-1", "type": "image", **fields["media"]}
    try:
        return msgspec.convert({"type": kind, **fields}, Input)
    except msgspec.ValidationError as error:
        raise UsageError(f"this is no input: {error}") from error


def time_of(text: str | None) -> float:
    """Seconds since the epoch of an ISO 8601 time, now for None. Raises UsageError."""
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"`{text}` is no time such as 2026-11-22T12:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
