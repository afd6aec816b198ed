"""The graph of a bundle: which nodes are reachable, which form loops, and which lead to an end."""

from collections.abc import Callable
from typing import Any

from pytake.engine.compiler import Compilation
from pytake.engine.facts import Appended, Constant, NodeFacts, Write
from pytake.engine.filters import FILTERS
from pytake.engine.limits import STACK_DEPTH
from pytake.engine.problems import Problem, problem
from pytake.engine.template import Expression, parse_template

NodeRef = tuple[str, str]  # flow and node
_SHORTENING_NAMES = (
    "truncate",
    "length",
    "first",
    "last",
    "first_name",
    "word",
    "item",
    "sum",
    "min",
    "max",
    "abs",
    "date",
)
_SHORTENING = tuple(FILTERS[name].apply for name in _SHORTENING_NAMES)


class Graph:
    """The bundle as a graph: the nodes of every document, the edges between them, jumps and returns."""

    def __init__(self, compilation: Compilation) -> None:
        self.facts = compilation.facts
        self.documents = compilation.documents
        self.root = compilation.documents[compilation.root]
        self.interrupted = [node for node, facts in self.facts.items() if any(i.returns for i in facts.interrupts)]
        self._cycling: set[NodeRef] = set()  # jumps that are part of a jump cycle
        self._backwards = successors_first(list(self.facts), self.following)
        self._finishing = self._fixpoint(self._finishes)  # the flow can end (or return) from here
        self.silent = self._fixpoint(self._ends_silently)  # the flow can end from here in the same turn

    def following(self, node: NodeRef) -> list[NodeRef]:
        """The nodes that can follow this one. A jump leads into its sub-flow, and to its own targets when it returns."""
        facts = self.facts[node]
        found = [(node[0], edge.target) for edge in facts.edges if edge.target]
        found += self.commanded(node)
        return found if facts.jumps_to is None else [*found, facts.jumps_to]

    def commanded(self, node: NodeRef, *, returns: bool | None = None) -> list[NodeRef]:
        """Where the flow's commands lead from a waiting node: all of them, or those that return, or those that do not."""
        interrupts = self.facts[node].interrupts
        return [(node[0], one.target) for one in interrupts if returns is None or one.returns is returns]

    def returning_to(self, node: NodeRef) -> list[NodeRef]:
        """The interrupted nodes that are entered again when the flow ends behind this node."""
        return [
            waiting
            for waiting in self.interrupted
            if waiting[0] == node[0] and any(node in self.local(one) for one in self.commanded(waiting, returns=True))
        ]

    def reached(self, start: NodeRef) -> set[NodeRef]:
        """Every node that a path from `start` can reach."""
        seen, waiting = {start}, [start]
        while waiting:
            for node in self.following(waiting.pop()):
                if node not in seen:
                    seen.add(node)
                    waiting.append(node)
        return seen

    def unreachable(self) -> list[Problem]:
        """Nodes that no path reaches: from the root's start, from a jump into a sub-flow, or from the sub-flow's own start."""
        seen = self.reached((self.root.id, self.root.start_node_id))
        for document in self.documents.values():
            seen |= self.reached((document.id, document.start_node_id))
        message = "No path leads here. Connect the node, or remove it."
        return [
            problem("unreachable_node", message, flow_id=flow_id, node_id=node_id)
            for flow_id, node_id in self.facts
            if (flow_id, node_id) not in seen
        ]

    def jump_cycles(self) -> list[Problem]:
        """Sub-flows that enter one another without ever returning.

        Each pass leaves one more flow waiting for a return, so the stack limit ends the conversation even if the flows wait
        for the person in between.
        """
        found = []
        for members in _loops(list(self.facts), self._without_leaving):
            entries = [node for node in members if self._enters(node) and self.facts[node].jumps_to in members]
            if entries:
                self._cycling.update(entries)
                flow_id, node_id = entries[0]
                message = (
                    f"These jumps enter one another and never return: {_names(entries)}. Set `return_to_parent` to false "
                    "on one of them, or end a sub-flow instead of jumping back."
                )
                found.append(problem("jump_cycle", message, flow_id=flow_id, node_id=node_id, field="target_flow_id"))
        return found

    def endless(self) -> list[Problem]:
        """Loops in which nothing waits for the person, except jump cycles."""
        found = []
        for members in _loops([node for node in self.facts if not self._always_waits(node)], self._without_waiting):
            if self._cycling.intersection(members):
                continue
            flow_id, node_id = members[0]
            code = "loop_without_wait"
            message = f"These nodes form a loop that never waits for an answer: {_names(members)}. Add a question to the loop."
            if not self._is_left(members):
                code = "no_way_out"
                message = (
                    f"These nodes form an endless loop: {_names(members)}. Nothing waits for the person, and no path leads "
                    "out. Add a question, or a path to an end."
                )
            found.append(problem(code, message, flow_id=flow_id, node_id=node_id))
        return found

    def without_end(self) -> list[Problem]:
        """Waiting nodes from which no path reaches an end, and jumps whose sub-flow never returns."""
        finishing = self._finishing
        stopping = self._fixpoint(lambda node, facts, known: self._stops(node, facts, known, finishing))
        found = []
        for node, facts in self.facts.items():
            next_edge = next((edge for edge in facts.edges if edge.exit == "next" and edge.target), None)
            if self._enters(node) and next_edge is not None and facts.jumps_to not in finishing:
                message = "The sub-flow never ends, so it never returns here. Let it end, or remove `next_node_id`."
                found.append(problem("never_returns", message, flow_id=node[0], node_id=node[1], field="next_node_id"))
        left = [facts.jumps_to for facts in self.facts.values() if facts.jumps_to and facts.abandoned_exits]
        freed = set().union(*map(self.reached, left))  # a jump around them ends them
        trapped = [node for node in self.facts if node not in finishing and node not in stopping and node not in freed]
        for members in _loops(trapped, self.following):
            inside = set(members)
            waiting = [node for node in self.facts if node in inside and self.facts[node].waits]
            if waiting and all(p in inside for node in members for p in self.following(node)):
                flow_id, node_id = waiting[0]
                message = (
                    f"From here the conversation never leaves these nodes: {_names(members)}. It ends only when the session "
                    "expires. Add a path to an `end` or a `handoff`."
                )
                found.append(problem("no_end_reachable", message, flow_id=flow_id, node_id=node_id))
        return found

    def too_deep(self) -> list[Problem]:
        """Jumps that nest more sub-flows than allowed. Requires a bundle without jump cycles."""
        # A command that returns needs a place of its own in each of the flows that wait.
        limit = STACK_DEPTH // 2 if self.interrupted else STACK_DEPTH
        taking_over = [facts.jumps_to for facts in self.facts.values() if facts.jumps_to and not facts.returns]
        entries = {(self.root.id, self.root.start_node_id), *taking_over}
        jumps: list[NodeRef] = []
        for _ in range(limit + 1):
            inside = set().union(*map(self.local, entries))
            commanded = [target for node in inside for target in self.commanded(node, returns=True)]
            inside = inside.union(*map(self.local, commanded))
            jumps = [node for node in self.facts if node in inside and self._enters(node)]
            entries = {target for jump in jumps if (target := self.facts[jump].jumps_to)}
            if not entries:
                return []
        message = (
            f"More than {limit} nested sub-flows would wait for their return here. Set `return_to_parent` to false where "
            "no return is needed, or nest fewer flows."
        )
        return [
            problem("jumps_too_deep", message, flow_id=flow_id, node_id=node_id, field="target_flow_id")
            for flow_id, node_id in jumps
        ]

    def growing(self) -> list[Problem]:
        """Variables whose next value contains the current value at least twice, in a loop that never resets them."""
        found = []
        for node, facts in self.facts.items():
            for write in facts.writes:
                if _copies(write) > 1 and self._is_revisited(node, write.variable):
                    message = (
                        f"`{write.variable}` at least doubles each time a conversation passes this node, until it is too large "
                        "to be stored. Use it only once in its own value, or reset it in the loop."
                    )
                    found.append(problem("growing_value", message, flow_id=node[0], node_id=node[1]))
        return found

    def _is_revisited(self, start: NodeRef, variable: str) -> bool:
        """Whether a path leads back to the node without another node that sets the variable."""
        seen: set[NodeRef] = set()
        waiting = [start]
        while waiting:
            for node in self._next(waiting.pop()):
                if node == start:
                    return True
                if node not in seen:
                    seen.add(node)
                    if all(write.variable != variable for write in self.facts[node].writes):
                        waiting.append(node)
        return False

    def _next(self, node: NodeRef) -> list[NodeRef]:
        """The nodes that can follow, also when the path of a command ends here."""
        return self.following(node) + (self.returning_to(node) if self.facts[node].ends else [])

    def local(self, entry: NodeRef) -> set[NodeRef]:
        """The nodes of a flow that a path from here can reach without entering sub-flows."""
        seen, waiting = {entry}, [entry]
        while waiting:
            node = waiting.pop()
            edges = [(node[0], edge.target) for edge in self.facts[node].edges if edge.target]
            for target in (*edges, *self.commanded(node, returns=False)):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def _onward(self, node: NodeRef) -> list[NodeRef]:
        """The nodes that can follow; a jump does not lead past a sub-flow that never ends."""
        facts = self.facts[node]
        if facts.jumps_to is not None and facts.jumps_to not in self._finishing:
            return [facts.jumps_to, *self.abandoned(node)]
        return self.following(node)

    def abandoned(self, node: NodeRef) -> list[NodeRef]:
        """The nodes that follow a jump whose sub-flow a person leaves unfinished. They follow in a turn of their own."""
        facts = self.facts[node]
        exits = [exit_ for exit_ in facts.abandoned_exits if exit_ not in facts.follows_next]
        exits += ["next"] if len(exits) < len(facts.abandoned_exits) else []
        return [(node[0], edge.target) for edge in facts.edges if edge.exit in exits and edge.target]

    def _is_left(self, members: list[NodeRef]) -> bool:
        inside = set(members)
        return any(
            self.facts[node].ends
            or self.facts[node].stops
            or self._always_waits(node)
            or any(p not in inside for p in self._onward(node))
            for node in members
        )

    def _fixpoint(self, holds: Callable[[NodeRef, NodeFacts, set[NodeRef]], bool]) -> set[NodeRef]:
        """The nodes for which a property holds that follows from the nodes after them."""
        found: set[NodeRef] = set()
        while True:
            before = len(found)
            for node in self._backwards:
                if node not in found and holds(node, self.facts[node], found):
                    found.add(node)
            if len(found) == before:
                return found

    def _enters(self, node: NodeRef) -> bool:
        """Whether the node is a jump whose sub-flow returns."""
        facts = self.facts[node]
        return facts.jumps_to is not None and facts.returns

    def _without_leaving(self, node: NodeRef) -> list[NodeRef]:
        facts = self.facts[node]
        return [p for p in self.following(node) if p != facts.jumps_to or facts.returns]

    def _without_waiting(self, node: NodeRef) -> list[NodeRef]:
        """The nodes that can follow in the same turn. A jump leads past its sub-flow only if that can end without waiting."""
        facts = self.facts[node]
        followers = self.following(node)
        if facts.abandoned_exits:
            own = [(node[0], edge.target) for edge in facts.edges if edge.exit == "next" and edge.target]
            followers = own if facts.jumps_to is None else [*own, facts.jumps_to]
        if facts.jumps_to is not None and facts.returns and facts.jumps_to not in self.silent:
            followers = [facts.jumps_to]
        if facts.waits:
            followers = [(node[0], edge.target) for edge in facts.edges if edge.target and edge.exit in facts.passes]
        return [p for p in followers if not self._always_waits(p)]

    def _always_waits(self, node: NodeRef) -> bool:
        return self.facts[node].waits and not self.facts[node].passes

    def _ends_silently(self, node: NodeRef, facts: NodeFacts, silent: set[NodeRef]) -> bool:
        """Whether the flow can end in the same turn, including sub-flows on the way."""
        return not self._always_waits(node) and self._finishes(node, facts, silent)

    def _finishes(self, node: NodeRef, facts: NodeFacts, finishing: set[NodeRef]) -> bool:
        """Whether the flow can end (or return)."""
        if facts.jumps_to is not None and (not facts.returns or facts.jumps_to not in finishing):
            if not facts.abandoned_exits:
                return False
            return any(target in finishing for target in self.abandoned(node)) or _abandons_to_end(facts)
        targets = [(node[0], edge.target) for edge in facts.edges if edge.target]
        targets += self.commanded(node, returns=False)
        return facts.ends or any(target in finishing for target in targets)

    def _stops(self, node: NodeRef, facts: NodeFacts, stopping: set[NodeRef], finishing: set[NodeRef]) -> bool:
        """Whether the whole conversation can end, even inside sub-flows."""
        if facts.stops:
            return True
        if facts.jumps_to is not None:
            if facts.jumps_to in stopping or (not facts.returns and facts.jumps_to in finishing):
                return True
            if not facts.returns or facts.jumps_to not in finishing:
                return any(target in stopping for target in self.abandoned(node))
        targets = [(node[0], edge.target) for edge in facts.edges if edge.target]
        return any(target in stopping for target in (*targets, *self.commanded(node)))


