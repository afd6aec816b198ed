"""The flow engine: a flow, a state and an input give a new state, messages and events. No AWS, no HTTP, no clock of its own."""

from pytake.engine.compiling import Flow, compile_flow
from pytake.engine.document import FlowDocument, parse_document
from pytake.engine.effects import Effect, EffectResult, HttpRequest, ModelRequest
from pytake.engine.problems import CODES, FlowError, Problem
from pytake.engine.prover import validate
from pytake.engine.runner import continue_turn, take_turn
from pytake.engine.state import Frame, State, StateError
from pytake.engine.turn import Contact, Context, Event, Input, InputLocation, InputMedia, Status, Step, Turn, Word
from pytake.engine.wording import Language, built_in_text, language_of

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
    "built_in_text",
    "compile_flow",
    "continue_turn",
    "language_of",
    "parse_document",
    "take_turn",
    "validate",
]
