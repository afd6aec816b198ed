"""Learn from Meta how many people an account may write to first within 24 hours.

Source: WhatsApp Business Platform, webhook reference, "business_capability_update" (November 2026). The text calls the limit a
name such as `TIER_2K`, the sample has a number: both are read.
"""

from typing import Any

from pytake.conversation.ports.deliveries import DayLimits
from pytake.conversation.queues import StatusesItem

FIELD = "business_capability_update"

MEMBER = "max_daily_conversations_per_business"

TIERS = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
    "TIER_UNLIMITED": None,
}


class LearnDayLimits:
    """The use case of the statuses function for changes of an account's limits. It may be repeated."""

    def __init__(self, day_limits: DayLimits) -> None:
        self._day_limits = day_limits

    def __call__(self, item: StatusesItem) -> int:
        """Note the limits that the item reports; how many. A limit in a form that is not known changes nothing."""
        learnt = 0
        for change in item.account_changes:
            if change.field != FIELD:
                continue
            known, most = read_limit(change.value.get(MEMBER))
            if known:
                self._day_limits.learn(item.organization_id, change.waba_id, most, change.at)
                learnt += 1
        return learnt


def read_limit(value: Any) -> tuple[bool, int | None]:
    """Whether a limit is understood, and what it is; None: there is none. `-1` means unlimited, as in older reports."""
    if isinstance(value, str) and value.upper() in TIERS:
        return True, TIERS[value.upper()]
    if isinstance(value, str) and value.lstrip("-").isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= -1:
        return True, None if value == -1 else value
    return False, None