def _abandons_to_end(facts: NodeFacts) -> bool:
    """Whether the flow of a jump ends when its sub-flow is abandoned."""
    targets = {edge.exit: edge.target for edge in facts.edges}
    return any(targets.get("next" if exit_ in facts.follows_next else exit_) is None for exit_ in facts.abandoned_exits)


def successors_first(nodes: list[NodeRef], following: Callable[[NodeRef], list[NodeRef]]) -> list[NodeRef]:
    """The nodes in an order in which, except in loops, each comes after those that follow it."""
    finished: list[NodeRef] = []
    seen: set[NodeRef] = set()
    for first in nodes:
        if first in seen:
            continue
        seen.add(first)
        work = [(first, iter(following(first)))]
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in seen:
                    seen.add(successor)
                    work.append((successor, iter(following(successor))))
                    break
            else:
                finished.append(node)
                work.pop()
    return finished


def _copies(write: Write) -> int:
    """How often the next value of a variable contains its current value."""
    match write.source:
        case Constant():
            return _mentions(write.source.value, write.variable)
        case Appended():
            return 1 + _mentions(write.source.value, write.variable)
    return 0


def _mentions(value: Any, variable: str) -> int:
    """How often a value contains the complete value of a variable."""
    if isinstance(value, str):
        parts = parse_template(value) if "{{" in value else []
        return sum(
            isinstance(part, Expression)
            and part.path == (variable,)
            and not any(f in _SHORTENING for f, _ in part.filters)
            for part in parts
        )
    if isinstance(value, list):
        return sum(_mentions(item, variable) for item in value)
    return sum(_mentions(item, variable) for item in value.values()) if isinstance(value, dict) else 0


def _names(nodes: list[NodeRef]) -> str:
    flows = {flow_id for flow_id, _ in nodes}
    return " → ".join(node_id if len(flows) == 1 else f"{flow_id}/{node_id}" for flow_id, node_id in nodes)


def _loops(nodes: list[NodeRef], following: Callable[[NodeRef], list[NodeRef]]) -> list[list[NodeRef]]:
    """The strongly connected components that are loops (Tarjan's algorithm without recursion)."""
    index: dict[NodeRef, int] = {}
    low: dict[NodeRef, int] = {}
    stack: list[NodeRef] = []
    on_stack: set[NodeRef] = set()
    loops: list[list[NodeRef]] = []
    for start in nodes:
        if start in index:
            continue
        work = [(start, iter(following(start)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(following(successor))))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members: list[NodeRef] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == node:
                            break
                    members.reverse()
                    if len(members) > 1 or node in following(node):
                        loops.append(members)
    return loops
