"""The counts of a campaign, from the outcomes of its audience."""

from collections import Counter

from pytake.campaigns.audience import HOLDOUT, PLANNED, RELEASED, SKIPPED, WAITING, AudienceCounts
from pytake.campaigns.recount import CHARGED
from rest.models import ApiModel

_REACHED = {"sent": 1, "delivered": 2, "read": 3}
_DID = ("replied", "completed", "opted_out")


class CampaignCounts(ApiModel):
    """People by what became of them. `planned` are those who are to be written to; `waiting` of them are not released yet, or
    are to get the message once more.

    A person who read it also counts as delivered and sent, and one who got it also counts as sent. `held`: Meta assesses the
    template first. `failed` is by Meta's code, `skipped` by reason: no message was sent. `unpriced`: the rate card has no price
    for the message, and the campaign's `cost` does not contain it."""

    planned: int
    waiting: int
    sent: int
    delivered: int
    read: int
    replied: int
    completed: int
    opted_out: int
    held: int
    holdout: int
    unpriced: int
    skipped: dict[str, int]
    failed: dict[str, int]


def counts_of(counts: AudienceCounts) -> CampaignCounts:
    """The answer of the API."""
    found, skipped, failed = Counter[str](), Counter[str](), Counter[str]()
    for outcome, people in counts.outcomes.items():
        if outcome.startswith(HOLDOUT):
            found["holdout"] += people
            continue
        if outcome.startswith(SKIPPED):
            skipped[outcome.split()[0].removeprefix(SKIPPED)] += people
            continue
        found["planned"] += people
        if outcome == PLANNED:
            found["waiting"] += people
            continue
        state, *did = outcome.split()
        if state == WAITING:
            found["waiting"] += people
        for reached, rank in _REACHED.items():
            if _REACHED.get(state, 0) >= rank:
                found[reached] += people
        is_counted = state not in (RELEASED, WAITING) and not state.startswith("failed:")
        if is_counted and not any(word.startswith(CHARGED) for word in did):
            found["unpriced"] += people
        if state == "held":
            found["held"] += people
        if state.startswith("failed:"):
            failed[state.removeprefix("failed:")] += people
        for one in _DID:
            found[one] += people if one in did else 0
    named = {name: found[name] for name in CampaignCounts.model_fields if name not in ("skipped", "failed")}
    return CampaignCounts(**named, skipped=dict(sorted(skipped.items())), failed=dict(sorted(failed.items())))
