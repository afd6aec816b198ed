"""The paths of random nodes, compared while the experiment runs."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

import pytake.wiring.api as wiring
from pytake.analytics.experiments import ExperimentPath as FoundPath
from pytake.analytics.experiments import NodeExperiment as FoundExperiment
from pytake.analytics.reports import Days
from rest.caller import caller
from rest.identifiers import FlowId
from rest.openapi import route_docs
from rest.reports import PROBLEMS, ROLES, Count, From, Model, Report, ReportPeriod, To, lake_problems

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

Goal = Annotated[
    str,
    Query(
        pattern=r"^(completed|handed_off|(event|node):[^\x00-\x1f]{1,200})$",
        description="What people are to reach: `completed`, `handed_off`, `event:NAME` (`emit_event`) or `node:ID`",
    ),
]
SmallestEffect = Annotated[
    float,
    Query(
        ge=0.001, le=0.5, description="The smallest difference of shares that matters; choose it before the experiment"
    ),
]


class Interval(Model):
    """A difference of shares, and the values that are possible at every look."""

    estimate: float
    low: float
    high: float


class ExperimentPath(Model):
    """A path of a random node against the first one."""

    path: str
    weight: float | None = Field(description="The published flow's weight; null: it has no such path")
    people: int = Field(description="People who took this path and no other one")
    reached: int = Field(description="Those who reached the goal afterwards in such a conversation")
    share: float = Field(description="reached / people, 0 to 1")
    difference: Interval | None = Field(
        description="This share minus that of the first path; null for the first path, and while it is too early"
    )
    verdict: Literal["too_early", "better", "worse", "no_difference_yet"]


class NodeExperiment(Model):
    """A random node as an experiment."""

    node_id: str
    paths: list[ExperimentPath] = Field(description="In the flow's order; the first one is the base")
    people_in_several_paths: int = Field(description="They are left out of the comparison")
    sample_ratio_mismatch: bool = Field(
        description="People are not divided as the weights say: something is wrong, and the differences mean nothing"
    )
    people_needed: int | None = Field(
        description="People that each path needs to find the smallest effect with a chance of 80 %; null: not known yet"
    )


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
        nodes=[_node(node) for node in found.nodes],
    )


def _node(found: FoundExperiment) -> NodeExperiment:
    return NodeExperiment(
        node_id=found.node_id,
        paths=[_path(path) for path in found.paths],
        people_in_several_paths=found.people_in_several_paths,
        sample_ratio_mismatch=found.sample_ratio_mismatch,
        people_needed=found.people_needed,
    )


def _path(found: FoundPath) -> ExperimentPath:
    one = found.comparison
    return ExperimentPath(
        path=one.name,
        weight=found.weight,
        people=one.people,
        reached=one.reached,
        share=round(one.share, 4),
        difference=Interval.model_validate(one.difference) if one.difference is not None else None,
        verdict=one.verdict,
    )
