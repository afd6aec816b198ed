"""The data-flow analysis: what is known about every variable at every node.

A worklist algorithm over the graph of the bundle. The root starts with nothing assigned, although a flow that jumps into it may
have passed any values. A sub-flow that returns is analysed once for each distinct environment in which it is entered, so that
what one jump passes does not come out of another jump. A jump that does not return continues in the outermost context. Only
variables that are read somewhere are tracked.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

from msgspec import Struct, structs

from pytake.engine.compiler import Compilation
from pytake.engine.facts import Appended, BranchCondition, Cleared, Computed, Constant, Edge, NodeFacts, Write
from pytake.engine.prover.abstract_values import (
    ABSENT,
    ALWAYS,
    ANYTHING,
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
_MAX_VISITS = 30  # of one node, on average


class ExitEdge(Struct, frozen=True):
    """An exit of a node and where it leads; `target` is None if the flow ends there (or returns)."""

    exit: str
    target: NodeRef | None
    field: str


class Transition(Struct, frozen=True):
    """An exit of a node with what is known there. `environment` is None if the exit is never taken; `why` says why."""

    edge: ExitEdge
    environment: Environment | None
    why: str = ""


class CallContext:
    """The analysis of a flow: of the outermost flow, or of a sub-flow entered with one particular environment."""

    def __init__(self) -> None:
        self.before: dict[NodeRef, Environment] = {}
        self.visits: dict[NodeRef, int] = {}
        self.after: Environment | None = None  # what is known when the sub-flow ends; None as long as it cannot end
        self.callers: dict[tuple[int, NodeRef], tuple[CallContext, NodeRef]] = {}
        self.interrupted: CallContext | None = None  # of the path of a command that returns: where it returns to
        self.is_left = False  # a command that does not return can end that path


class AnalysisBudgetError(Exception):
    """The flow is too complex to analyse, so nothing is reported about its variables."""


class Analysis:
    """The finished data-flow analysis."""

    def __init__(self, compilation: Compilation, graph: Graph) -> None:
        self.facts = compilation.facts
        self.write: dict[str, Callable[[Any], str]] = {
            flow_id: value_formatter(language) for flow_id, language in compilation.languages.items()
        }
        self.edges = {node: list(exit_edges(facts)) for node, facts in self.facts.items()}
        self.variables = _relevant_variables(self.facts.values())
        self.outermost = CallContext()
        self._graph = graph
        self._cache = JoinCache()
        self._fixed: dict[
            int, AbstractValue
        ] = {}  # by the id of a write: a value that does not depend on the environment
        self._used: dict[NodeRef, list[str]] = {}
        self._contexts: dict[tuple[NodeRef, tuple[AbstractValue, ...]], CallContext] = {}
        self._interrupts: dict[tuple[int, NodeRef], CallContext] = {}
        self._assigned: dict[NodeRef, set[str]] = {}
        start = (compilation.root, compilation.documents[compilation.root].start_node_id)
        self._order = _order(self.facts, self.edges, start)
        # Nodes earlier in the order wait for the next round, so that all paths back into a loop are joined before the loop is
        # analysed again. The round is part of the heap's key.
        self._waiting: list[tuple[int, int, int, CallContext, NodeRef]] = []
        self._round = self._position = 0
        self._queued: set[tuple[int, NodeRef]] = set()
        self._number = 0
        self._visits_left = _MAX_VISITS * len(self.facts) + 1000
        self._reach(self.outermost, start, self._new(FROM_OUTSIDE))
        self._run()

    def contexts(self) -> Iterator[CallContext]:
        """Every context that a conversation can be in, the outermost first."""
        seen, waiting = {id(self.outermost)}, [self.outermost]
        while waiting:
            context = waiting.pop()
            yield context
            for node, environment in context.before.items():
                commanded = self._graph.commanded(node, returns=True)
                interrupts = [self._interrupts.get((id(context), target)) for target in commanded]
                for entered in (self._entered(node, environment), *interrupts):
                    if entered is not None and id(entered) not in seen:
                        seen.add(id(entered))
                        waiting.append(entered)

    def environments_within(self, node: NodeRef, environment: Environment) -> list[Environment]:
        """The environment before the node, and after each of its writes, in order."""
        environments = [environment]
        for write in self.facts[node].writes:
            environments.append(self._written(node, [write], environments[-1]) or environments[-1])
        return environments

    def transitions(self, context: CallContext, node: NodeRef) -> Iterator[Transition]:
        """Every exit of a node in a context, with what is known there or with the reason why it is never taken."""
        facts, environment = self.facts[node], context.before[node]
        if facts.branch_conditions:
            yield from self._conditions(node, environment)
            return
        if facts.jumps_to is not None and facts.returns:
            returned = self._back(node, environment)
            for edge in self.edges[node]:
                if edge.exit in facts.abandoned_exits:
                    yield Transition(edge, self._with_writes(node, edge, self._abandoned(node, environment)))
                else:
                    yield Transition(edge, self._with_writes(node, edge, returned))
            return
        for edge in self.edges[node]:
            shown_if, before = facts.shown_if.get(edge.exit), environment
            if shown_if is not None:
                outcome = evaluate_branch(shown_if, environment, self.write[node[0]])
                if outcome.holds is None:
                    yield Transition(structs.replace(edge, field=shown_if.field), None, outcome.why)
                    continue
                before = outcome.holds
            yield Transition(edge, self._with_writes(node, edge, before))

    def _with_writes(self, node: NodeRef, edge: ExitEdge, environment: Environment | None) -> Environment | None:
        writes = [write for write in self.facts[node].writes if write.exit == edge.exit]
        return self._written(node, writes, environment) if writes and environment is not None else environment

    def _conditions(self, node: NodeRef, environment: Environment) -> Iterator[Transition]:
        facts, write = self.facts[node], self.write[node[0]]
        by_exit = {edge.exit: edge for edge in self.edges[node]}
        rest: Environment | None = environment
        certain = ""
        for condition in facts.branch_conditions:
            edge = by_exit[condition.exit]
            if rest is None:
                yield Transition(edge, None, certain)
                continue
            outcome = evaluate_branch(condition, rest, write)
            yield Transition(edge, outcome.holds, outcome.why)
            rest = outcome.fails
            if rest is None:
                certain = _always(condition, outcome.why)
        for exit_ in ("false", "default"):
            if exit_ in by_exit:
                yield Transition(by_exit[exit_], rest, certain)

    def _new(self, known: AbstractValue) -> Environment:
        return dict.fromkeys(self.variables, known)

    def _run(self) -> None:
        while self._waiting:
            self._round, self._position, _, context, node = heappop(self._waiting)
            self._queued.discard((id(context), node))
            self._visits_left -= 1
            if self._visits_left < 0:
                raise AnalysisBudgetError
            self._visit(context, node)

    def _visit(self, context: CallContext, node: NodeRef) -> None:
        facts, environment = self.facts[node], context.before[node]
        if facts.jumps_to is not None and not facts.returns:
            passed = environment if facts.shares else {}
            self._reach(self.outermost, facts.jumps_to, {name: passed.get(name, ABSENT) for name in self.variables})
        elif facts.jumps_to is not None:
            self._enter(context, node, environment)
        for interrupt in facts.interrupts:
            self._interrupt(context, node, (node[0], interrupt.target), environment, returns=interrupt.returns)
        for transition in self.transitions(context, node):
            if transition.environment is None:
                continue
            if transition.edge.target is not None:
                self._reach(context, transition.edge.target, transition.environment)
            else:
                self._leave(context, transition.environment)

    def _interrupt(
        self, context: CallContext, node: NodeRef, target: NodeRef, environment: Environment, *, returns: bool
    ) -> None:
        """A command leads from a waiting node to `target`.

        A path that returns is analysed in a context of its own, once for all nodes that it interrupts. A command on such a path
        replaces the command before it: it returns to the same node.
        """
        if not returns or context.interrupted is not None:
            self._reach(context, target, environment)
            return
        entered = self._interrupts.get((id(context), target))
        if entered is None:
            entered = self._interrupts[id(context), target] = CallContext()
            entered.interrupted = context
            entered.is_left = any(not one.returns for one in self.facts[node].interrupts)
        entered.callers[id(context), node] = (context, node)
        self._reach(entered, target, environment)
        if entered.after is not None:
            after, assigned = entered.after, self._assigned_behind(target)
            self._reach(context, node, {**environment, **{name: after[name] for name in assigned if name in after}})

    def _assigned_behind(self, target: NodeRef) -> set[str]:
        found = self._assigned.get(target)
        if found is None:
            reached = self._graph.reached(target)
            found = self._assigned[target] = {write.variable for node in reached for write in self.facts[node].writes}
        return found

    def _reach(self, context: CallContext, node: NodeRef, environment: Environment) -> None:
        before = context.before.get(node)
        if before is not None:
            joined = self._cache.environments(before, environment)
            if joined is before:
                return
            context.visits[node] = visits = context.visits.get(node, 0) + 1
            if visits > _VISITS_BEFORE_WIDENING:
                joined = {
                    name: known if known == before[name] else widen(before[name], known)
                    for name, known in joined.items()
                }
            environment = joined
        context.before[node] = environment
        self._queue(context, node)

    def _queue(self, context: CallContext, node: NodeRef) -> None:
        key = (id(context), node)
        if key not in self._queued:
            self._queued.add(key)
            self._number += 1
            order = self._order.get(node, 0)
            in_round = self._round + (order <= self._position)
            heappush(self._waiting, (in_round, order, self._number, context, node))

    def _leave(self, context: CallContext, environment: Environment) -> None:
        after = environment if context.after is None else self._cache.environments(context.after, environment)
        if after is context.after:
            return
        context.after = after
        if context.interrupted is not None and context.is_left:
            self._leave(context.interrupted, environment)
        for caller, node in context.callers.values():
            self._queue(caller, node)

    def _key(self, node: NodeRef, environment: Environment) -> tuple[NodeRef, tuple[AbstractValue, ...]] | None:
        """The key of the context in which a jump enters its sub-flow: only the variables that the sub-flow uses count."""
        facts = self.facts[node]
        if facts.jumps_to is None or not facts.returns:
            return None
        used = self._used_variables(facts.jumps_to)
        if facts.shares:
            return facts.jumps_to, tuple([environment[name] for name in used])
        return facts.jumps_to, (ABSENT,) * len(used)

    def _used_variables(self, entry: NodeRef) -> list[str]:
        """The variables that are read or written by the nodes that can follow."""
        found = self._used.get(entry)
        if found is None:
            reached = [self.facts[node] for node in self._graph.reached(entry)]
            names = {read.expression.path[0] for facts in reached for read in facts.reads}
            names |= {write.variable for facts in reached for write in facts.writes}
            found = self._used[entry] = [name for name in self.variables if name in names]
        return found

    def _entered(self, node: NodeRef, environment: Environment) -> CallContext | None:
        key = self._key(node, environment)
        return self._contexts.get(key) if key is not None else None

    def _enter(self, context: CallContext, node: NodeRef, environment: Environment) -> None:
        key = self._key(node, environment)
        if key is None:
            return
        entered = self._contexts.get(key)
        if entered is None:
            entered = self._contexts[key] = CallContext()
            self._reach(entered, key[0], dict(zip(self._used_variables(key[0]), key[1], strict=True)))
        entered.callers[id(context), node] = (context, node)

    def _back(self, node: NodeRef, environment: Environment) -> Environment | None:
        """What is known when the sub-flow has returned; None as long as it never does."""
        entered = self._entered(node, environment)
        if entered is None or entered.after is None:
            return None
        if self.facts[node].shares:
            return {**environment, **entered.after}
        return {
            **environment,
            **{name: _merged(environment[name], known) for name, known in entered.after.items() if name in environment},
        }

    def _abandoned(self, node: NodeRef, environment: Environment) -> Environment:
        """What is known when a person has left the sub-flow somewhere: it may have set any of its variables to any value."""
        entry = self.facts[node].jumps_to
        reached = self._graph.reached(entry) if entry is not None else set()
        names = {write.variable for inner in reached for write in self.facts[inner].writes}
        return {
            name: structs.replace(ANYTHING, assigned=known.assigned | ALWAYS, outside=known.outside)
            if name in names
            else known
            for name, known in environment.items()
        }

    def _written(self, node: NodeRef, writes: list[Write], environment: Environment) -> Environment | None:
        changed = dict(environment)
        for write in writes:
            known = self._fixed.get(id(write))
            if known is None:
                known = evaluate_source(write.source, changed, self.write[node[0]])
                if known is not None and _is_fixed(write):
                    assigned = NEVER | ALWAYS if isinstance(write.source, Cleared) else ALWAYS
                    known = self._fixed[id(write)] = structs.replace(known, assigned=assigned, outside=False)
            if known is None:
                return None
            if write.variable in changed:
                changed[write.variable] = (
                    known
                    if id(write) in self._fixed
                    else self._cache.one(structs.replace(known, assigned=ALWAYS, outside=False))
                )
        return changed


def _is_fixed(write: Write) -> bool:
    if isinstance(write.source, Constant):
        return "{{" not in str(write.source.value)
    return not isinstance(write.source, Computed | Appended)


def _merged(parent: AbstractValue, returned: AbstractValue) -> AbstractValue:
    """A parent's variable that was not shared, after a sub-flow that may have a variable of the same name."""
    if returned.assigned == NEVER:
        return parent
    if returned.assigned == ALWAYS:
        return returned
    return structs.replace(join(parent, returned), assigned=parent.assigned | ALWAYS)


