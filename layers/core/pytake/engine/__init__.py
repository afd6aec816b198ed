"""The flow engine: a flow, a state and an input give a new state, messages and events. No AWS, no HTTP, no clock of its own."""

from typing import TYPE_CHECKING, Any

from pytake.engine.compiling import Flow, compile_flow
from pytake.engine.document import FlowDocument, jump_targets, parse_document
from pytake.engine.effects import Effect, EffectResult, HttpRequest, ModelRequest
from pytake.engine.folding import fold
from pytake.engine.problems import CODES, FlowError, Problem
from pytake.engine.registry import node_types, validators
from pytake.engine.runner import continue_turn, take_turn
from pytake.engine.state import Frame, State, StateError
from pytake.engine.texts import Language, language_of, wording
from pytake.engine.turn import Contact, Context, Event, Input, InputLocation, InputMedia, Status, Step, Turn, Word

if TYPE_CHECKING:
    from pytake.engine.prover import validate

__all__ = [
    "CODES",
    "Contact",
    "Context",
    "Effect",
    "EffectResult",
    "Event",
    "Flow",
    "FlowDocument",
    "FlowError",
    "Frame",
    "HttpRequest",
    "Input",
    "InputLocation",
    "InputMedia",
    "Language",
    "ModelRequest",
    "Problem",
    "State",
    "StateError",
    "Status",
    "Step",
    "Turn",
    "Word",
    "compile_flow",
    "continue_turn",
    "fold",
    "jump_targets",
    "language_of",
    "parse_document",
    "take_turn",
    "validate",
    "wording",
]

# Every node type and validator comes in with the engine, so that no conversation waits for an import.
node_types()
validators()


def __getattr__(name: str) -> Any:
    """The prover is loaded when it is first asked for: conversations do without it."""
    if name == "validate":
        from pytake.engine.prover import validate

        return validate
    raise AttributeError(name)
