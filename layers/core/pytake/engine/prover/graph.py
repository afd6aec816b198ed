"""The ways between nodes and flows: what can be reached, what goes round, what comes to an end."""

from collections.abc import Callable
from typing import Any

from pytake.engine.compiler import Compilation
from pytake.engine.facts import Constant, NodeFacts
from pytake.engine.filters import FILTERS
from pytake.engine.limits import STACK_DEPTH
from pytake.engine.problems import Problem, problem
from pytake.engine.template import Expression, parse_template

NodeRef = tuple[str, str]  # flow and node
_SHORTENING = tuple(FILTERS[name].apply for name in ("truncate", "length", "first", "last", "first_name"))


class Graph:
    """The bundle as a graph: nodes of every document, the edges between them, jumps in and ends back."""

    def __init__(self, compilation: Compilation) -> None:
        self.facts = compilation.facts
        self.documents = compilation.documents
        self.root = compilation.documents[compilation.root]
        self._cycling: set[NodeRef] = set()  # jumps of jump cycles
        self._backwards = successors_first(list(self.facts), self.following)
        self._finishing = self._fixpoint(self._finishes)  # from here the flow may end (or return)
        self.silent = self._fixpoint(self._ends_silently)  # from here the flow may end in the same turn

    def following(self, place: NodeRef) -> list[NodeRef]:
        """The nodes a path may be at after this one. A jump leads into its sub-flow, and past it when it returns."""
        facts = self.facts[place]
        found = [(place[0], edge.target) for edge in facts.edges if edge.target]
        return found if facts.jumps_to is None else [*found, facts.jumps_to]

    def reached(self, start: NodeRef) -> set[NodeRef]:
        """Every node a path from `start` can come to."""
        seen, waiting = {start}, [start]
        while waiting:
            for place in self.following(waiting.pop()):
                if place not in seen:
                    seen.add(place)
                    waiting.append(place)
        return seen

    def unreachable(self) -> list[Problem]:
        """Nodes no path comes to: from the root's start, and in a sub-flow from wherever jumps enter it or its own start."""
        seen = self.reached((self.root.id, self.root.start_node_id))
        for document in self.documents.values():
            seen |= self.reached((document.id, document.start_node_id))
        message = "No path leads here. Lead one here, or take the node out."
        return [
            problem("unreachable_node", message, flow_id=flow_id, node_id=node_id)
            for flow_id, node_id in self.facts
            if (flow_id, node_id) not in seen
        ]

    def jump_cycles(self) -> list[Problem]:
        """Sub-flows that enter one another without ever returning. Each lap leaves a flow waiting for its return, so that
        the stack limit ends the conversation even when they wait for the person in between."""
        found = []
        for members in _loops(list(self.facts), self._without_leaving):
            entries = [place for place in members if self._enters(place) and self.facts[place].jumps_to in members]
            if entries:
                self._cycling.update(entries)
                flow_id, node_id = entries[0]
                message = (
                    f"These jumps enter one another and never return: {_names(entries)}. Set `return_to_parent` to false "
                    "on one of them, or let a sub-flow end instead of jumping back."
                )
                found.append(problem("jump_cycle", message, flow_id=flow_id, node_id=node_id, field="target_flow_id"))
        return found

    def endless(self) -> list[Problem]:
        """Loops in which nothing waits for the person, and which are no jump cycles."""
        found = []
        for members in _loops([place for place in self.facts if not self.facts[place].waits], self._without_waiting):
            if self._cycling.intersection(members):
                continue
            flow_id, node_id = members[0]
            code = "loop_without_wait"
            message = (
                f"These go round without waiting for an answer: {_names(members)}. Add a question, or leave the loop."
            )
            if not self._is_left(members):
                code = "no_way_out"
                message = (
                    f"These go round for ever: {_names(members)}. Nothing waits for the person, and no path leads out. Add a "
                    "question, or a way to an end."
                )
            found.append(problem(code, message, flow_id=flow_id, node_id=node_id))
        return found

    def without_end(self) -> list[Problem]:
        """Waiting nodes from which no conversation comes to an end, and jumps whose sub-flow never returns."""
        finishing = self._finishing
        stopping = self._fixpoint(lambda place, facts, known: self._stops(place, facts, known, finishing))
        found = []
        for place, facts in self.facts.items():
            next_edge = next((edge for edge in facts.edges if edge.exit == "next" and edge.target), None)
            if self._enters(place) and next_edge is not None and facts.jumps_to not in finishing:
                message = "The sub-flow never ends, so nothing comes back here. Let it end, or take `next_node_id` out."
                found.append(
                    problem("never_returns", message, flow_id=place[0], node_id=place[1], field="next_node_id")
                )
        trapped = [place for place in self.facts if place not in finishing and place not in stopping]
        for members in _loops(trapped, self.following):
            inside = set(members)
            waiting = [place for place in self.facts if place in inside and self.facts[place].waits]
            if waiting and all(p in inside for place in members for p in self.following(place)):
                flow_id, node_id = waiting[0]
                message = (
                    f"From here on the conversation goes round for ever: {_names(members)}. It only ever ends by being "
                    "forgotten. Add a way to an `end` or a `handoff`."
                )
                found.append(problem("no_end_reachable", message, flow_id=flow_id, node_id=node_id))
        return found

    def too_deep(self) -> list[Problem]:
        """Jumps into jumps into jumps, more than may wait for one another. Needs a bundle without jump cycles."""
        taking_over = [facts.jumps_to for facts in self.facts.values() if facts.jumps_to and not facts.returns]
        entries = {(self.root.id, self.root.start_node_id), *taking_over}
        jumps: list[NodeRef] = []
        for _ in range(STACK_DEPTH + 1):
            inside = set().union(*map(self.local, entries))
            jumps = [place for place in self.facts if place in inside and self._enters(place)]
            entries = {target for jump in jumps if (target := self.facts[jump].jumps_to)}
            if not entries:
                return []
        message = (
            f"More than {STACK_DEPTH} sub-flows would wait for one another here. Set `return_to_parent` to false where "
            "nothing has to come back, or jump less deep."
        )
        return [
            problem("jumps_too_deep", message, flow_id=flow_id, node_id=node_id, field="target_flow_id")
            for flow_id, node_id in jumps
        ]

    def growing(self) -> list[Problem]:
        """Variables that are written at least twice into their own next value, in a loop that never sets them back."""
        found = []
        for place, facts in self.facts.items():
            for write in facts.writes:
                twice = isinstance(write.source, Constant) and _mentions(write.source.value, write.variable) > 1
                if twice and self._comes_back(place, write.variable):
                    message = (
                        f"`{write.variable}` at least doubles whenever a conversation comes here again, until it is too "
                        "large to be kept. Write it only once into its own value, or set it back in the loop."
                    )
                    found.append(problem("growing_value", message, flow_id=place[0], node_id=place[1]))
        return found

    def _comes_back(self, start: NodeRef, variable: str) -> bool:
        """Whether a path leads back to the node without any other node setting the variable anew."""
        seen: set[NodeRef] = set()
        waiting = self.following(start)
        while waiting:
            place = waiting.pop()
            if place == start:
                return True
            if place not in seen:
                seen.add(place)
                if all(write.variable != variable for write in self.facts[place].writes):
                    waiting += self.following(place)
        return False

    def local(self, entry: NodeRef) -> set[NodeRef]:
        """The nodes of a flow that a path from here comes to without entering sub-flows."""
        seen, waiting = {entry}, [entry]
        while waiting:
            place = waiting.pop()
            for edge in self.facts[place].edges:
                target = (place[0], edge.target or "")
                if edge.target and target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return seen

    def _onward(self, place: NodeRef) -> list[NodeRef]:
        """The nodes a path may come to, and not past a sub-flow that never ends."""
        facts = self.facts[place]
        if facts.jumps_to is not None and facts.jumps_to not in self._finishing:
            return [facts.jumps_to]
        return self.following(place)

    def _is_left(self, members: list[NodeRef]) -> bool:
        inside = set(members)
        return any(
            self.facts[place].ends
            or self.facts[place].stops
            or self.facts[place].waits
            or any(p not in inside for p in self._onward(place))
            for place in members
        )

    def _fixpoint(self, holds: Callable[[NodeRef, NodeFacts, set[NodeRef]], bool]) -> set[NodeRef]:
        """The nodes of which something holds because it holds of nodes after them."""
        found: set[NodeRef] = set()
        while True:
            before = len(found)
            for place in self._backwards:
                if place not in found and holds(place, self.facts[place], found):
                    found.add(place)
            if len(found) == before:
                return found

    def _enters(self, place: NodeRef) -> bool:
        """Whether the node is a jump that waits for its sub-flow to return."""
        facts = self.facts[place]
        return facts.jumps_to is not None and facts.returns

    def _without_leaving(self, place: NodeRef) -> list[NodeRef]:
        facts = self.facts[place]
        return [p for p in self.following(place) if p != facts.jumps_to or facts.returns]

    def _without_waiting(self, place: NodeRef) -> list[NodeRef]:
        """The nodes that may follow in the same turn. Past a jump only if its sub-flow may end without waiting."""
        facts = self.facts[place]
        followers = self.following(place)
        if facts.jumps_to is not None and facts.returns and facts.jumps_to not in self.silent:
            followers = [facts.jumps_to]
        return [p for p in followers if not self.facts[p].waits]

    def _ends_silently(self, place: NodeRef, facts: NodeFacts, silent: set[NodeRef]) -> bool:
        """Whether the flow may end in the same turn, sub-flows on the way included."""
        return not facts.waits and self._finishes(place, facts, silent)

    def _finishes(self, place: NodeRef, facts: NodeFacts, finishing: set[NodeRef]) -> bool:
        """Whether the flow may come to its end (or return)."""
        if facts.jumps_to is not None and (not facts.returns or facts.jumps_to not in finishing):
            return False
        return facts.ends or any((place[0], edge.target) in finishing for edge in facts.edges if edge.target)

    def _stops(self, place: NodeRef, facts: NodeFacts, stopping: set[NodeRef], finishing: set[NodeRef]) -> bool:
        """Whether the whole conversation may end, whatever waits for a return."""
        if facts.stops:
            return True
        if facts.jumps_to is not None:
            if facts.jumps_to in stopping or (not facts.returns and facts.jumps_to in finishing):
                return True
            if not facts.returns or facts.jumps_to not in finishing:
                return False
        return any((place[0], edge.target) in stopping for edge in facts.edges if edge.target)