def exit_edges(facts: NodeFacts) -> Iterator[ExitEdge]:
    """The exits that a conversation can take out of a node, except those into a sub-flow."""
    edges: dict[str, Edge] = {edge.exit: edge for edge in facts.edges}
    for exit_ in dict.fromkeys(facts.exits):
        if exit_ in _SILENT_EXITS:
            continue
        edge = edges.get(exit_) or (edges.get("next") if exit_ in facts.follows_next else None)
        if edge is not None:
            yield ExitEdge(exit_, (facts.flow_id, edge.target) if edge.target else None, edge.field)
        elif exit_ == "end":
            yield ExitEdge(exit_, None, "")


def _always(condition: BranchCondition, why: str) -> str:
    return why if condition.exit == "true" else f"an earlier branch always holds ({why})" if why else ""


def _relevant_variables(facts: Iterable[NodeFacts]) -> list[str]:
    return sorted({read.expression.path[0] for one in facts for read in one.reads})


def _order(facts: dict[NodeRef, NodeFacts], edges: dict[NodeRef, list[ExitEdge]], start: NodeRef) -> dict[NodeRef, int]:
    """The position of each node in an order in which, except in loops, a node comes after those that lead to it."""

    def following(node: NodeRef) -> list[NodeRef]:
        found = [edge.target for edge in edges[node] if edge.target is not None]
        jumps_to = facts[node].jumps_to
        return found if jumps_to is None else [*found, jumps_to]

    finished = successors_first([start, *facts], following)
    return {node: number for number, node in enumerate(reversed(finished))}
