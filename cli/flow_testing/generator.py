"""Generates tests: conversations that together take every exit of a flow. The same flow gives the same tests.

A breadth-first search of the states that a flow can be in. In each state it tries every input and every result of APIs and models
that `examples` suggests. Two states count as equal if they wait at the same node and agree in every variable that a condition
depends on.
"""

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from cli.flow_testing.examples import Examples, UserInput
from pytake.conversation.flow_tests.coverage import Coverage, Exit, exit_of
from pytake.conversation.flow_tests.inputs import parse_input, parse_time, time_text
from pytake.conversation.flow_tests.mocks import mock_keys, mock_of
from pytake.conversation.flow_tests.offline_conversation import (
    ConversationSettings,
    OfflineConversation,
    sample_contact,
)
from pytake.conversation.flow_tests.rendering import render_message
from pytake.conversation.flow_tests.runner import path_of
from pytake.conversation.flow_tests.suite import NOW, Exchange, Expected, Script, Suite
from pytake.engine import Contact, Effect, EffectResult, Flow, Turn, compile_flow

TURNS = 20_000
"""The maximum number of turns in a search."""
SEEDS = 64
"""The number of seeds that are tried for random paths."""
RESULTS = 24
"""The maximum number of combinations of effect results that are tried in one turn."""


class Move(Struct, frozen=True):
    """An input, and the results of the effects that it led to."""

    user_input: UserInput
    results: tuple[EffectResult, ...] = ()


class Walk(Struct, frozen=True):
    """A conversation that the search found, with the exits it takes."""

    settings: ConversationSettings
    moves: tuple[Move, ...]
    exits: frozenset[Exit]


