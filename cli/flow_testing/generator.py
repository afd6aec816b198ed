"""Find conversations that take every exit of a flow, and write them down as tests. The same flow gives the same tests.

The search goes through the states a flow can be in, breadth first: from each it says everything worth trying (`examples`),
and APIs and models answer in every way worth trying. Two states are the same when they wait at the same place and agree in
what decides about a way.
"""

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from cli.flow_testing.coverage import Coverage, Exit, exit_of
from cli.flow_testing.examples import Examples, UserInput
from cli.flow_testing.inputs import parse_input, parse_time
from cli.flow_testing.mocks import mock_keys, mock_of
from cli.flow_testing.rendering import render_message
from cli.flow_testing.runner import path_of
from cli.flow_testing.suite import NOW, Exchange, Expected, Script, Suite
from local.offline_conversation import ConversationSettings, OfflineConversation, sample_contact
from pytake.engine import Contact, Effect, EffectResult, Flow, Turn, compile_flow

TURNS = 20_000
"""How many turns a search tries at most."""
SEEDS = 64
"""How many seeds are tried for the ways that chance takes."""
RESULTS = 24
"""How many ways the effects of one turn may end, all together."""


class Move(Struct, frozen=True):
    """Something said, and how the effects it led to ended."""

    said: UserInput
    results: tuple[EffectResult, ...] = ()


