"""The prover: what can be known about a flow before anybody talks to it."""

from collections.abc import Callable, Mapping
from typing import Any

from pytake.engine.compiling import Compilation, NodeFacts
from pytake.engine.document import FlowDocument
from pytake.engine.problems import Problem, problem

Place = tuple[str, str]  # flow and node


def validate(documents: Mapping[str, bytes | str | Mapping[str, Any] | FlowDocument], root: str) -> list[Problem]:
    """Everything wrong with the flow `root` and the documents its jumps reach, the errors first. Never raises.

    `documents` holds parsed documents, decoded JSON or JSON, by flow id.
    """
    compilation = Compilation(documents, root)
    problems = list(compilation.problems)
    if not any(found.fatal for found in problems):
        graph = Graph(compilation)
        problems += graph.unreachable()
        problems += graph.jump_cycles()
        problems += graph.endless()
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda found: found.severity != "error")


class Graph:
    """The bundle as a graph: nodes of every document, the edges between them, jumps in and ends back."""

    def __init__(self, compilation: Compilation) -> None:
        self.facts = compilation.facts
        self.documents = compilation.documents
        self.root = compilation.documents[compilation.root]
        self._silent: set[Place] = set()

    def following(self, place: Place) -> list[Place]:
        """The nodes a path may be at after this one. A jump leads into its sub-flow, and past it when it returns."""
        facts = self.facts[place]
        found = [(place[0], edge.target) for edge in facts.edges if edge.target]
        return found if facts.jumps_to is None else [*found, facts.jumps_to]

    def reached(self, start: Place) -> set[Place]:
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
        self._silent = self._silent_to_the_end()
        for members in _loops([place for place in self.facts if not self.facts[place].waits], self._without_waiting):
            flow_id, node_id = members[0]
            message = (
                f"These go round without waiting for an answer: {_names(members)}. Add a question, or leave the loop."
            )
            found.append(problem("loop_without_wait", message, flow_id=flow_id, node_id=node_id))
        return found

    def _enters(self, place: Place) -> bool:
        """Whether the node is a jump that waits for its sub-flow to return."""
        facts = self.facts[place]
        return facts.jumps_to is not None and facts.returns

    def _without_leaving(self, place: Place) -> list[Place]:
        facts = self.facts[place]
        return [p for p in self.following(place) if p != facts.jumps_to or facts.returns]

    def _without_waiting(self, place: Place) -> list[Place]:
        """The nodes that may follow in the same turn. Past a jump only if its sub-flow may end without waiting."""
        facts = self.facts[place]
        if self._enters(place):
            followers = (
                [p for p in self.following(place) if p != facts.jumps_to] if facts.jumps_to in self._silent else []
            )
        else:
            followers = self.following(place)
        return [p for p in followers if not self.facts[p].waits]

    def _silent_to_the_end(self) -> set[Place]:
        """The nodes from which the flow may end in the same turn, sub-flows on the way included."""
        silent: set[Place] = set()
        while True:
            more = {
                place for place, facts in self.facts.items() if place not in silent and self._ends(place, facts, silent)
            }
            if not more:
                return silent
            silent |= more

    def _ends(self, place: Place, facts: NodeFacts, silent: set[Place]) -> bool:
        if facts.waits or (facts.jumps_to is not None and (not facts.returns or facts.jumps_to not in silent)):
            return False
        return facts.ends or any((place[0], edge.target) in silent for edge in facts.edges if edge.target)


def _names(places: list[Place]) -> str:
    flows = {flow_id for flow_id, _ in places}
    return " → ".join(node_id if len(flows) == 1 else f"{flow_id}/{node_id}" for flow_id, node_id in places)


def _loops(places: list[Place], following: Callable[[Place], list[Place]]) -> list[list[Place]]:
    """The strongly connected groups that form a loop (Tarjan, without recursion)."""
    index: dict[Place, int] = {}
    low: dict[Place, int] = {}
    stack: list[Place] = []
    on_stack: set[Place] = set()
    loops: list[list[Place]] = []
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
                    members: list[Place] = []
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
