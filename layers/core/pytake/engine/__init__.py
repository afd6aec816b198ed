"""The flow engine: a flow, a state and an input give a new state, messages and events. Pure: no AWS, no HTTP, no clock."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytake.engine.compiler import Flow, compile_flow
    from pytake.engine.document import FlowDocument, jump_targets, parse_document
    from pytake.engine.effects import Effect, EffectResult, HttpRequest, ModelRequest
    from pytake.engine.interpreter import continue_turn, take_turn
    from pytake.engine.normalize import normalize_text
    from pytake.engine.problems import CODES, FlowError, Problem
    from pytake.engine.prover import validate
    from pytake.engine.state import Frame, State, StateError
    from pytake.engine.texts import Language, built_in_text, language_of
    from pytake.engine.turn import (
        Command,
        Contact,
        Context,
        Event,
        Status,
        Step,
        Turn,
    )
    from pytake.whatsapp.input import Input, InputLocation, InputMedia

__all__ = [
    "CODES",
    "Command",
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
    "built_in_text",
    "compile_flow",
    "continue_turn",
    "jump_targets",
    "language_of",
    "normalize_text",
    "parse_document",
    "take_turn",
    "validate",
]

_MODULES = {
    name: f"pytake.engine.{module}"
    for module, names in {
        "compiler": ("Flow", "compile_flow"),
        "document": ("FlowDocument", "jump_targets", "parse_document"),
        "effects": ("Effect", "EffectResult", "HttpRequest", "ModelRequest"),
        "normalize": ("normalize_text",),
        "problems": ("CODES", "FlowError", "Problem"),
        "prover": ("validate",),
        "interpreter": ("continue_turn", "take_turn"),
        "state": ("Frame", "State", "StateError"),
        "texts": ("Language", "language_of", "built_in_text"),
        "turn": ("Command", "Contact", "Context", "Event", "Status", "Step", "Turn"),
    }.items()
    for name in names
} | dict.fromkeys(("Input", "InputLocation", "InputMedia"), "pytake.whatsapp.input")


def __getattr__(name: str) -> Any:
    """Import each name on first use: the webhook, the sender and the statuses function use turns but run no flow."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_MODULES[name]), name)
    if name == "compile_flow":
        # Import every node type and validator together with the compiler, so that no conversation waits for an import.
        registry = import_module("pytake.engine.registry")
        registry.node_types()
        registry.validators()
    globals()[name] = found
    return found
