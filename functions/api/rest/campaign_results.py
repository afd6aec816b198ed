"""The comparisons of a campaign in answers."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from pytake.campaigns.results import Arms, CampaignGoal, CampaignResults
from rest.comparisons import Compared, ExperimentAnswer, compared, experiment
from rest.reports import Model

Goal = Annotated[
    CampaignGoal,
    Query(
        description="What people are to do within 72 hours: `read` the message, `replied` (write to the number), or"
        " `completed` (finish the flow)"
    ),
]


class CampaignArm(Compared):
    """A variant, or, of the holdout's comparison, those who get nothing (`holdout`) and all others (`campaign`).

    `people` are those whose message was released, also if it did not arrive."""

    name: str


class CampaignComparison(ExperimentAnswer):
    """Parts of the audience against the first one."""

    arms: list[CampaignArm] = Field(description="In the campaign's order; the first one is the base")


class CampaignResultsResponse(Model):
    """What variants and holdout show so far."""

    goal: Literal["read", "replied", "completed"]
    smallest_effect: float
    alpha: float = Field(description="The chance of a false alarm of each comparison, over all looks")
    variants: CampaignComparison | None = Field(description="null: the campaign has fewer than two variants")
    holdout: CampaignComparison | None = Field(
        description="null if the campaign has no holdout, or if the goal is `read`: only people with a message can read it"
    )


def results_answer(found: CampaignResults) -> CampaignResultsResponse:
    """The answer of the API."""
    return CampaignResultsResponse(
        goal=found.goal,
        smallest_effect=found.smallest_effect,
        alpha=found.alpha,
        variants=_comparison(found.variants, found.smallest_effect),
        holdout=_comparison(found.holdout, found.smallest_effect),
    )


def _comparison(found: Arms | None, smallest_effect: float) -> CampaignComparison | None:
    if found is None:
        return None
    comparisons = found.experiment.comparisons
    return CampaignComparison(
        arms=[CampaignArm(name=one.name, **compared(one, found.weights[one.name])) for one in comparisons],
        **experiment(found.experiment, smallest_effect),
    )
