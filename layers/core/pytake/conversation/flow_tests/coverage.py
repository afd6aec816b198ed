"""The nodes and exits of a flow that conversations covered."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from pytake.engine import Step
from pytake.engine.compiler import Compilation

Exit = tuple[str, str, str]
"""Flow, node, exit."""


class FlowCoverage(Struct, frozen=True):
    """The coverage of one flow. `missing` lists the exits that were not taken, as `node: exit`."""

    flow_id: str
    nodes: int
    nodes_covered: int
    exits: int
    exits_covered: int
    missing: list[str]


class Coverage:
    """The part of a bundle that the steps of any number of conversations cover.

    Every exit that a node's data allows counts, including those for rejected answers (`invalid`, `stale`). `wait` does not count,
    and `end` and `return` count as the same exit.
    """

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], root: str) -> None:
        facts = Compilation(documents, root).facts
        self._exits: dict[tuple[str, str], list[str]] = {
            node: list(dict.fromkeys(_same(exit_) for exit_ in found.exits if exit_ != "wait"))
            for node, found in facts.items()
        }
        self._visited: set[tuple[str, str]] = set()
        self._taken: set[Exit] = set()

    @property
    def all_exits(self) -> set[Exit]:
        """Every exit that can be covered."""
        return {(flow_id, node_id, exit_) for (flow_id, node_id), exits in self._exits.items() for exit_ in exits}

    @property
    def taken(self) -> set[Exit]:
        """The exits that were taken."""
        return self._taken & self.all_exits

    def add(self, steps: Iterable[Step]) -> None:
        """Add these steps."""
        for step in steps:
            self._visited.add((step.flow_id, step.node_id))
            self._taken.add(exit_of(step))

    def merge(self, other: "Coverage") -> None:
        """Add what another coverage contains, which may be of another bundle."""
        self._exits = {**other._exits, **self._exits}
        self._visited |= other._visited
        self._taken |= other._taken

    def flows(self) -> list[FlowCoverage]:
        """The coverage of each flow."""
        flows = dict.fromkeys(flow_id for flow_id, _ in self._exits)
        return [self._flow(flow_id) for flow_id in flows]

    def _flow(self, flow_id: str) -> FlowCoverage:
        nodes = [node for node in self._exits if node[0] == flow_id]
        exits = [(*node, exit_) for node in nodes for exit_ in self._exits[node]]
        missing = [f"{node_id}: {exit_}" for _, node_id, exit_ in exits if (flow_id, node_id, exit_) not in self._taken]
        visited = len(self._visited.intersection(nodes))
        return FlowCoverage(flow_id, len(nodes), visited, len(exits), len(exits) - len(missing), missing)


def exit_of(step: Step) -> Exit:
    """The exit of a step, in the form in which it is counted."""
    return step.flow_id, step.node_id, _same(step.exit)


def _same(exit_: str) -> str:
    return "end" if exit_ == "return" else exit_
