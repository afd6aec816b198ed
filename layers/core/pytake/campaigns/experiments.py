"""Compare the variants of an experiment while it runs, as often as wanted. Pure; ADR 35 says why this method.

A usual test is right about 95 % of the time only for a single look, at a size that was fixed before. Here the stated error
holds for all looks together: the intervals form a confidence sequence, by a normal mixture (Robbins 1970; asymptotic
confidence sequences, Waudby-Smith and others 2021). The check of the sample ratio is a mixture test with the same property
(Lindon and Malek 2022).
"""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Literal

from msgspec import Struct

ALPHA = 0.05
"""The chance of a false alarm, over all looks and all comparisons of an experiment."""

RATIO_ALPHA = 0.001
"""The chance of a false alarm about the sample ratio: it makes the whole experiment doubtful."""

POWER = 0.8

LEAST_OUTCOMES = 20
"""A variant with fewer people who did it, or who did not, is not compared: the intervals assume the normal distribution."""

_RATIO_WEIGHTS = (10.0, 100.0, 1_000.0, 10_000.0)
"""How closely the mixtures of the sample ratio keep to the wanted shares: loosely, to find large deviations among few people, and
closely, to find small ones among many. Their mean is a test with the same error."""

Verdict = Literal["too_early", "better", "worse", "no_difference_yet"]


Conclusion = Literal["not_comparable", "too_early", "difference", "no_relevant_difference", "no_difference_yet"]
"""What an experiment says at the moment: nothing, because people are not divided as wanted, or because they are too few; that a
variant is better or worse; that all differences are smaller than the smallest effect; or that none shows so far."""


class VariantCounts(Struct, frozen=True):
    """A variant: its people, and those of them who reached the goal."""

    name: str
    people: int
    reached: int


class Interval(Struct, frozen=True):
    """An estimate and the values that are possible at every look, at the stated error."""

    estimate: float
    low: float
    high: float


class Comparison(Struct, frozen=True):
    """A variant against the base. `difference` is its share minus that of the base; None while it is too early."""

    name: str
    people: int
    reached: int
    share: float
    difference: Interval | None
    verdict: Verdict


class Experiment(Struct, frozen=True):
    """Variants against the first one, and what may be concluded.

    `sample_ratio_mismatch`: the variants do not have the shares of people that their weights say, so that the differences mean
    nothing. `people_needed`: so many people in each variant find the smallest effect with a chance of 80 %; None while none or
    all of the base have reached the goal.
    """

    comparisons: list[Comparison]
    sample_ratio_mismatch: bool
    people_needed: int | None
    conclusion: Conclusion


class SampleRatio(Struct, frozen=True):
    """Whether people were divided as wanted. `mismatch`: they were not, so that no difference means anything."""

    wanted: dict[str, float]
    mismatch: bool


def compare(
    variants: Sequence[VariantCounts], *, smallest_effect: float = 0.02, alpha: float = ALPHA
) -> list[Comparison]:
    """Each variant after the first one against the first one, the base.

    `smallest_effect` is the difference of shares that matters (0.02: two percentage points). It must not change while the
    experiment runs: the intervals are narrowest for differences of that size. `alpha` is divided among the comparisons.
    """
    base, *others = variants
    each = alpha / max(1, len(others))
    found = [Comparison(base.name, base.people, base.reached, _share(base), None, "no_difference_yet")]
    for variant in others:
        difference = difference_of(base, variant, smallest_effect=smallest_effect, alpha=each)
        found.append(
            Comparison(variant.name, variant.people, variant.reached, _share(variant), difference, _verdict(difference))
        )
    return found


def examine(
    variants: Sequence[VariantCounts],
    weights: Mapping[str, float],
    *,
    smallest_effect: float = 0.02,
    divided: Mapping[str, int] | None = None,
) -> Experiment:
    """An experiment: the comparison with the first variant, and whether it may be believed.

    `divided` are the people of each variant before some were left out; default: those of the variants. Without weights, the
    sample ratio is not checked.
    """
    found = compare(variants, smallest_effect=smallest_effect)
    base, comparisons = found[0], max(1, len(variants) - 1)
    people = {one.name: one.people for one in variants} if divided is None else divided
    mismatch = bool(weights) and sample_ratio(people, weights).mismatch
    needed = None
    if 0 < base.share < 1:
        needed = people_needed(base.share, smallest_effect=smallest_effect, comparisons=comparisons)
    return Experiment(found, mismatch, needed, "not_comparable" if mismatch else _conclusion(found, smallest_effect))


