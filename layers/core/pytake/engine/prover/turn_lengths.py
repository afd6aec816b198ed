"""The longest turns: how many nodes a turn can visit between two waits and how many calls it can make, also through sub-flows."""

from collections.abc import Callable

from pytake.engine.facts import NodeFacts
from pytake.engine.limits import EFFECTS, STEPS
from pytake.engine.problems import Problem, problem
from pytake.engine.prover.graph import Graph, NodeRef, successors_first


def too_long_turns(graph: Graph, taken: Callable[[NodeRef, str], bool]) -> list[Problem]:
    """Turns that can visit more nodes, or make more calls, than allowed.

    Requires a bundle without jump cycles and without loops that never wait. `taken` says whether an exit of a node can be taken.
    """
    return _over(
        TurnLengths(graph, taken, lambda _: 1),
        STEPS,
        "too_many_steps",
        "A turn that starts here can visit {count} nodes before it waits; at most {limit} are allowed. Ask a question in "
        "between, or shorten the path.",
    ) + _over(
        TurnLengths(graph, taken, lambda facts: facts.effects),
        EFFECTS,
        "too_many_effects",
        "A turn that starts here can make {count} calls of APIs and models before it waits; at most {limit} are allowed. Ask a "
        "question in between, or make fewer calls.",
    )


def _over(lengths: "TurnLengths", limit: int, code: str, message: str) -> list[Problem]:
    return [
        problem(code, message.format(count=count, limit=limit), flow_id=flow_id, node_id=node_id)
        for (flow_id, node_id), count in lengths.of_turns().items()
        if count > limit
    ]


