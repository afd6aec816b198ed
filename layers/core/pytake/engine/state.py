"""The serialised state of a conversation: small, and validated when it is read."""

from typing import Any

import msgspec
from msgspec import Struct


class StateError(ValueError):
    """The bytes are not a valid state."""


class Frame(Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """A jump that waits for its sub-flow to return: its node, and the parent's variables unless they are shared. Or a node that a
    command of the flow interrupted, and that is entered again.

    `due_at` is when the jump stops waiting, in epoch seconds.
    """

    flow_id: str
    node_id: str
    variables: dict[str, Any] | None = None
    due_at: float | None = None


class State(
    Struct,
    omit_defaults=True,
    gc=False,
    rename={
        "flow_id": "f",
        "node_id": "n",
        "version": "v",
        "sub_flow_id": "a",
        "variables": "d",
        "stack": "s",
        "attempts": "t",
        "due_at": "u",
    },
):
    """Where a conversation is between two turns.

    `flow_id` and `version` identify the published flow it started with, and so the bundle to load. `sub_flow_id` is the current
    flow if that is a sub-flow, `node_id` the node that waits. `attempts` counts the invalid answers to that node; while a turn
    pauses for an action, it is the position of that action. `due_at` is when its timer fires, in epoch seconds. A state is never
    modified: `take_turn` returns a new one.
    """

    flow_id: str
    node_id: str
    version: int = 0
    sub_flow_id: str = ""
    variables: dict[str, Any] = {}
    stack: list[Frame] = []
    attempts: int = 0
    due_at: float | None = None

    @property
    def is_opened(self) -> bool:
        """Whether the flow has not started: it starts with the person's next message, with the variables as parameters."""
        return not self.node_id

    def encode(self) -> bytes:
        """The state as compact JSON with keys of one letter."""
        return _encode(self)

    @staticmethod
    def decode(raw: bytes | str) -> "State":
        """The state that `encode` wrote. Raises StateError if the bytes are not a state or a field has the wrong type."""
        try:
            return _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(str(error)) from error


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(State).decode