def successors_first(places: list[NodeRef], following: Callable[[NodeRef], list[NodeRef]]) -> list[NodeRef]:
    """The places, each after all that follow it as far as loops allow."""
    finished: list[NodeRef] = []
    seen: set[NodeRef] = set()
    for first in places:
        if first in seen:
            continue
        seen.add(first)
        work = [(first, iter(following(first)))]
        while work:
            place, successors = work[-1]
            for successor in successors:
                if successor not in seen:
                    seen.add(successor)
                    work.append((successor, iter(following(successor))))
                    break
            else:
                finished.append(place)
                work.pop()
    return finished


def _mentions(value: Any, variable: str) -> int:
    """How often a value holds the whole of a variable."""
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


def _names(places: list[NodeRef]) -> str:
    flows = {flow_id for flow_id, _ in places}
    return " → ".join(node_id if len(flows) == 1 else f"{flow_id}/{node_id}" for flow_id, node_id in places)


def _loops(places: list[NodeRef], following: Callable[[NodeRef], list[NodeRef]]) -> list[list[NodeRef]]:
    """The strongly connected groups that form a loop (Tarjan, without recursion)."""
    index: dict[NodeRef, int] = {}
    low: dict[NodeRef, int] = {}
    stack: list[NodeRef] = []
    on_stack: set[NodeRef] = set()
    loops: list[list[NodeRef]] = []
    for start in places:
        if start in index:
            continue
        work = [(start, iter(following(start)))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            place, successors = work[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    work.append((successor, iter(following(successor))))
                    break
                if successor in on_stack:
                    low[place] = min(low[place], index[successor])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[place])
                if low[place] == index[place]:
                    members: list[NodeRef] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        members.append(member)
                        if member == place:
                            break
                    members.reverse()
                    if len(members) > 1 or place in following(place):
                        loops.append(members)
    return loops