class Generator:
    """Finds the conversations of one bundle."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], root: str) -> None:
        self._flow: Flow = compile_flow(documents, root)
        self._examples = Examples(documents, root)
        self._uncovered = Coverage(documents, root).all_exits
        self._turns = 0

    def walks(self) -> list[Walk]:
        """Conversations that together take every exit that the search could reach."""
        mains: list[Walk] = []
        loops: list[Walk] = []
        unsuccessful = 0
        for settings in self._settings():
            if not self._uncovered or (
                settings.seed and not self._chance_left and unsuccessful > len(self._contacts()) * 8
            ):
                break
            before = len(self._uncovered)
            for walk, is_loop in self._search(settings):
                (loops if is_loop else mains).append(walk)
            unsuccessful = 0 if len(self._uncovered) < before else unsuccessful + 1
        chosen = _without_redundant(sorted(mains, key=lambda walk: -len(walk.moves)))
        for loop in loops:
            if not any(loop.exits <= walk.exits for walk in chosen):
                self._insert(loop, chosen)
        return _without_redundant([self._to_end(walk) for walk in chosen])

    @property
    def _chance_left(self) -> bool:
        return any(exit_.startswith("path:") for _, _, exit_ in self._uncovered)

    def _settings(self) -> Iterator[ConversationSettings]:
        timetables = self._examples.timetables
        for seed in range(SEEDS if self._examples.uses_chance else 1):
            for now in self._examples.moments(parse_time(NOW)):
                for change in self._contacts():
                    contact = msgspec.structs.replace(sample_contact(seed), **change)
                    yield ConversationSettings(now, seed, None, contact, timetables=timetables)

    def _contacts(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = [{}]
        for field, values in self._examples.contact_fields.items():
            for value in values:
                if field in ("name", "phone"):
                    changes.append({field: str(value)})
                elif field == "tags":
                    changes.append({"tags": [str(value)]})
                elif field != "id":
                    changes.append({"fields": {field: value}})
        return changes

    def _search(self, settings: ConversationSettings) -> Iterator[tuple[Walk, bool]]:
        """Walks that each take a new exit, and whether their last turn ended where it started (a loop)."""
        first = OfflineConversation(self._flow, settings)
        queue: deque[tuple[OfflineConversation, Walk]] = deque([(first, Walk(settings, (), frozenset()))])
        seen = {self._key(first)}
        while queue and self._uncovered and self._turns < TURNS:
            conversation, walk = queue.popleft()
            position = _position(conversation)
            for user_input in self._examples.inputs(conversation):
                for after, turn, results in self._outcomes(conversation, user_input):
                    self._turns += 1
                    exits = walk.exits.union(map(exit_of, turn.path))
                    further = Walk(settings, (*walk.moves, Move(user_input, results)), exits)
                    if not exits.isdisjoint(self._uncovered):
                        self._uncovered -= exits
                        yield further, position == _position(after) and turn.state is not None
                    key = self._key(after)
                    if after.state is not None and key not in seen:
                        seen.add(key)
                        queue.append((after, further))

    def _outcomes(
        self, conversation: OfflineConversation, user_input: UserInput
    ) -> Iterator[tuple[OfflineConversation, Turn, tuple[EffectResult, ...]]]:
        """Every outcome of one turn, one for each combination of effect results."""
        picks: list[int] = []
        for _ in range(RESULTS):
            sizes: list[int] = []
            results: list[EffectResult] = []

            def answer(effect: Effect, sizes: list[int] = sizes, results: list[EffectResult] = results) -> EffectResult:
                options = self._examples.results(effect)
                if len(sizes) == len(picks):
                    picks.append(0)
                results.append(options[picks[len(sizes)]])
                sizes.append(len(options))
                return results[-1]

            after = copy.copy(conversation)
            turn = after.turn(parse_input(user_input), answer)
            yield after, turn, tuple(results)
            del picks[len(sizes) :]
            while picks and picks[-1] + 1 == sizes[len(picks) - 1]:
                picks.pop()
            if not picks:
                return
            picks[-1] += 1

    def _key(self, conversation: OfflineConversation) -> bytes:
        """A key that is equal for states that can continue in the same ways."""
        state = conversation.state
        if state is None:
            return b""
        previous = dict(state.variables)
        for frame in state.stack:
            previous = {**(frame.variables or {}), **previous}
        relevant = {name: previous[name] for name in sorted(self._examples.relevant) if name in previous}
        frames = [(frame.flow_id, frame.node_id) for frame in state.stack]
        contact: Contact | None = conversation.contact if self._examples.contact_fields else None
        # A few attempts are enough to reach `max_attempts`.
        return msgspec.json.encode(
            (state.sub_flow_id, state.node_id, min(state.attempts, 5), frames, relevant, contact)
        )

    def _insert(self, loop: Walk, chosen: list[Walk]) -> None:
        """Insert the loop's last move into a walk that passes the same position. Without such a walk, keep the loop as a walk."""
        move = loop.moves[-1]
        position = self._positions(Walk(loop.settings, loop.moves[:-1], frozenset()))[-1]
        for index, walk in enumerate(chosen):
            if walk.settings != loop.settings:
                continue
            for at, here in enumerate(self._positions(walk)[:-1]):
                if here != position:
                    continue
                longer = self._replay(walk.settings, (*walk.moves[:at], move, *walk.moves[at:]))
                if longer.exits >= walk.exits | loop.exits.difference(walk.exits):
                    chosen[index] = longer
                    return
        chosen.append(loop)

    def _positions(self, walk: Walk) -> list[object]:
        """The position of the conversation before each move, and after the last one."""
        conversation = OfflineConversation(self._flow, walk.settings)
        positions = [_position(conversation)]
        for move in walk.moves:
            _turn(conversation, move)
            positions.append(_position(conversation))
        return positions

    def _replay(self, settings: ConversationSettings, moves: tuple[Move, ...]) -> Walk:
        conversation = OfflineConversation(self._flow, settings)
        exits: set[Exit] = set()
        for move in moves:
            exits.update(map(exit_of, _turn(conversation, move).path))
        return Walk(settings, moves, frozenset(exits))

    def _to_end(self, walk: Walk) -> Walk:
        """The walk, extended by the shortest path to the end of the conversation if there is one nearby."""
        conversation = OfflineConversation(self._flow, walk.settings)
        for move in walk.moves:
            _turn(conversation, move)
        queue = deque([(conversation, walk.moves)])
        seen = {self._key(conversation)}
        for _ in range(200):
            if not queue or queue[0][0].state is None:
                break
            conversation, moves = queue.popleft()
            for user_input in self._examples.inputs(conversation):
                for after, turn, results in self._outcomes(conversation, user_input):
                    if turn.status in ("completed", "handoff"):
                        return self._replay(walk.settings, (*moves, Move(user_input, results)))
                    key = self._key(after)
                    if key not in seen and turn.state is not None:
                        seen.add(key)
                        queue.append((after, (*moves, Move(user_input, results))))
        return walk

    def script(self, walk: Walk) -> Script:
        """The walk as a test that expects what it led to."""
        conversation = OfflineConversation(self._flow, walk.settings)
        mocks: dict[str, list[Any]] = {}
        previous: dict[str, Any] = {}
        exchanges: list[Exchange] = []
        turn: Turn | None = None
        for move in walk.moves:
            turn = _turn(conversation, move, mocks)
            exchanges.append(Exchange(input=move.user_input, expect=_expected(turn, self._flow.id, previous)))
            previous = dict(turn.variables)
        default = sample_contact(walk.settings.seed)
        contact = {
            name: value
            for name, value in msgspec.structs.asdict(walk.settings.contact or default).items()
            if value != getattr(default, name)
        }
        return Script(
            name=f"{turn.status} at {turn.node_id}" if turn is not None else "no turns",
            turns=exchanges,
            now=time_text(walk.settings.now) if walk.settings.now != parse_time(NOW) else None,
            timetables=dict(walk.settings.timetables) or None,
            seed=walk.settings.seed or None,
            contact=contact or None,
            http_mocks={name: found[0] if len(found) == 1 else found for name, found in mocks.items()} or None,
        )


