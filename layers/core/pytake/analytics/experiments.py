"""The paths of a flow's `random` nodes as experiments. docs/experiments.md explains each value."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pytake.analytics.reports import Days, PeriodQueries, Report
from pytake.campaigns.experiments import ALPHA, Comparison, Experiment, VariantCounts, examine
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.lake import EventLog, LakeQueries
from pytake.conversation.ports.tenants import Flows, TenantRepository


class ExperimentPath(Struct, frozen=True):
    """A path. `weight` is that of the published flow; None: it has no such path."""

    comparison: Comparison
    weight: float | None


class NodeExperiment(Struct, frozen=True):
    """A random node: its paths in the order of the flow, the first one is the base.

    `people_in_several_paths` are left out of the comparison.
    """

    node_id: str
    paths: list[ExperimentPath]
    people_in_several_paths: int
    experiment: Experiment


class FlowExperiments(Report, frozen=True):
    """All random nodes that people reached in the period."""

    goal: str
    smallest_effect: float
    alpha: float
    nodes: list[NodeExperiment]


class Experiments:
    """The use case behind `GET /api/v1/flows/{flow_id}/experiments`."""

    def __init__(
        self, queries: LakeQueries, event_log: EventLog, tenants: TenantRepository, flows: Flows, clock: Clock
    ) -> None:
        self._lake = PeriodQueries(queries, event_log, tenants, clock)
        self._flows = flows

    def __call__(
        self, organization_id: str, flow_id: str, days: Days, goal: str, smallest_effect: float
    ) -> FlowExperiments:
        """The experiments of a flow, over people who took a path in the period.

        Raises `UnknownFlowError`, `PeriodError`, and what `LakeQueries.rows` raises.
        """
        summary = self._flows.summary(organization_id, flow_id)
        if summary is None:
            raise UnknownFlowError(flow_id)
        asked = {"flow_id": flow_id, "goal": goal}
        # The table `daily` does not know who took which path.
        scope, rows = self._lake.ask("experiments", organization_id, days, asked, from_daily=False)
        weights = self._weights(organization_id, flow_id, summary.published_version)
        by_node: dict[str, list[dict[str, str | None]]] = {}
        for row in rows:
            by_node.setdefault(str(row["node_id"]), []).append(row)
        return FlowExperiments(
            **scope,
            goal=goal,
            smallest_effect=smallest_effect,
            alpha=ALPHA,
            nodes=[
                _experiment(node_id, found, weights.get(node_id, {}), smallest_effect)
                for node_id, found in by_node.items()
            ],
        )

    def _weights(self, organization_id: str, flow_id: str, published: int | None) -> dict[str, dict[str, float]]:
        """The weights of the paths of each random node, as published."""
        version = self._flows.version(organization_id, flow_id, published) if published is not None else None
        nodes: list[dict[str, Any]] = version.documents[flow_id]["nodes"] if version is not None else []
        return {
            node["id"]: {path["id"]: float(path.get("weight", 1)) for path in node["data"]["paths"]}
            for node in nodes
            if node["type"] == "random"
        }


def _experiment(
    node_id: str, rows: list[dict[str, str | None]], weights: Mapping[str, float], smallest_effect: float
) -> NodeExperiment:
    names = [*weights, *(path for path in dict.fromkeys(str(row["path"]) for row in rows) if path not in weights)]
    first = dict.fromkeys(names, 0)  # people by the path that they took first
    people, reached, mixed = dict.fromkeys(names, 0), dict.fromkeys(names, 0), 0
    for row in rows:
        path, count = str(row["path"]), int(row["people"] or 0)
        first[path] += count
        if row["mixed"] == "true":
            mixed += count
        else:
            people[path] += count
            reached[path] += int(row["reached"] or 0)
    variants = [VariantCounts(name, people[name], reached[name]) for name in names]
    found = examine(variants, weights, smallest_effect=smallest_effect, divided=first)
    paths = [ExperimentPath(comparison, weights.get(comparison.name)) for comparison in found.comparisons]
    return NodeExperiment(node_id, paths, mixed, found)