class Walk(Struct, frozen=True):
    """A conversation that was found. `exits` is what it takes."""

    world: ConversationSettings
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
        """Conversations that together take every exit the search could reach."""
        mains: list[Walk] = []
        loops: list[Walk] = []
        barren = 0
        for world in self._worlds():
            if not self._uncovered or (world.seed and not self._chance_left and barren > len(self._contacts()) * 8):
                break
            before = len(self._uncovered)
            for walk, is_loop in self._search(world):
                (loops if is_loop else mains).append(walk)
            barren = 0 if len(self._uncovered) < before else barren + 1
        chosen = _needed(sorted(mains, key=lambda walk: -len(walk.moves)))
        for loop in loops:
            if not any(loop.exits <= walk.exits for walk in chosen):
                self._weave(loop, chosen)
        return _needed([self._to_its_end(walk) for walk in chosen])

    @property
    def _chance_left(self) -> bool:
        return any(exit_.startswith("path:") for _, _, exit_ in self._uncovered)

    def _worlds(self) -> Iterator[ConversationSettings]:
        now = parse_time(NOW)
        for seed in range(SEEDS if self._examples.uses_chance else 1):
            for change in self._contacts():
                yield ConversationSettings(now, seed, None, msgspec.structs.replace(sample_contact(seed), **change))

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

    def _search(self, world: ConversationSettings) -> Iterator[tuple[Walk, bool]]:
        """Walks that each take an exit no earlier one took, and whether they end where their last turn began."""
        first = OfflineConversation(self._flow, world)
        queue: deque[tuple[OfflineConversation, Walk]] = deque([(first, Walk(world, (), frozenset()))])
        seen = {self._key(first)}
        while queue and self._uncovered and self._turns < TURNS:
            conversation, walk = queue.popleft()
            place = _place(conversation)
            for said in self._examples.inputs(conversation):
                for after, turn, results in self._outcomes(conversation, said):
                    self._turns += 1
                    exits = walk.exits.union(map(exit_of, turn.path))
                    further = Walk(world, (*walk.moves, Move(said, results)), exits)
                    if not exits.isdisjoint(self._uncovered):
                        self._uncovered -= exits
                        yield further, place == _place(after) and turn.state is not None
                    key = self._key(after)
                    if turn.state is not None and key not in seen:
                        seen.add(key)
                        queue.append((after, further))

    def _outcomes(
        self, conversation: OfflineConversation, said: UserInput
    ) -> Iterator[tuple[OfflineConversation, Turn, tuple[EffectResult, ...]]]:
        """Every way one turn may go, by how its effects end."""
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
            turn = after.turn(parse_input(said), answer)
            yield after, turn, tuple(results)
            del picks[len(sizes) :]
            while picks and picks[-1] + 1 == sizes[len(picks) - 1]:
                picks.pop()
            if not picks:
                return
            picks[-1] += 1

    def _key(self, conversation: OfflineConversation) -> bytes:
        """What two states have in common from which everything can go on in the same ways."""
        state = conversation.state
        if state is None:
            return b""
        known = dict(state.variables)
        for frame in state.stack:
            known = {**(frame.variables or {}), **known}
        deciding = {name: known[name] for name in sorted(self._examples.deciding) if name in known}
        frames = [(frame.flow_id, frame.node_id) for frame in state.stack]
        contact: Contact | None = conversation.contact if self._examples.contact_fields else None
        # Attempts count up to where questions give up, at the latest after a few.
        return msgspec.json.encode(
            (state.sub_flow_id, state.node_id, min(state.attempts, 5), frames, deciding, contact)
        )

    def _weave(self, loop: Walk, chosen: list[Walk]) -> None:
        """Take the loop's last move into a walk that comes by the same place; make it a walk of its own if none does."""
        move = loop.moves[-1]
        place = self._places(Walk(loop.world, loop.moves[:-1], frozenset()))[-1]
        for index, walk in enumerate(chosen):
            if walk.world != loop.world:
                continue
            for at, here in enumerate(self._places(walk)[:-1]):
                if here != place:
                    continue
                longer = self._walked(walk.world, (*walk.moves[:at], move, *walk.moves[at:]))
                if longer.exits >= walk.exits | loop.exits.difference(walk.exits):
                    chosen[index] = longer
                    return
        chosen.append(loop)

    def _places(self, walk: Walk) -> list[object]:
        """Where the conversation waits before each move, and after the last."""
        conversation = OfflineConversation(self._flow, walk.world)
        places = [_place(conversation)]
        for move in walk.moves:
            _turn(conversation, move)
            places.append(_place(conversation))
        return places

    def _walked(self, world: ConversationSettings, moves: tuple[Move, ...]) -> Walk:
        conversation = OfflineConversation(self._flow, world)
        exits: set[Exit] = set()
        for move in moves:
            exits.update(map(exit_of, _turn(conversation, move).path))
        return Walk(world, moves, frozenset(exits))

    def _to_its_end(self, walk: Walk) -> Walk:
        """The walk with the shortest way to where the conversation ends, when there is one nearby."""
        conversation = OfflineConversation(self._flow, walk.world)
        for move in walk.moves:
            _turn(conversation, move)
        queue = deque([(conversation, walk.moves)])
        seen = {self._key(conversation)}
        for _ in range(200):
            if not queue or queue[0][0].state is None:
                break
            conversation, moves = queue.popleft()
            for said in self._examples.inputs(conversation):
                for after, turn, results in self._outcomes(conversation, said):
                    if turn.status in ("completed", "handoff"):
                        return self._walked(walk.world, (*moves, Move(said, results)))
                    key = self._key(after)
                    if key not in seen and turn.state is not None:
                        seen.add(key)
                        queue.append((after, (*moves, Move(said, results))))
        return walk

    def script(self, walk: Walk) -> Script:
        """A walk as a test that expects what it led to."""
        conversation = OfflineConversation(self._flow, walk.world)
        mocks: dict[str, list[Any]] = {}
        known: dict[str, Any] = {}
        exchanges: list[Exchange] = []
        turn: Turn | None = None
        for move in walk.moves:
            turn = _turn(conversation, move, mocks)
            exchanges.append(Exchange(input=move.said, expect=_expected(turn, self._flow.id, known)))
            known = dict(turn.variables)
        default = sample_contact(walk.world.seed)
        contact = {
            name: value
            for name, value in msgspec.structs.asdict(walk.world.contact or default).items()
            if value != getattr(default, name)
        }
        return Script(
            name=f"{turn.status} at {turn.node_id}" if turn is not None else "nothing said",
            turns=exchanges,
            seed=walk.world.seed or None,
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


def _needed(walks: list[Walk]) -> list[Walk]:
    """The walks without those that take no exit of their own."""
    kept = list(walks)
    for walk in reversed(walks):
        others = frozenset[Exit]().union(*(other.exits for other in kept if other is not walk))
        if walk.exits <= others:
            kept = [other for other in kept if other is not walk]
    return kept


def _place(conversation: OfflineConversation) -> object:
    state = conversation.state
    return (state.sub_flow_id or state.flow_id, state.node_id) if state is not None else None


def _turn(conversation: OfflineConversation, move: Move, mocks: dict[str, list[Any]] | None = None) -> Turn:
    left = list(move.results)

    def answer(effect: Effect) -> EffectResult:
        result = left.pop(0) if left else EffectResult(ok=False, error="failed")
        if mocks is not None:
            mocks.setdefault(mock_keys(effect)[0], []).append(mock_of(result))
        return result

    return conversation.turn(parse_input(move.said), answer)


def _expected(turn: Turn, root: str, known: dict[str, Any]) -> Expected:
    variables = {name: value for name, value in turn.variables.items() if known.get(name) != value}
    events = [event.type for event in turn.events]
    return Expected(
        texts=[render_message(message) for message in turn.messages],
        status=turn.status,
        node_id=turn.node_id,
        path=path_of(turn, root),
        variables=variables or None,
        events=list(events) if set(events) - {"session_started", "completed"} else None,
    )
