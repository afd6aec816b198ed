"""The paths of random nodes, compared while the experiment runs."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

import pytake.wiring.api as wiring
from pytake.analytics.experiments import NodeExperiment as FoundExperiment
from pytake.analytics.reports import Days
from rest.caller import caller
from rest.comparisons import Compared, ExperimentAnswer, SmallestEffect, compared, experiment
from rest.identifiers import FlowId
from rest.openapi import route_docs
from rest.reports import PROBLEMS, ROLES, Count, From, Report, ReportPeriod, To, lake_problems

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Goal = Annotated[
    str,
    Query(
        pattern=r"^(completed|handed_off|(event|node):[^\x00-\x1f]{1,200})$",
        description="What people are to reach: `completed`, `handed_off`, `event:NAME` (`emit_event`) or `node:ID`",
    ),
]


class ExperimentPath(Compared):
    """A path of a random node against the first one. `weight` is the published flow's; null: it has no such path. `people` took
    this path and no other one; those who `reached` the goal did so afterwards, in such a conversation."""

    path: str


class NodeExperiment(ExperimentAnswer):
    """A random node as an experiment."""

    node_id: str
    paths: list[ExperimentPath] = Field(description="In the flow's order; the first one is the base")
    people_in_several_paths: int = Field(description="They are left out of the comparison")


class ExperimentsResponse(Report):
    """The random nodes that people reached, compared by the goal."""

    goal: str
    smallest_effect: float
    alpha: float = Field(description="The chance of a false alarm, over all looks at a node")
    nodes: list[NodeExperiment]


@router.get(
    "/api/v1/flows/<flow_id>/experiments",
    summary="The paths of a flow's random nodes, compared",
    tags=["Reports"],
    openapi_extensions=route_docs(*ROLES, problems=PROBLEMS),
)
def list_experiments(
    flow_id: FlowId,
    days: Count = 30,
    from_: From = None,
    to: To = None,
    goal: Goal = "completed",
    smallest_effect: SmallestEffect = 0.02,
) -> ExperimentsResponse:
    """The intervals hold however often they are looked at. Begin the period with the day on which the experiment began."""
    who = caller(router, *ROLES)
    with lake_problems():
        found = wiring.experiments()(who.organization_id, flow_id, Days(days, from_, to), goal, smallest_effect)
    return ExperimentsResponse(
        period=ReportPeriod.model_validate(found.period),
        as_of=found.as_of,
        goal=found.goal,
        smallest_effect=found.smallest_effect,
        alpha=found.alpha,
        nodes=[_node(node, smallest_effect) for node in found.nodes],
    )


def _node(found: FoundExperiment, smallest_effect: float) -> NodeExperiment:
    return NodeExperiment(
        node_id=found.node_id,
        paths=[ExperimentPath(path=one.comparison.name, **compared(one.comparison, one.weight)) for one in found.paths],
        people_in_several_paths=found.people_in_several_paths,
        **experiment(found.experiment, smallest_effect),
    )
