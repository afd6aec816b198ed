"""The input and output of a turn, as plain data.

None of these structs can be part of a reference cycle, so the garbage collector does not track them (`gc=False`). That saves a
fifth of a turn's time.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from pytake.engine.effects import Effect
from pytake.engine.state import State
from pytake.engine.timetable import Timetable
from pytake.whatsapp.outbound import OutboundMessage

Command = Literal["restart", "stop", "human"]
Status = Literal["waiting", "completed", "handoff", "failed"]


class Contact(Struct, frozen=True, gc=False, omit_defaults=True):
    """The person. `fields` holds what `save_contact` saved; a flow reads it as `{{contact.city}}`.

    `language` is a code such as `pt_BR` that selects the texts of a flow with several languages; empty: it is not known.
    """

    id: str
    phone: str | None = None
    name: str = ""
    fields: dict[str, Any] = {}
    tags: list[str] = []
    language: str = ""


class Context(Struct, frozen=True, gc=False, omit_defaults=True):
    """Everything a turn knows about the world: the engine has no clock, randomness or ids of its own.

    `now` is in epoch seconds, `seed` (the turn's id) is the source of randomness, `country` is the ISO code of the receiving
    number's country, used to read national phone numbers. `commands` maps the number's words to commands. `timezone` is the
    IANA name of the organization's time zone, in which the flow's dates are. `constants` are the organization's values for all
    its flows (`{{constants.NAME}}`), `timetables` its opening hours by name, at least those that the flow asks
    (`Flow.timetables`). `message_id` is the id of the person's message, None when the turn has another reason.
    """

    now: float
    seed: str
    contact: Contact
    country: str | None = None
    commands: Mapping[str, Command] = {}
    timezone: str = "UTC"
    constants: Mapping[str, Any] = {}
    timetables: Mapping[str, Timetable] = {}
    message_id: str | None = None


class Step(Struct, frozen=True, gc=False):
    """A node that the turn visited and the exit it took: `next`, `true`, `button:sales`, `invalid`, `timeout`, `wait`, ..."""

    flow_id: str
    node_id: str
    exit: str


class Event(Struct, frozen=True, gc=False, omit_defaults=True):
    """Something that happened in a turn. `events.EVENTS` lists the types and their data."""

    type: str
    data: dict[str, Any] = {}


class Turn(Struct, omit_defaults=True, gc=False):
    """Everything that follows from one input.

    `state` is the state for the next turn; None when the conversation is over (completed, handed over, failed).
    `handoff_state` is where a handoff interrupted the flow, with everything collected. `effect` is a request to perform before
    the turn can go on (see `continue_turn`), after `effects` others. `due_at` is when the waiting node expects a `timeout` or
    `resume` input unless the person answers first, in epoch seconds. `opening`: before the effect, no question
    has taken the answer to a template. `node_id` is the node where the conversation waits or ended. The messages are merged and
    within Meta's limits.
    """

    state: State | None
    status: Status
    messages: list[OutboundMessage]
    path: list[Step]
    events: list[Event]
    variables: dict[str, Any]
    node_id: str | None = None
    effect: Effect | None = None
    due_at: float | None = None
    effects: int = 0
    handoff_state: State | None = None
    opening: bool = False