def _conclusion(found: Sequence[Comparison], smallest_effect: float) -> Conclusion:
    verdicts = {one.verdict for one in found[1:]}
    if verdicts & {"better", "worse"}:
        return "difference"
    if verdicts <= {"too_early"}:
        return "too_early"
    widest = max(max(-one.difference.low, one.difference.high) if one.difference else 1.0 for one in found[1:])
    return "no_relevant_difference" if widest <= smallest_effect else "no_difference_yet"


def difference_of(
    base: VariantCounts, variant: VariantCounts, *, smallest_effect: float, alpha: float
) -> Interval | None:
    """The difference of the shares with its interval; None while one of them has too few outcomes."""
    if any(min(one.reached, one.people - one.reached) < LEAST_OUTCOMES for one in (base, variant)):
        return None
    estimate = _share(variant) - _share(base)
    wide = half_width(_variance(base) + _variance(variant), smallest_effect, alpha)
    return Interval(estimate, max(-1.0, estimate - wide), min(1.0, estimate + wide))


def half_width(variance: float, smallest_effect: float, alpha: float) -> float:
    """Half the width of the interval of an estimate with this variance.

    The mixture has the standard deviation `smallest_effect`. So the likelihood ratio of a true difference of 0, mixed over all
    differences, is above 1 / alpha at any time with a chance of at most alpha.
    """
    ratio = (variance + smallest_effect**2) / variance
    return math.sqrt(variance * ratio / (ratio - 1) * (2 * math.log(1 / alpha) + math.log(ratio)))


def people_needed(share: float, *, smallest_effect: float = 0.02, comparisons: int = 1, alpha: float = ALPHA) -> int:
    """How many people each of two variants needs, so that a difference of `smallest_effect` is found with a chance of 80 %.

    `share` is that of the base. The chance is that of a single look at this size; earlier looks only add to it.
    """
    other = min(1.0, share + smallest_effect)
    spread = share * (1 - share) + other * (1 - other)
    margin = NormalDist().inv_cdf(POWER)

    def is_enough(people: int) -> bool:
        variance = spread / people
        return smallest_effect - half_width(variance, smallest_effect, alpha / comparisons) >= margin * math.sqrt(
            variance
        )

    high = 2 * LEAST_OUTCOMES
    while not is_enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def sample_ratio(people: Mapping[str, int], weights: Mapping[str, float], alpha: float = RATIO_ALPHA) -> SampleRatio:
    """Compare how many people each variant has with the wanted weights. It may be asked at every look."""
    total = sum(weights.values())
    wanted = {name: weight / total for name, weight in weights.items() if weight > 0}
    if len(wanted) < 2 or any(count and name not in wanted for name, count in people.items()):
        return SampleRatio(wanted, mismatch=any(people.get(name, 0) for name in people if name not in wanted))
    found = [_ratio_evidence(people, wanted, weight) for weight in _RATIO_WEIGHTS]
    most = max(found)
    evidence = most + math.log(sum(math.exp(one - most) for one in found) / len(found))
    return SampleRatio(wanted, mismatch=evidence >= math.log(1 / alpha))


def _ratio_evidence(people: Mapping[str, int], wanted: Mapping[str, float], weight: float) -> float:
    """The logarithm of the likelihood ratio of a mixture of shares against the wanted ones."""
    evidence = math.lgamma(weight) - math.lgamma(weight + sum(people.get(name, 0) for name in wanted))
    for name, share in wanted.items():
        prior, count = weight * share, people.get(name, 0)
        evidence += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return evidence


def _verdict(difference: Interval | None) -> Verdict:
    if difference is None:
        return "too_early"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "no_difference_yet"


def _share(variant: VariantCounts) -> float:
    return variant.reached / variant.people if variant.people else 0.0


def _variance(variant: VariantCounts) -> float:
    share = _share(variant)
    return share * (1 - share) / variant.people
