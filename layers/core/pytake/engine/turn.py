"""What goes into a turn and what comes out of it, as plain data.

None of it can form a cycle, so the garbage collector need not track it (`gc=False`): that is a fifth of a turn's time.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from pytake.engine.effects import Effect, EffectResult
from pytake.engine.state import State
from pytake.whatsapp.outbound import OutboundMessage

Command = Literal["restart", "stop", "human"]
Status = Literal["waiting", "completed", "handoff", "failed"]


class InputMedia(Struct, frozen=True, gc=False, omit_defaults=True):
    """A picture, video, audio, document or sticker the person sent."""

    id: str
    type: str
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


class InputLocation(Struct, frozen=True, gc=False, omit_defaults=True):
    """A place the person sent."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Input(Struct, frozen=True, gc=False, omit_defaults=True):
    """What the person did, or what happened instead (a timer, an effect's result).

    `type` is `text`, `reply` (a tapped button or row, or a template's quick reply), `media`, `location`, `form` (a
    WhatsApp Flow), `contacts`, `order`, `timeout` or `resume` (the time in the state's `due_at` has come), or any
    other word, which no question accepts. `text` is what was typed, or the label of what was tapped, or the caption.
    `is_template_reply`: what was tapped is a template's quick reply; it stands beside any flow, as a typed text does.
    `result` is how the turn's effect ended; only `continue_turn` sets it.
    """

    type: str = "text"
    text: str = ""
    reply_id: str | None = None
    media: InputMedia | None = None
    location: InputLocation | None = None
    response: dict[str, Any] | None = None
    payload: Any = None
    result: EffectResult | None = None
    is_template_reply: bool = False


class Contact(Struct, frozen=True, gc=False, omit_defaults=True):
    """The person. `fields` is what `save_contact` has saved; a flow reads `{{contact.city}}` from it."""

    id: str
    phone: str | None = None
    name: str = ""
    fields: dict[str, Any] = {}
    tags: list[str] = []


class Context(Struct, frozen=True, gc=False, omit_defaults=True):
    """Everything a turn may know of the world: the engine has no clock, no chance and no ids of its own.

    `now` is seconds since the epoch, `seed` where chance comes from (the turn's id), `country` the ISO code of the
    receiving number's country, for national phone numbers. `commands` are the number's words for commands.
    """

    now: float
    seed: str
    contact: Contact
    country: str | None = None
    commands: Mapping[str, Command] = {}


class Step(Struct, frozen=True, gc=False):
    """A node the turn visited and the exit it took: `next`, `true`, `button:sales`, `invalid`, `timeout`, `wait`, ..."""

    flow_id: str
    node_id: str
    exit: str


class Event(Struct, frozen=True, gc=False, omit_defaults=True):
    """Something that happened and that others may want to know; which data comes with which type is in `events.py`."""

    type: str
    data: dict[str, Any] = {}


class Turn(Struct, omit_defaults=True, gc=False):
    """Everything that follows from one input.

    `state` is what the next turn begins with, None when the conversation is over (completed, handed over, failed).
    `effect` is a request to perform before the turn can go on (see `continue_turn`). `due_at` is when the waiting
    node wants a `timeout` or `resume` input if the person has not answered, in epoch seconds. `node_id` is the node
    the conversation waits at or ended at. Messages are merged and within Meta's limits.
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
