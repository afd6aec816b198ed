"""The flow engine: a flow, a state and an input give a new state, messages and events. Pure: no AWS, no HTTP, no clock."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytake.engine.compiler import Flow, compile_flow
    from pytake.engine.document import FlowDocument, jump_targets, parse_document
    from pytake.engine.effects import Effect, EffectResult, EmailRequest, HttpRequest, ModelRequest, StartFlowRequest
    from pytake.engine.interpreter import continue_turn, opened_state, take_turn
    from pytake.engine.normalize import normalize_text
    from pytake.engine.problems import CODES, FlowError, Problem
    from pytake.engine.prover import Completion, Fix, Surroundings, fix_of, inspect_flow, validate
    from pytake.engine.state import Frame, State, StateError
    from pytake.engine.texts import Language, built_in_text, language_of
    from pytake.engine.turn import Command, Contact, Context, Event, Status, Step, Turn
    from pytake.whatsapp.input import Input, InputLocation, InputMedia

__all__ = ["Flow", "compile_flow"]
__all__ += ["FlowDocument", "jump_targets", "parse_document"]
__all__ += ["Effect", "EffectResult", "EmailRequest", "HttpRequest", "ModelRequest", "StartFlowRequest"]
__all__ += ["continue_turn", "opened_state", "take_turn"]
__all__ += ["normalize_text"]
__all__ += ["CODES", "FlowError", "Problem"]
__all__ += ["Completion", "Fix", "Surroundings", "fix_of", "inspect_flow", "validate"]
__all__ += ["Frame", "State", "StateError"]
__all__ += ["Language", "built_in_text", "language_of"]
__all__ += ["Command", "Contact", "Context", "Event", "Status", "Step", "Turn"]
__all__ += ["Input", "InputLocation", "InputMedia"]

_MODULES = {
    name: f"pytake.engine.{module}"
    for module, names in {
        "compiler": ("Flow", "compile_flow"),
        "document": ("FlowDocument", "jump_targets", "parse_document"),
        "effects": ("Effect", "EffectResult", "EmailRequest", "HttpRequest", "ModelRequest", "StartFlowRequest"),
        "normalize": ("normalize_text",),
        "problems": ("CODES", "FlowError", "Problem"),
        "prover": ("Completion", "Fix", "Surroundings", "inspect_flow", "fix_of", "validate"),
        "interpreter": ("continue_turn", "opened_state", "take_turn"),
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
