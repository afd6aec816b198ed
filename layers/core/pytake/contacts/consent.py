"""Consent per purpose: which state holds after changes that may arrive late, repeated or in another order."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from msgspec import Struct

Purpose = Literal["service", "utility", "marketing"]
ConsentState = Literal["granted", "withdrawn", "unknown"]

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

ERASED_SOURCE = "erasure"
"""The source of consent that was withdrawn before the person was erased. Only the person can lift it (ADR 24)."""

TIE_SECONDS = 0.001
"""Meta's times are whole seconds, and clocks differ. Where we know which of two changes came later, it gets a later time."""

_RANKS: dict[ConsentState, int] = {"unknown": 0, "granted": 1, "withdrawn": 2}


class Consent(Struct, frozen=True, omit_defaults=True):
    """The state of one purpose: since when, and where it comes from. `at` is in epoch seconds, 0 if never set."""

    state: ConsentState = "unknown"
    source: str = ""
    at: float = 0


class ConsentChange(Struct, frozen=True):
    """A change of one purpose. `at` is when it happened, not when it arrived: it decides which change holds."""

    purpose: Purpose
    state: ConsentState
    source: str
    at: float


UNKNOWN = Consent()


def consent_after(consent: Mapping[Purpose, Consent], changes: Iterable[ConsentChange]) -> dict[Purpose, Consent]:
    """The consent after changes in any order: per purpose, the change with the latest `at` holds.

    Of changes with the same `at`, a withdrawal holds, and then the greater source: so the result does not depend on the order
    or on repetitions.
    """
    after = dict(consent)
    for change in changes:
        new = Consent(change.state, change.source, change.at)
        after[change.purpose] = max(after.get(change.purpose, UNKNOWN), new, key=_order)
    return after


def allows_template(consent: Mapping[Purpose, Consent], category: str | None) -> bool:
    """Whether a template of this category may be sent to a person with this consent.

    Marketing needs consent that was granted. A utility template may be sent until consent to it is withdrawn, and an
    authentication template always, because the person asked for it. A template whose category is not known may be either: it
    is sent unless consent to one of the two is withdrawn.
    """
    marketing, utility = consent.get("marketing", UNKNOWN).state, consent.get("utility", UNKNOWN).state
    match category:
        case "marketing":
            return marketing == "granted"
        case "utility":
            return utility != "withdrawn"
        case "authentication":
            return True
        case _:
            return "withdrawn" not in (marketing, utility)


def _order(consent: Consent) -> tuple[float, int, str]:
    return consent.at, _RANKS[consent.state], consent.source
