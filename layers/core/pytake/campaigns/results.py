"""The results of a campaign: its variants against the first one, and those who were written to against those who were not. Pure.

Both are computed from the outcomes of the audience, which an erasure leaves (ADR 33). Everyone whose message was released counts,
also if it did not arrive: whom Meta refuses may depend on the variant.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from pytake.campaigns.audience import HOLDOUT, LATE, VARIANT, AudienceCounts
from pytake.campaigns.experiments import ALPHA, Experiment, VariantCounts, examine
from pytake.campaigns.records import CampaignDefinition
from pytake.campaigns.recount import is_released

CampaignGoal = Literal["read", "replied", "completed"]
"""What people are to do: read the message, write to the number, or complete the flow, within 72 hours."""

HELD_OUT, WRITTEN_TO = "holdout", "campaign"
"""The names of those who get nothing, and of those who were to be written to."""


class Arms(Struct, frozen=True):
    """An experiment of a campaign, with the weights by which people were divided."""

    experiment: Experiment
    weights: dict[str, float]


class CampaignResults(Struct, frozen=True):
    """The comparisons of a campaign by a goal. None: it has no variants or no holdout, or those of the holdout cannot reach it.

    Each of the two has its own error of `alpha`, over all looks and all of its comparisons.
    """

    goal: CampaignGoal
    smallest_effect: float
    alpha: float
    variants: Arms | None
    holdout: Arms | None


def results_of(
    definition: CampaignDefinition, counts: AudienceCounts, goal: CampaignGoal, smallest_effect: float
) -> CampaignResults:
    """Compare by a goal. `smallest_effect` is the difference of shares that matters, chosen before the campaign starts."""
    found = [(outcome.split(), people) for outcome, people in counts.outcomes.items() if outcome]
    variants = holdout = None
    if len(definition.variants) > 1:
        weights = {one.name: one.share for one in definition.variants}
        arms = [_counts(name, goal, [one for one in found if VARIANT + name in one[0]]) for name in weights]
        variants = Arms(examine(arms, weights, smallest_effect=smallest_effect), weights)
    if definition.holdout and goal != "read":
        settled = [(words, people - counts.open_outcomes.get(" ".join(words), 0)) for words, people in found]
        kept = [one for one in settled if one[0][0] == HOLDOUT]
        written = [one for one in settled if is_released(one[0][0]) or (LATE in one[0] and one[0][0] != HOLDOUT)]
        weights = {HELD_OUT: definition.holdout, WRITTEN_TO: 1 - definition.holdout}
        arms = [_counts(HELD_OUT, goal, kept), _counts(WRITTEN_TO, goal, written)]
        holdout = Arms(examine(arms, weights, smallest_effect=smallest_effect), weights)
    return CampaignResults(goal, smallest_effect, ALPHA, variants, holdout)


def _counts(name: str, goal: CampaignGoal, outcomes: Sequence[tuple[list[str], int]]) -> VariantCounts:
    """`read` is a state; the others are words that follow it."""
    reached = sum(people for words, people in outcomes if goal in words)
    return VariantCounts(name, sum(people for _, people in outcomes), reached)