class TurnLengths:
    """The maximum length of turns: the sum of the weights of the steps. A step is a node and the exit taken."""

    def __init__(self, graph: Graph, taken: Callable[[NodeRef, str], bool], weight: Callable[[NodeFacts], int]) -> None:
        self._graph = graph
        self._facts = graph.facts
        self._taken = taken
        self._weights = {node: weight(facts) for node, facts in graph.facts.items()}
        self._whole: dict[NodeRef, int] = {}  # until the turn ends
        self._to_end: dict[NodeRef, int | None] = {}  # until the flow ends; None if it does not end in the same turn
        self._after: dict[NodeRef, int] = {}  # after the end of the flow that is entered here
        for node in successors_first(list(graph.facts), self._silent_followers):
            self._measure(node)
        self._levels: dict[NodeRef, list[NodeRef]] = {}
        for jump in graph.facts:
            target = graph.facts[jump].jumps_to
            if target is not None and graph.facts[jump].returns:
                self._levels.setdefault(target, []).append(jump)
        self._inside = {entry: graph.local(entry) for entry in self._levels}
        self._back = {node: graph.returning_to(node) for node in graph.facts} if graph.interrupted else {}

    def of_turns(self) -> dict[NodeRef, int]:
        """The maximum length of the turns that start at each node where a turn can start."""
        start = (self._graph.root.id, self._graph.root.start_node_id)
        turns = {start: self.of_entering(start)}
        heaviest = max(self._weights.values(), default=0)
        for node, facts in self._facts.items():
            if facts.waits:
                turns[node] = max(turns.get(node, 0), self.of_answering(node))
            # A timer, or one invalid answer too many, leaves a sub-flow: such a turn goes on at the jump.
            before = self._weights[node] + heaviest
            for target in self._graph.abandoned(node):
                turns[node] = max(turns.get(node, 0), before + self.of_entering(target))
        return turns

    def of_entering(self, node: NodeRef) -> int:
        """The maximum length of a turn that enters this node first."""
        return self._whole[node]

    def of_answering(self, node: NodeRef) -> int:
        """The maximum length of a turn that starts with an answer to this node, or with its timer."""
        weight = self._weights[node]
        onward = [weight + (self._whole[target] if target is not None else 0) for target in self._targets(node)]
        ends = [
            weight + (self._to_end[target] or 0 if target is not None else 0)
            for target in self._targets(node)
            if target is None or self._to_end[target] is not None
        ]
        most = max(onward, default=0)
        if ends:
            most = max(most, max(ends) + self._returning_from(node))
        for target in self._graph.commanded(node, returns=True):
            to_end = self._to_end[target]
            again = to_end + self._again(node) if to_end is not None else 0
            most = max(most, weight + max(self._whole[target], again))
        return most

    def _again(self, node: NodeRef) -> int:
        """The maximum length of a turn from entering an interrupted node again."""
        to_end = self._to_end[node]
        return max(self._whole[node], to_end + self._after_sub_flow(node) if to_end is not None else 0)

    def _returning_from(self, node: NodeRef) -> int:
        """The maximum length of what follows in the same turn when the node's flow, or the path of a command, ends there."""
        again = [self._again(interrupted) for interrupted in self._back.get(node, ())]
        return max(self._after_sub_flow(node), *again) if again else self._after_sub_flow(node)

    def _after_sub_flow(self, node: NodeRef) -> int:
        """The maximum length of what follows in the same turn when the node's flow ends and returns."""
        entries = [entry for entry, inside in self._inside.items() if node in inside]
        most = 0
        for entry in entries:
            if entry not in self._after:
                self._after[entry] = max(self._after_jump(jump) for jump in self._levels[entry])
            most = max(most, self._after[entry])
        return most

    def _after_jump(self, jump: NodeRef) -> int:
        most = weight = self._weights[jump]
        for target in self._targets(jump):
            if target is None:
                most = max(most, weight + self._returning_from(jump))
                continue
            most = max(most, weight + self._whole[target])
            to_end = self._to_end[target]
            if to_end is not None:
                most = max(most, weight + to_end + self._returning_from(jump))
        return most

    def _targets(self, node: NodeRef) -> list[NodeRef | None]:
        facts = self._facts[node]
        edges = {edge.exit: edge for edge in facts.edges}
        found: list[NodeRef | None] = []
        for exit_ in facts.exits:
            if exit_ in facts.abandoned_exits:
                continue
            edge = edges.get(exit_) or (edges.get("next") if exit_ in facts.follows_next else None)
            if edge is not None and self._taken(node, exit_):
                found.append((node[0], edge.target) if edge.target else None)
        return list(dict.fromkeys((*found, *self._graph.commanded(node, returns=False))))

    def _measure(self, node: NodeRef) -> None:
        facts, weight = self._facts[node], self._weights[node]
        if facts.waits:
            passed = self._passed_to(node)
            ends = [self._to_end.get(target) for target in passed]
            ends += [0] if any(edge.exit in facts.passes and not edge.target for edge in facts.edges) else []
            self._whole[node] = weight + max((self._whole.get(target, 0) for target in passed), default=0)
            self._to_end[node] = max((weight + end for end in ends if end is not None), default=None)
            return
        before, ends_before = weight, True
        whole = weight
        if facts.jumps_to is not None:
            whole = weight + self._whole.get(facts.jumps_to, 0)
            inner = self._to_end.get(facts.jumps_to)
            ends_before = facts.returns and inner is not None
            before = 2 * weight + (inner or 0)
        to_end: int | None = None
        if ends_before:
            targets: list[NodeRef | None] = self._targets(node) or ([None] if facts.ends else [])
            for target in targets:
                whole = max(whole, before + (self._whole.get(target, 0) if target is not None else 0))
                rest = self._to_end.get(target) if target is not None else 0
                if rest is not None:
                    to_end = max(to_end or 0, before + rest)
        self._whole[node], self._to_end[node] = whole, to_end

    def _passed_to(self, node: NodeRef) -> list[NodeRef]:
        """Where a waiting node leads without waiting."""
        facts = self._facts[node]
        return [(node[0], edge.target) for edge in facts.edges if edge.target and edge.exit in facts.passes]

    def _silent_followers(self, node: NodeRef) -> list[NodeRef]:
        facts = self._facts[node]
        if facts.waits:
            return self._passed_to(node)
        onward = [target for target in self._targets(node) if target is not None]
        if facts.jumps_to is None:
            return onward
        return [facts.jumps_to, *onward] if facts.returns and facts.jumps_to in self._graph.silent else [facts.jumps_to]
