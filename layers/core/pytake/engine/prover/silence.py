"""Questions that a path reaches before anything was said in the turn."""

from collections.abc import Iterator

from pytake.engine.problems import Problem, problem
from pytake.engine.prover.graph import Graph, NodeRef


def silent_questions(graph: Graph) -> Iterator[Problem]:
    """Questions without a text of their own that can be asked when nothing was said: the person would not know what to answer."""
    for node in sorted(_entered_silently(graph), key=list(graph.facts).index):
        if graph.facts[node].silent_question:
            message = (
                "A path leads here on which nothing is said before, so the person would not know what is asked. Enter a "
                "`question`, or send a message before."
            )
            yield problem("nothing_said", message, flow_id=node[0], node_id=node[1], field="question")


def _entered_silently(graph: Graph) -> set[NodeRef]:
    """The nodes that a turn can enter before it has said anything.

    After an answer nothing has been said yet. A sub-flow returns silently if a silent path, or an answer, leads to its end.
    """
    silent: set[NodeRef] = set()
    start = graph.root.id, graph.root.start_node_id
    waiting = [] if start in graph.facts and graph.facts[start].opened_by_template else [start]
    waiting += [target for node in graph.facts if graph.facts[node].waits for target in _targets(graph, node)]
    waiting += [target for node in graph.facts for target in graph.commanded(node)]
    while waiting:
        while waiting:
            node = waiting.pop()
            if node in silent:
                continue
            silent.add(node)
            facts = graph.facts[node]
            if facts.jumps_to is not None:
                waiting.append(facts.jumps_to)
            elif facts.passes if facts.waits else not facts.says:
                waiting += _targets(graph, node)
        for node, facts in graph.facts.items():
            if facts.jumps_to is not None and facts.returns and _returns_silently(graph, facts.jumps_to, silent):
                waiting += [target for target in _targets(graph, node) if target not in silent]
        waiting += [
            node
            for node in graph.interrupted
            if node not in silent
            and any(_returns_silently(graph, entry, silent) for entry in graph.commanded(node, returns=True))
        ]
    return silent


def _returns_silently(graph: Graph, entry: NodeRef, silent: set[NodeRef]) -> bool:
    inside = [node for node in graph.local(entry) if graph.facts[node].ends]
    return any(graph.facts[node].waits or (node in silent and not graph.facts[node].says) for node in inside)


def _targets(graph: Graph, node: NodeRef) -> list[NodeRef]:
    return [(node[0], edge.target) for edge in graph.facts[node].edges if edge.target]
