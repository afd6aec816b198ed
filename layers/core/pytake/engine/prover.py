"""The prover: what can be known about a flow before anybody talks to it."""

from collections.abc import Mapping
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
        problems += graph.endless()
    unique = list(dict.fromkeys(problems))
    return sorted(unique, key=lambda found: found.severity != "error")


class Graph:
    """The bundle as a graph: nodes of every document, the edges between them, jumps in and ends back."""

    def __init__(self, compilation: Compilation) -> None:
        self.facts = compilation.facts
        self.documents = compilation.documents
        self.root = compilation.documents[compilation.root]

    def following(self, place: Place, *, through_jumps: bool) -> list[Place]:
        """The nodes a path may be at after this one. A jump leads into its sub-flow, and past it when it returns."""
        facts = self.facts[place]
        found = [(place[0], edge.target) for edge in facts.edges if edge.target]
        if facts.jumps_to is not None and through_jumps:
            found.append(facts.jumps_to)
        return found

    def reached(self, start: Place) -> set[Place]:
        """Every node a path from `start` can come to."""
        seen, waiting = {start}, [start]
        while waiting:
            for place in self.following(waiting.pop(), through_jumps=True):
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

    def endless(self) -> list[Problem]:
        """Loops in which nothing waits for the person (within one document), and sub-flows that enter one another so."""
        found: list[Problem] = []
        for members in _loops([p for p in self.facts if not self._stops(p)], self._without_wait):
            flows = {flow_id for flow_id, _ in members}
            flow_id, node_id = members[0]
            names = " → ".join(node for _, node in members)
            if len(flows) > 1 or any(self._jumps_inside(place, members) for place in members):
                message = f"These enter one another for ever without waiting for an answer: {names}. Break the circle."
                found.append(problem("jump_cycle", message, flow_id=flow_id, node_id=node_id))
            else:
                message = (
                    f"These nodes go round without waiting for an answer: {names}. Add a question, or leave the loop."
                )
                found.append(problem("loop_without_wait", message, flow_id=flow_id, node_id=node_id))
        return found

    def _stops(self, place: Place) -> bool:
        return self.facts[place].waits

    def _without_wait(self, place: Place) -> list[Place]:
        return [p for p in self.following(place, through_jumps=True) if not self._stops(p)]

    def _jumps_inside(self, place: Place, members: list[Place]) -> bool:
        facts: NodeFacts = self.facts[place]
        return facts.jumps_to is not None and facts.jumps_to in members


def _loops(places: list[Place], following: Any) -> list[list[Place]]:
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
