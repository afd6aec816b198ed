"""The input and output of a turn, as plain data.

None of these structs can be part of a reference cycle, so the garbage collector does not track them (`gc=False`). That saves a
fifth of a turn's time.
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
    """An image, video, audio, document or sticker that the person sent."""

    id: str
    type: str
    mime_type: str | None = None
    caption: str | None = None
    filename: str | None = None


class InputLocation(Struct, frozen=True, gc=False, omit_defaults=True):
    """A location that the person sent."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class Input(Struct, frozen=True, gc=False, omit_defaults=True):
    """What the person did, or what happened instead (a timer, the result of an effect).

    `type` is `text`, `reply` (a tapped button or row, or a template's quick reply), `media`, `location`, `form` (a WhatsApp
    Flow), `contacts`, `order`, `timeout` or `resume` (the time in the state's `due_at` has come), or any other word, which no
    question accepts. `text` is the typed text, the label of the tapped option, or the caption. `is_template_reply`: a template's
    quick reply was tapped; like a typed text, it does not belong to a flow. `result` is how the turn's effect ended; only
    `continue_turn` sets it.
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
    """The person. `fields` holds what `save_contact` saved; a flow reads it as `{{contact.city}}`."""

    id: str
    phone: str | None = None
    name: str = ""
    fields: dict[str, Any] = {}
    tags: list[str] = []


class Context(Struct, frozen=True, gc=False, omit_defaults=True):
    """Everything a turn knows about the world: the engine has no clock, randomness or ids of its own.

    `now` is in epoch seconds, `seed` (the turn's id) is the source of randomness, `country` is the ISO code of the receiving
    number's country, used to read national phone numbers. `commands` maps the number's words to commands.
    """

    now: float
    seed: str
    contact: Contact
    country: str | None = None
    commands: Mapping[str, Command] = {}


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

    `state` is the state for the next turn; None when the conversation is over (completed, handed over, failed). `effect` is
    a request to perform before the turn can go on (see `continue_turn`). `due_at` is when the waiting node expects a `timeout`
    or `resume` input unless the person answers first, in epoch seconds. `node_id` is the node where the conversation waits or
    ended. The messages are merged and within Meta's limits.
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
