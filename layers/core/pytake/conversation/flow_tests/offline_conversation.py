"""A conversation of one person with a flow, without any cloud, for `pytake flow`."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from pytake.conversation.records import DEFAULT_COMMANDS
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
from pytake.engine.contact_changes import contact_after
from pytake.engine.timetable import Timetable

PerformEffects = Callable[[Effect], EffectResult]

_COUNTRIES = {"pt_BR": "BR", "en": "US", "es": "ES"}


class ConversationSettings(Struct, frozen=True):
    """What a conversation depends on besides the inputs. Random choices derive from `seed`."""

    now: float
    seed: int
    country: str | None = None
    contact: Contact | None = None
    timezone: str = "UTC"
    constants: dict[str, Any] = {}
    timetables: Mapping[str, Timetable] = {}


class OfflineConversation:
    """A running conversation. The state is serialised between turns, as in the cloud."""

    def __init__(self, flow: Flow, settings: ConversationSettings) -> None:
        self.flow_id = flow.id
        self._flow = flow
        self._seed = settings.seed
        self._country = settings.country or _COUNTRIES[flow.language]
        self._settings = (settings.timezone, settings.constants, settings.timetables)
        self.now = settings.now
        self.contact = settings.contact or sample_contact(settings.seed)
        self.stored: bytes | None = None
        self._turns = 0
        self._handoff_turn: Turn | None = None

    @property
    def state(self) -> State | None:
        """The state after the last turn; None when the next message starts a new session.

        After a handoff it is the state in which the flow continues when the agent returns the conversation.
        """
        return State.decode(self.stored) if self.stored is not None else None

    @property
    def handed_off(self) -> bool:
        """Whether an agent has taken over."""
        return self._handoff_turn is not None

    def turn(self, user_input: Input, perform: PerformEffects) -> Turn:
        """Take a turn with this input. After a handoff the bot sends nothing until the input `handed_back`, if the flow goes on.

        `perform` gives the results of effects; what it raises leaves the conversation as it was. A timer's input moves the
        clock to when the timer ends.
        """
        if self._handoff_turn is not None and (self.stored is None or user_input.type != "handed_back"):
            return msgspec.structs.replace(self._handoff_turn, messages=[], path=[], events=[])
        state, now, number = self.state, self.now, self._turns + 1
        if user_input.type in ("timeout", "resume") and state is not None and state.due_at is not None:
            now = max(now, state.due_at)
        seed, commands = f"{self._seed}:{number}", DEFAULT_COMMANDS
        message_id = (
            None if user_input.type in ("timeout", "resume", "event", "handed_back", "reaction") else f"wamid.{number}"
        )
        context = Context(now, seed, self.contact, self._country, commands, *self._settings, message_id)
        turn = take_turn(self._flow, state, user_input, context)
        while turn.effect is not None:
            turn = continue_turn(self._flow, turn, user_input, perform(turn.effect), context)
        self.now, self._turns = now, number
        left = turn.state if turn.handoff_state is None else self._behind_handoff(turn.handoff_state)
        self.stored = left.encode() if left is not None else None
        self.contact = contact_after(self.contact, turn.events)
        self._handoff_turn = turn if turn.status == "handoff" else None
        return turn

    def _behind_handoff(self, state: State) -> State | None:
        return state if self._flow.timer_input(state) == "handed_back" else None


def sample_contact(seed: int) -> Contact:
    """A sample contact; its id decides sticky random choices."""
    return Contact(id=f"run-{seed}", phone="+5511999990000", name="Ana")
