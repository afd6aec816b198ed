"""A campaign's audience: frozen in parts, with one outcome per person."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

PART_RECIPIENTS = 500
"""A part is one item of the table: 500 people are some 15 KB."""

PLANNED, RELEASED = "", "released"
"""The outcomes of a recipient whose turn is not taken yet, and of one whose turn is committed."""

SKIPPED = "-"
"""Begins the outcome of a person who is not written to; the reason follows: `-no_consent`."""

HOLDOUT = "-holdout"
"""The outcome of a person who is left out on purpose, for comparison."""

LATE = "late"
"""A word of the outcome of a person who was skipped when the message was to leave: the person belongs to those who were to be
written to, and is compared with those of the holdout."""

VARIANT = "@"
"""Begins the word of an outcome that names the person's variant: `@b`. It is there once the outcome is recounted."""

WAITING, LIMITED = "waiting", "failed:131049"
"""The states of a person whose message Meta did not deliver because of its limit of marketing: before the one repetition, and
when there is none any more."""


class AudiencePart(Struct, kw_only=True, omit_defaults=True):
    """At most `PART_RECIPIENTS` people of an audience whose quiet hours are the same.

    `zone` names the quiet hours and `number` counts the parts of the zone from 0. `recipients` are contact ids; that of an
    erased person is empty. `outcomes` has one outcome for each of them, in the same order.

    An outcome is `PLANNED` or a list of words: first the state (`RELEASED`, `sent`, `delivered`, `read`, `held`, `WAITING`,
    `failed:CODE`) or, after `SKIPPED`, the reason why no message was sent; then what the person did (`replied`, `completed`,
    `opted_out`), the variant and the price.

    `cost_micros` is the price of the messages of this part, in millionths of the currency. `written_at` is when the last person
    was written to or skipped; `released_at` is that, or when the last message was repeated. The outcomes are compared with the
    ledger next at `recount_at`, after `recounts` times. `revision` counts writes, `epoch` is that of the freeze that wrote the
    part.
    """

    zone: str
    number: int
    recipients: list[str]
    outcomes: list[str]
    cost_micros: int = 0
    written_at: float = 0
    released_at: float = 0
    recount_at: float | None = None
    recounts: int = 0
    epoch: int = 0
    revision: int = 0

    def counts(self) -> "AudienceCounts":
        """How many people have which outcome."""
        is_open = not self.written_at or PLANNED in self.outcomes
        return AudienceCounts(dict(Counter(self.outcomes)), self.cost_micros, is_open=is_open)


class AudienceCounts(Struct, omit_defaults=True):
    """How many people of an audience have which outcome, and what their messages cost.

    A part `is_open` until all of its people are written to or skipped. Of a sum, `open_outcomes` are those of open parts: there
    the holdout is complete and those who are written to are not, so that the two cannot be compared.
    """

    outcomes: dict[str, int] = {}
    cost_micros: int = 0
    is_open: bool = False
    open_outcomes: dict[str, int] = {}


def total(counts: Iterable[AudienceCounts]) -> AudienceCounts:
    """The sum over parts."""
    outcomes, cost, left = Counter[str](), 0, Counter[str]()
    for each in counts:
        outcomes.update(each.outcomes)
        left.update(each.outcomes if each.is_open else each.open_outcomes)
        cost += each.cost_micros
    return AudienceCounts(dict(outcomes), cost, open_outcomes=dict(left))


def without(part: AudiencePart, contact_id: str) -> AudiencePart:
    """The part without an erased person. One who was not written to yet is listed as erased, and nothing is repeated."""
    pairs = list(zip(part.recipients, part.outcomes, strict=True))
    outcomes = [_of_erased(was) if one == contact_id else was for one, was in pairs]
    return replace(part, recipients=["" if one == contact_id else one for one, _ in pairs], outcomes=outcomes)


def _of_erased(outcome: str) -> str:
    if outcome == PLANNED:
        return f"{SKIPPED}erased"
    state, *did = outcome.split()
    return " ".join((LIMITED, *did)) if state == WAITING else outcome
