"""The data flow: what is known of every variable wherever a conversation may be.

A worklist over the graph of the bundle. The root begins with nothing assigned, though a flow that jumps into it may
have passed anything. A sub-flow that returns is looked at once for each different state it is entered with, so that
what one jump passes does not come back out of another one; a jump that does not return goes on in the one outermost
context. Only variables that are read somewhere are followed.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

from msgspec import Struct, structs

from pytake.engine.compiler import Compilation
from pytake.engine.facts import BranchCondition, Constant, Edge, NodeFacts, Write
from pytake.engine.prover.abstract_values import (
    ABSENT,
    ALWAYS,
    FROM_OUTSIDE,
    NEVER,
    AbstractValue,
    Environment,
    JoinCache,
    join,
    widen,
)
from pytake.engine.prover.branches import evaluate_branch
from pytake.engine.prover.evaluation import evaluate_source
from pytake.engine.prover.graph import Graph, NodeRef, successors_first
from pytake.engine.values import value_formatter

_SILENT_EXITS = frozenset(("wait", "invalid", "stale", "jump", "handoff"))
_VISITS_BEFORE_WIDENING = 8
_MOST_VISITS = 30  # of one node, on average


class ExitEdge(Struct, frozen=True):
    """A way out of a node: its exit and where it leads, None when the flow ends there (or returns)."""

    exit: str
    target: NodeRef | None
    field: str


class Transition(Struct, frozen=True):
    """A conversation that leaves a node: by which way, with what known, or why never."""

    way: ExitEdge
    state: Environment | None
    why: str = ""


class CallContext:
    """One way of being in a flow: the outermost one, or inside a sub-flow that was entered with this state."""

    def __init__(self) -> None:
        self.before: dict[NodeRef, Environment] = {}
        self.visits: dict[NodeRef, int] = {}
        self.after: Environment | None = None  # what is known when the sub-flow ends, None while it cannot
        self.callers: dict[tuple[int, NodeRef], tuple[CallContext, NodeRef]] = {}


class AnalysisBudgetError(Exception):
    """The flow is too tangled to be followed; nothing is said about its variables."""


class Analysis:
    """The finished data flow."""

    def __init__(self, compilation: Compilation, graph: Graph) -> None:
        self.facts = compilation.facts
        self.write: dict[str, Callable[[Any], str]] = {
            flow_id: value_formatter(language) for flow_id, language in compilation.languages.items()
        }
        self.ways = {place: list(_ways(facts)) for place, facts in self.facts.items()}
        self.variables = _variables_that_matter(self.facts.values())
        self.outermost = CallContext()
        self._graph = graph
        self._joining = JoinCache()
        self._fixed: dict[int, AbstractValue] = {}  # by write: what never depends on the state
        self._concern: dict[NodeRef, list[str]] = {}
        self._contexts: dict[tuple[NodeRef, tuple[AbstractValue, ...]], CallContext] = {}
        start = (compilation.root, compilation.documents[compilation.root].start_node_id)
        self._order = _order(self.facts, self.ways, start)
        # By round: what lies behind waits for the next one, so that all ways back into a loop are joined before it is
        # gone through again. The round is part of the heap's key.
        self._waiting: list[tuple[int, int, int, CallContext, NodeRef]] = []
        self._round = self._position = 0
        self._queued: set[tuple[int, NodeRef]] = set()
        self._number = 0
        self._visits_left = _MOST_VISITS * len(self.facts) + 1000
        self._reach(self.outermost, start, self._new(FROM_OUTSIDE))
        self._run()

    def contexts(self) -> Iterator[CallContext]:
        """Every context a conversation can be in, the outermost first."""
        seen, waiting = {id(self.outermost)}, [self.outermost]
        while waiting:
            context = waiting.pop()
            yield context
            for place, state in context.before.items():
                entered = self._entered(place, state)
                if entered is not None and id(entered) not in seen:
                    seen.add(id(entered))
                    waiting.append(entered)

    def states_within(self, place: NodeRef, state: Environment) -> list[Environment]:
        """The state before the node, and after each of the writes it makes on its main exit, in order."""
        states = [state]
        for write in self.facts[place].writes:
            states.append(self._written(place, [write], states[-1]) or states[-1])
        return states

    def transitions(self, context: CallContext, place: NodeRef) -> Iterator[Transition]:
        """Every way out of a node in a context, with what is known there, or with the reason why it is never taken."""
        facts, state = self.facts[place], context.before[place]
        if facts.branch_conditions:
            yield from self._deciding(place, state)
            return
        if facts.jumps_to is not None and facts.returns:
            state_back = self._back(place, state)
            for way in self.ways[place]:
                yield Transition(way, state_back)
            return
        for way in self.ways[place]:
            writes = [write for write in facts.writes if write.exit == way.exit]
            yield Transition(way, self._written(place, writes, state) if writes else state)

    def _deciding(self, place: NodeRef, state: Environment) -> Iterator[Transition]:
        facts, write = self.facts[place], self.write[place[0]]
        by_exit = {way.exit: way for way in self.ways[place]}
        rest: Environment | None = state
        certain = ""
        for deciding in facts.branch_conditions:
            way = by_exit[deciding.exit]
            if rest is None:
                yield Transition(way, None, certain)
                continue
            outcome = evaluate_branch(deciding, rest, write)
            yield Transition(way, outcome.holds, outcome.why)
            rest = outcome.fails
            if rest is None:
                certain = _always(deciding, outcome.why)
        for exit_ in ("false", "default"):
            if exit_ in by_exit:
                yield Transition(by_exit[exit_], rest, certain)

    def _new(self, known: AbstractValue) -> Environment:
        return dict.fromkeys(self.variables, known)

    def _run(self) -> None:
        while self._waiting:
            self._round, self._position, _, context, place = heappop(self._waiting)
            self._queued.discard((id(context), place))
            self._visits_left -= 1
            if self._visits_left < 0:
                raise AnalysisBudgetError
            self._visit(context, place)

    def _visit(self, context: CallContext, place: NodeRef) -> None:
        facts, state = self.facts[place], context.before[place]
        if facts.jumps_to is not None and not facts.returns:
            passed = state if facts.shares else {}
            self._reach(self.outermost, facts.jumps_to, {name: passed.get(name, ABSENT) for name in self.variables})
        elif facts.jumps_to is not None:
            self._enter(context, place, state)
        for passing in self.transitions(context, place):
            if passing.state is None:
                continue
            if passing.way.target is not None:
                self._reach(context, passing.way.target, passing.state)
            else:
                self._leave(context, passing.state)

    def _reach(self, context: CallContext, place: NodeRef, state: Environment) -> None:
        before = context.before.get(place)
        if before is not None:
            joined = self._joining.states(before, state)
            if joined is before:
                return
            context.visits[place] = visits = context.visits.get(place, 0) + 1
            if visits > _VISITS_BEFORE_WIDENING:
                joined = {name: known if known == before[name] else widen(known) for name, known in joined.items()}
            state = joined
        context.before[place] = state
        self._queue(context, place)

    def _queue(self, context: CallContext, place: NodeRef) -> None:
        key = (id(context), place)
        if key not in self._queued:
            self._queued.add(key)
            self._number += 1
            order = self._order.get(place, 0)
            in_round = self._round + (order <= self._position)
            heappush(self._waiting, (in_round, order, self._number, context, place))

    def _leave(self, context: CallContext, state: Environment) -> None:
        after = state if context.after is None else self._joining.states(context.after, state)
        if after is context.after:
            return
        context.after = after
        for caller, place in context.callers.values():
            self._queue(caller, place)

    def _key(self, place: NodeRef, state: Environment) -> tuple[NodeRef, tuple[AbstractValue, ...]] | None:
        """What a sub-flow is entered with: only the variables it has to do with make a difference."""
        facts = self.facts[place]
        if facts.jumps_to is None or not facts.returns:
            return None
        concerned = self._concerned(facts.jumps_to)
        if facts.shares:
            return facts.jumps_to, tuple([state[name] for name in concerned])
        return facts.jumps_to, (ABSENT,) * len(concerned)

    def _concerned(self, entry: NodeRef) -> list[str]:
        """The variables that are read or written by what can follow from here."""
        found = self._concern.get(entry)
        if found is None:
            reached = [self.facts[place] for place in self._graph.reached(entry)]
            names = {read.expression.path[0] for facts in reached for read in facts.reads}
            names |= {write.variable for facts in reached for write in facts.writes}
            found = self._concern[entry] = [name for name in self.variables if name in names]
        return found

    def _entered(self, place: NodeRef, state: Environment) -> CallContext | None:
        key = self._key(place, state)
        return self._contexts.get(key) if key is not None else None

    def _enter(self, context: CallContext, place: NodeRef, state: Environment) -> None:
        key = self._key(place, state)
        if key is None:
            return
        entered = self._contexts.get(key)
        if entered is None:
            entered = self._contexts[key] = CallContext()
            self._reach(entered, key[0], dict(zip(self._concerned(key[0]), key[1], strict=True)))
        entered.callers[id(context), place] = (context, place)

    def _back(self, place: NodeRef, state: Environment) -> Environment | None:
        """What is known when the sub-flow has returned; None while it never does."""
        entered = self._entered(place, state)
        if entered is None or entered.after is None:
            return None
        if self.facts[place].shares:
            return {**state, **entered.after}
        return {
            **state,
            **{name: _merged(state[name], known) for name, known in entered.after.items() if name in state},
        }

    def _written(self, place: NodeRef, writes: list[Write], state: Environment) -> Environment | None:
        changed = dict(state)
        for write in writes:
            known = self._fixed.get(id(write))
            if known is None:
                known = evaluate_source(write.source, changed, self.write[place[0]])
                if known is not None and _is_fixed(write):
                    known = self._fixed[id(write)] = structs.replace(known, assigned=ALWAYS, outside=False)
            if known is None:
                return None
            if write.variable in changed:
                changed[write.variable] = (
                    known
                    if id(write) in self._fixed
                    else self._joining.one(structs.replace(known, assigned=ALWAYS, outside=False))
                )
        return changed


def _is_fixed(write: Write) -> bool:
    return not isinstance(write.source, Constant) or "{{" not in str(write.source.value)


def _merged(parent: AbstractValue, returned: AbstractValue) -> AbstractValue:
    """A variable of a parent that did not share it, after a sub-flow which may have one of the same name."""
    if returned.assigned == NEVER:
        return parent
    if returned.assigned == ALWAYS:
        return returned
    return structs.replace(join(parent, returned), assigned=parent.assigned | ALWAYS)


def _ways(facts: NodeFacts) -> Iterator[ExitEdge]:
    """The ways a conversation can really leave a node by, apart from those into a sub-flow."""
    edges: dict[str, Edge] = {edge.exit: edge for edge in facts.edges}
    for exit_ in dict.fromkeys(facts.exits):
        if exit_ in _SILENT_EXITS:
            continue
        edge = edges.get(exit_) or (edges.get("next") if exit_ in facts.follows_next else None)
        if edge is not None:
            yield ExitEdge(exit_, (facts.flow_id, edge.target) if edge.target else None, edge.field)
        elif exit_ == "end":
            yield ExitEdge(exit_, None, "")


def _always(deciding: BranchCondition, why: str) -> str:
    return why if deciding.exit == "true" else f"an earlier branch always holds ({why})" if why else ""


def _variables_that_matter(facts: Iterable[NodeFacts]) -> list[str]:
    return sorted({read.expression.path[0] for one in facts for read in one.reads})


def _order(facts: dict[NodeRef, NodeFacts], ways: dict[NodeRef, list[ExitEdge]], start: NodeRef) -> dict[NodeRef, int]:
    """Every node after those that lead to it, as far as loops allow."""

    def following(place: NodeRef) -> list[NodeRef]:
        found = [way.target for way in ways[place] if way.target is not None]
        jumps_to = facts[place].jumps_to
        return found if jumps_to is None else [*found, jumps_to]

    finished = successors_first([start, *facts], following)
    return {place: number for number, place in enumerate(reversed(finished))}
