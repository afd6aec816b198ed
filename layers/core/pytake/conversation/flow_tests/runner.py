"""Runs the conversations of a test file and reports where they differ from what is expected."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from pytake.conversation.flow_tests.inputs import parse_input
from pytake.conversation.flow_tests.mocks import HttpMocks
from pytake.conversation.flow_tests.offline_conversation import OfflineConversation
from pytake.conversation.flow_tests.rendering import render_message
from pytake.conversation.flow_tests.suite import Exchange, Script, Suite
from pytake.engine import Flow, Step, Turn


class Failure(Struct, frozen=True):
    """A part of a turn that is not as expected. `turn` counts from one."""

    turn: int
    input: str | dict[str, Any]
    node_id: str | None
    part: str
    expected: Any
    actual: Any


class ConversationResult(Struct, frozen=True):
    """The result of a conversation: its steps, and the failures of the first turn that failed."""

    name: str
    steps: list[Step]
    failures: list[Failure]


def run_conversation(suite: Suite, script: Script, flow: Flow) -> ConversationResult:
    """Run one conversation of a suite, until its end or the first turn that fails. Raises UsageError."""
    conversation = OfflineConversation(flow, suite.settings(script))
    mocks = HttpMocks(suite.mocks(script))
    steps: list[Step] = []
    for number, exchange in enumerate(script.turns, 1):
        conversation.now += exchange.after_seconds
        turn = conversation.turn(parse_input(exchange.input), mocks.answer)
        steps += turn.path
        failures = list(_failures(number, exchange, turn, conversation))
        if failures:
            return ConversationResult(script.name, steps, failures)
    return ConversationResult(script.name, steps, [])


def path_of(turn: Turn, root: str) -> list[str]:
    """The path of a turn as test files write it."""
    return [f"{'' if step.flow_id == root else step.flow_id + '/'}{step.node_id}: {step.exit}" for step in turn.path]


def _failures(number: int, exchange: Exchange, turn: Turn, conversation: OfflineConversation) -> list[Failure]:
    expected = exchange.expect
    plain = msgspec.to_builtins
    pairs: list[tuple[str, Any, Any]] = [
        ("status", expected.status, turn.status),
        ("node_id", expected.node_id, turn.node_id),
        ("path", expected.path, path_of(turn, conversation.flow_id)),
        ("texts", expected.texts, [render_message(message) for message in turn.messages]),
        ("messages", expected.messages, plain(turn.messages)),
        ("variables", expected.variables, _same_keys(expected.variables, plain(turn.variables))),
        ("contact", expected.contact, _same_keys(expected.contact, msgspec.structs.asdict(conversation.contact))),
        ("events", expected.events, _same_detail(expected.events, turn)),
    ]
    return [
        Failure(number, exchange.input, turn.node_id, part, wanted, actual)
        for part, wanted, actual in pairs
        if wanted is not None and wanted != actual
    ]


def _same_keys(expected: Mapping[str, Any] | None, found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found.get(name) for name in expected or {}}


def _same_detail(expected: list[str | dict[str, Any]] | None, turn: Turn) -> list[str | dict[str, Any]]:
    """The turn's events; each with its data if the expected event at the same position has data."""
    found: list[str | dict[str, Any]] = []
    for index, event in enumerate(turn.events):
        in_full = expected is not None and index < len(expected) and isinstance(expected[index], dict)
        found.append(msgspec.to_builtins(event) if in_full else event.type)
    return found
