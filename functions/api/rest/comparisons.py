"""What is the same in the answers about experiments: of flows and of campaigns."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from pytake.campaigns.experiments import Comparison, Conclusion, Experiment
from rest.reports import Model

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


class Compared(Model):
    """One of the ways that an experiment compares, against the first one."""

    weight: float | None
    people: int
    reached: int
    share: float = Field(description="reached / people, 0 to 1")
    difference: Interval | None = Field(
        description="This share minus that of the first one; null for the first one, and while it is too early"
    )
    verdict: Literal["too_early", "better", "worse", "no_difference_yet"]


class ExperimentAnswer(Model):
    """Whether the comparison may be believed, and what follows from it."""

    sample_ratio_mismatch: bool = Field(
        description="People are not divided as the weights say: something is wrong, and the differences mean nothing"
    )
    people_needed: int | None = Field(
        description="People that each way needs to find the smallest effect with a chance of 80 %; null: not known yet"
    )
    conclusion: Conclusion
    statement: str = Field(description="The conclusion as a sentence")


def compared(one: Comparison, weight: float | None) -> dict[str, Any]:
    """The fields of `Compared`."""
    return {
        "weight": weight,
        "people": one.people,
        "reached": one.reached,
        "share": round(one.share, 4),
        "difference": Interval.model_validate(one.difference) if one.difference is not None else None,
        "verdict": one.verdict,
    }


def experiment(found: Experiment, smallest_effect: float) -> dict[str, Any]:
    """The fields of `ExperimentAnswer`."""
    return {
        "sample_ratio_mismatch": found.sample_ratio_mismatch,
        "people_needed": found.people_needed,
        "conclusion": found.conclusion,
        "statement": _statement(found, smallest_effect),
    }


def _statement(found: Experiment, smallest_effect: float) -> str:
    base, others = found.comparisons[0], found.comparisons[1:]
    points = f"{100 * smallest_effect:g} percentage points"
    match found.conclusion:
        case "not_comparable":
            return "People are not divided as the weights say, so the results must not be compared."
        case "too_early":
            return "Too few people reached the goal to compare."
        case "difference":
            proved = [
                f"{one.name} is {one.verdict} than {base.name}, by {_points(one)} percentage points"
                for one in others
                if one.verdict in ("better", "worse")
            ]
            return f"It is proved that {'; '.join(proved)}."
        case "no_relevant_difference":
            return f"It is proved that all differences from {base.name} are smaller than {points}."
    return "No difference is proved so far. This does not mean that there is none."


def _points(one: Comparison) -> str:
    """The values that are possible for a difference, from the smaller to the larger one."""
    if one.difference is None:
        return "0"
    low, high = sorted((abs(one.difference.low), abs(one.difference.high)))
    return f"{100 * low:.1f} to {100 * high:.1f}"