def generate(documents: Mapping[str, Mapping[str, Any]], root: str) -> Suite:
    """A test file whose conversations take every exit of the bundle that the search can reach."""
    generator = Generator(documents, root)
    scripts = [generator.script(walk) for walk in generator.walks()]
    names: dict[str, int] = {}
    for script in scripts:
        names[script.name] = number = names.get(script.name, 0) + 1
        script.name = script.name if number == 1 else f"{script.name}, way {number}"
    return Suite(flow=root, now=NOW, seed=0, conversations=scripts)


def _without_redundant(walks: list[Walk]) -> list[Walk]:
    """The walks without those whose exits other walks take too."""
    kept = list(walks)
    for walk in reversed(walks):
        others = frozenset[Exit]().union(*(other.exits for other in kept if other is not walk))
        if walk.exits <= others:
            kept = [other for other in kept if other is not walk]
    return kept


def _position(conversation: OfflineConversation) -> object:
    state = conversation.state
    return (state.sub_flow_id or state.flow_id, state.node_id) if state is not None else None


def _turn(conversation: OfflineConversation, move: Move, mocks: dict[str, list[Any]] | None = None) -> Turn:
    left = list(move.results)

    def answer(effect: Effect) -> EffectResult:
        result = left.pop(0) if left else EffectResult(ok=False, error="failed")
        if mocks is not None:
            mocks.setdefault(mock_keys(effect)[0], []).append(mock_of(result))
        return result

    return conversation.turn(parse_input(move.user_input), answer)


def _expected(turn: Turn, root: str, previous: dict[str, Any]) -> Expected:
    variables = {name: value for name, value in turn.variables.items() if previous.get(name) != value}
    events = [event.type for event in turn.events]
    return Expected(
        texts=[render_message(message) for message in turn.messages],
        status=turn.status,
        node_id=turn.node_id,
        path=path_of(turn, root),
        variables=variables or None,
        events=list(events) if set(events) - {"session_started", "completed"} else None,
    )
